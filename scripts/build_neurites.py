"""Train and package `neurites`, the model of neurites in electron microscopy that ships with Teasel.

Run from the root of the checkout, with the folder that holds the image sets:

    python -m scripts.build_neurites --data DATA

First trained without gala's training volume, on FIB-25, of whose lower half planes 93 to 124 are held out, and on the
SNEMI3D mini volume; gala's training volume is scored with these weights. Then trained on with gala's volume too, in
two runs, each with a learning rate that falls to nothing. The threshold is chosen on gala's second volume, which is
never trained on; the card tells the scores on the planes held out. Checkpoints lie under .runs/neurites/: a run
that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scripts.score_neurites import FIB25, GALA, HELD_OUT, read, score_gala, score_held_out
from teasel.models import ModelSpec, read_package, revise
from teasel.networks.anisotropic import Anisotropic
from teasel.representations import Head
from teasel.representations.affinity import Affinity
from teasel.training.augment import Sample, serial_sections
from teasel.training.config import TrainingConfig
from teasel.training.data import normalise
from teasel.training.descriptors import local_shape_descriptors, n_descriptors
from teasel.training.export import export_model
from teasel.training.loop import Trained, fit_sampler

RUN = Path(".runs/neurites")
WEIGHTS = Path("src/teasel/models/weights")
CROP = (32, 96, 96)
WIDTHS = (20, 40, 80, 112)
SEEDS = {"without_gala": 0, "all": 1, "on": 2}
SNEMI = "snemi3d_mini/{}/ac4_mini.tif"

REPRESENTATION = Affinity()


@dataclass(frozen=True)
class Volume:
    """A training volume: normalised image (z, y, x), labels, and whether z is like y and x."""

    name: str
    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    isotropic: bool
    share: float


def training_volumes(data: Path) -> list[Volume]:
    """Read what is trained on."""
    fib25, gala, snemi = (read(data, pattern) for pattern in (FIB25, GALA, SNEMI))
    end = HELD_OUT - 4
    return [
        Volume("fib25", normalise(fib25[0])[:end], fib25[1][:end], True, 0.6),
        Volume("gala", normalise(gala[0]), gala[1], True, 0.2),
        Volume("snemi", normalise(snemi[0]), snemi[1], False, 0.2),
    ]


def with_borders(labels: NDArray[np.int32], isotropic: bool) -> NDArray[np.int32]:
    """Make voxels next to another label background: a membrane two voxels wide at least."""
    border = labels == 0
    for axis in (0, 1, 2) if isotropic else (1, 2):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        differ = (labels[tuple(low)] != labels[tuple(high)]) & (labels[tuple(low)] >= 0) & (labels[tuple(high)] >= 0)
        border[tuple(low)] |= differ
        border[tuple(high)] |= differ
    return np.where(border & (labels >= 0), 0, labels)


AUGMENTATIONS = {isotropic: serial_sections(isotropic=isotropic) for isotropic in (False, True)}
SIGMA_PX = 8.0
"""Of the local shape descriptors, for volumes as fine along z as in planes; sections are four times as thick."""


class Described:
    """The representation with local shape descriptors beside it, which are learnt and not kept."""

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """Return the heads of the representation, and the descriptors."""
        return (*REPRESENTATION.heads(ndim), Head("descriptors", n_descriptors(ndim), "linear", "smooth_l1", 2.0))


@dataclass(frozen=True)
class Crops:
    """Crops by number, turned and mirrored in every way their volume allows, encoded."""

    volumes: list[Volume]
    seed: int

    def __call__(self, number: int) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Return crop `number`."""
        rng = np.random.default_rng([self.seed, number])
        shares = np.array([v.share for v in self.volumes])
        volume = self.volumes[rng.choice(len(self.volumes), p=shares / shares.sum())]
        order = rng.permutation(3) if volume.isotropic else np.array([0, *(1 + rng.permutation(2))])
        image, labels = volume.image.transpose(order), volume.labels.transpose(order)
        size = [min(c, n) for c, n in zip(CROP, image.shape, strict=True)]
        start = [rng.integers(0, n - s + 1) for n, s in zip(image.shape, size, strict=True)]
        flips = tuple(slice(None, None, int(rng.choice((-1, 1)))) for _ in range(3))
        box = tuple(slice(a, a + s) for a, s in zip(start, size, strict=True))
        pad = [(0, c - s) for c, s in zip(CROP, size, strict=True)]
        image = np.pad(image[box][flips], pad, mode="symmetric")
        labels = np.pad(labels[box][flips], pad, constant_values=-1)
        sample = Sample(np.ascontiguousarray(image[None]), np.ascontiguousarray(labels))
        sample = AUGMENTATIONS[volume.isotropic](sample, rng)
        labels = with_borders(sample.labels, volume.isotropic)
        sigma = (SIGMA_PX if volume.isotropic else SIGMA_PX / 4, SIGMA_PX, SIGMA_PX)
        descriptors = local_shape_descriptors(labels, sigma, stride=2)
        return sample.image, {**REPRESENTATION.encode(labels), "descriptors": descriptors}


def make_network(representation: Any = REPRESENTATION) -> Anisotropic:
    """Build the untrained network."""
    torch.manual_seed(0)
    heads = [{"name": h.name, "channels": h.channels, "stride": 1} for h in representation.heads(3)]
    return Anisotropic(1, heads, widths=WIDTHS)


def train(volumes: list[Volume], folder: Path, steps: int, start: Path | None = None) -> Trained:
    """Train on crops of some volumes, from the weights of a run before if there was one."""

    def build() -> Anisotropic:
        network = make_network(Described())
        if start is not None:
            network.load_state_dict(torch.load(start / "checkpoint.pt", weights_only=True)["average"])
        return network

    config = TrainingConfig(
        representation="affinity",
        widths=WIDTHS,
        blocks=(1, 1, 1, 1),
        in_channels=1,
        steps=steps,
        batch_size=1,
        crop_px=CROP[-1],
        learning_rate=2e-3 if start is None else 1e-3,
        warmup_steps=100,
        threads=1,
        seed=SEEDS[folder.name],
        checkpoint_every=100,
        validate_every=100,
    )
    return fit_sampler(Crops(volumes, config.seed), Described(), 3, folder, config, build=build)


def kept(trained: Trained) -> Anisotropic:
    """Return the trained network without the descriptors."""
    network = make_network()
    state = trained.network.state_dict()
    network.load_state_dict({name: value for name, value in state.items() if name in network.state_dict()})
    return network.eval()


def synthetic_tissue(edge: int = 48, bodies: int = 40, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Draw a cube of bright bodies and dark membranes, a little like tissue, (edge, edge, edge), and its labels."""
    from scipy import ndimage
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), -1).astype(float)
    bend = np.stack([ndimage.gaussian_filter(rng.normal(size=(edge,) * 3), 6) for _ in range(3)], -1)
    near, which = cKDTree(rng.uniform(-4, edge + 4, (bodies, 3))).query(grid + 120 * bend, k=2)
    membrane = np.exp(-(((near[..., 1] - near[..., 0]) / 2.2) ** 2))
    texture = ndimage.gaussian_filter(rng.normal(size=(edge,) * 3), 1)
    return (160 - 90 * membrane + 40 * texture).astype(np.float32), which[..., 0] + 1


def package(data: Path, apart: Trained, trained: Trained, steps: int) -> None:
    """Score both networks, export the one trained on all volumes, write its card."""
    with tempfile.TemporaryDirectory() as name:
        without = export(Path(name) / "neurites", apart)
        left_out = score_gala(data, without, Path(name))
    folder = export(WEIGHTS / "neurites", trained)
    with tempfile.TemporaryDirectory() as name:
        chosen, scores = score_held_out(data, folder, Path(name))
    scores["gala_left_out"] = left_out
    spec = read_package(folder).spec
    spec = replace(spec, representation=replace(spec.representation, merge_threshold=chosen), scores=scores)
    revise(folder, spec, card=write_card(spec, (apart.history[-1]["step"], steps)))
    (RUN / "scores.json").write_text(json.dumps(scores, indent=1), encoding="utf-8")


def export(folder: Path, trained: Trained) -> Path:
    """Write a model folder, not scored yet."""
    network = kept(trained)
    heads = [{"name": h.name, "channels": h.channels, "stride": 1} for h in REPRESENTATION.heads(3)]
    steps = [[1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2]]
    spec = ModelSpec(
        name="neurites",
        description="Neurites in electron microscopy (FIB-SEM at about 10 nm; serial sections), as affinities.",
        representation=replace(REPRESENTATION, method="connected"),
        network={
            "name": "anisotropic",
            "params": {"in_channels": 1, "heads": heads, "widths": list(WIDTHS), "steps": steps, "blocks": 1},
        },
        ndim=3,
        in_channels=1,
        divisor=network.divisor,
        halo_px=16,
        tags=("neurites", "electron-microscopy"),
        training={"steps": trained.history[-1]["step"], "crop_px": list(CROP)},
    )
    plain = f"# {spec.name}\n\n{spec.description}\n\n## Validation\n\nNot measured yet.\n"
    return export_model(folder, network, spec, test_image=synthetic_tissue()[0][None], card=plain)


def write_card(spec: ModelSpec, steps: tuple[int, int]) -> str:
    """Write the model card."""
    held, gala = dict(spec.scores["held_out"]), dict(spec.scores["gala_left_out"])
    shape, shape_gala = held.pop("shape"), gala.pop("shape")
    return "\n".join(
        [
            f"# {spec.name}",
            "",
            spec.description,
            "",
            "## Use",
            "",
            "`teasel segment VOLUME -o out.ome.zarr --model neurites`; another threshold: "
            "`teasel agglomerate out.ome.zarr --threshold T`.",
            "",
            "Takes one grey channel, percentiles 1 and 99.8 mapped to 0 and 1, membranes dark. Volumes are seen at "
            "their own voxel size: about 10 nm along every axis, or about 6 nm within sections of 30 nm.",
            "",
            "## Training",
            "",
            f"{steps[0]} steps on FIB-25 and SNEMI3D, then {steps[1]} on these and gala, of one crop of "
            f"{' x '.join(map(str, CROP))} voxels each, with local shape descriptors as a second thing to learn "
            "(Sheridan et al. 2022, doi:10.1038/s41592-022-01711-z). The crops are turned, mirrored and bent; sections "
            "are missing, shifted, blurred and dark.",
            "",
            "FIB-25 medulla, lower half of training sample 2, planes 0 to 88 (FlyEM, CC BY; Takemura et al. 2015, "
            "doi:10.1073/pnas.1509820112); gala training volume (FIB-SEM medulla, BSD-3-Clause; Nunez-Iglesias et al. "
            "2013, doi:10.1371/journal.pone.0071715); SNEMI3D mini volume (Kasthuri et al. 2015, "
            "doi:10.1016/j.cell.2015.06.054). The weights are under the MIT licence, like Teasel.",
            "",
            "## Validation",
            "",
            "Truth: proofread bodies; edits count pairs of 50 voxels or more. Every method's threshold was chosen on "
            "gala's second volume (50 x 200 x 100), which is never trained on.",
            "",
            f"**FIB-25, planes {HELD_OUT} to {HELD_OUT + shape[0] - 1}** ({' x '.join(map(str, shape))} voxels), never "
            "trained on:",
            "",
            *_table(held),
            "",
            f"**gala's training volume** ({' x '.join(map(str, shape_gala))} voxels), by the weights of the first "
            f"{steps[0]} steps, before it was trained on:",
            "",
            *_table(gala),
            "",
            "Small volumes flatter: false merges grow with the volume. Expect to proofread.",
            "",
        ]
    )


def _table(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Write a table of scores."""
    head = "| method at threshold | VOI split + merge (bits) | adapted Rand error | edits: splits + merges |"
    return [
        head,
        "| --- | --- | --- | --- |",
        *(
            f"| {name} | {row['voi_split']:.3f} + {row['voi_merge']:.3f} = {row['voi']:.3f} | {row['rand_error']:.3f} "
            f"| {row['splits']} + {row['merges']} |"
            for name, row in rows.items()
        ),
    ]


def main() -> None:
    """Read the command line; train; package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    steps = "without gala's volume, with it, and on"
    parser.add_argument("--steps", type=int, nargs=3, default=(4500, 3000, 7000), help=steps)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    volumes = training_volumes(options.data)
    apart = train([v for v in volumes if v.name != "gala"], RUN / "without_gala", options.steps[0])
    train(volumes, RUN / "all", options.steps[1], RUN / "without_gala")
    trained = train(volumes, RUN / "on", options.steps[2], RUN / "all")
    package(options.data, apart, trained, sum(options.steps[1:]))


if __name__ == "__main__":
    main()
