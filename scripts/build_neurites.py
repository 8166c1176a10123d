"""Train and package `neurites`, the model of neurites in electron microscopy that ships with Teasel.

Run from the root of the checkout, with the folder that holds the image sets:

    python -m scripts.build_neurites --data DATA

First trained without gala's training volume, on FIB-25, of whose lower half planes 93 to 124 are held out, and on the
SNEMI3D mini volume; gala's training volume is scored with these weights. Then trained on with gala's volume too. The
threshold is chosen on gala's second volume, which is never trained on; the card tells the scores on the planes held
out. Checkpoints lie under .runs/neurites/: a run that was stopped goes on. --package skips training.
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
import zarr
from numpy.typing import NDArray

from teasel.agglomeration import Agglomeration, MutexWatershed, RegionGraph
from teasel.images import open_image
from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume, read_region_graph
from teasel.inference.volume.predicting import PredictJob, measure_range, predict_tile, prepare_affinities
from teasel.labels import label_pieces, read_labels
from teasel.labels.metrics import adapted_rand, edits_to_truth, variation_of_information
from teasel.models import ModelSpec, load_model, revise
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
HELD_OUT = 93
"""First plane of FIB-25's lower half that is not trained on; four planes before it are in neither part."""

REPRESENTATION = Affinity()


@dataclass(frozen=True)
class Volume:
    """A training volume: normalised image (z, y, x), labels, and whether z is like y and x."""

    name: str
    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    isotropic: bool
    share: float


def read(data: Path, image: str, labels: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Read an image, normalised, and its labels."""
    pixels = open_image(data / image, axes="zyx").read().astype(np.float32)
    return normalise(pixels), np.asarray(read_labels(data / labels)).astype(np.int32)


def fib25(data: Path) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Read the lower half of FIB-25."""
    return read(data, "fib25_medulla_fibsem/images/lower.tif", "fib25_medulla_fibsem/labels/lower.tif")


def training_volumes(data: Path) -> list[Volume]:
    """Read what is trained on."""
    image, labels = fib25(data)
    end = HELD_OUT - 4
    gala = read(data, "gala_fibsem_medulla_small/images/train.tif", "gala_fibsem_medulla_small/labels/train.tif")
    snemi = read(data, "snemi3d_mini/images/ac4_mini.tif", "snemi3d_mini/labels/ac4_mini.tif")
    return [
        Volume("fib25", image[:end], labels[:end], True, 0.6),
        Volume("gala", gala[0], gala[1], True, 0.2),
        Volume("snemi", snemi[0], snemi[1], False, 0.2),
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
        seed=0 if start is None else 1,
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


def synthetic_tissue(edge: int = 48, seed: int = 0) -> NDArray[np.float32]:
    """Draw a small volume that looks a little like tissue: bright bodies, dark membranes. For tests and the cover."""
    from scipy import ndimage
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), -1).astype(float)
    bend = np.stack([ndimage.gaussian_filter(rng.normal(size=(edge,) * 3), 6) for _ in range(3)], -1)
    near, _ = cKDTree(rng.uniform(-4, edge + 4, (40, 3))).query(grid + 120 * bend, k=2)
    membrane = np.exp(-(((near[..., 1] - near[..., 0]) / 2.2) ** 2))
    texture = ndimage.gaussian_filter(rng.normal(size=(edge,) * 3), 1)
    return (160 - 90 * membrane + 40 * texture).astype(np.float32)[None]


def predict_affinities(folder: Path, model: Path, pixels: NDArray[np.float32], first: int) -> Path:
    """Predict the affinities of planes `first` and after, as `teasel segment` does, and write them as a file."""
    np.save(folder / "volume.npy", pixels)
    job = PredictJob(str(model), str(folder / "volume.npy"), "zyx", None, None, 0.0, 1.0, str(folder / "work"))
    loaded = load_model(model, threads=1)
    low, high = measure_range(job, loaded.spec.normalisation)
    job = replace(job, low=low, high=high)
    prepare_affinities(job, loaded)
    for number in range(len(job.grid)):
        predict_tile(job, str(number))
    affinities = np.asarray(zarr.open_array(job.path, mode="r")[:, first:])
    target = zarr.create_array(folder / "affinities.zarr", shape=affinities.shape, dtype="u1", chunks=(12, 32, 64, 64))
    target[...] = affinities
    return folder / "affinities.zarr"


def agglomerate(path: Path, out: Path) -> tuple[NDArray[np.intp], RegionGraph]:
    """Agglomerate a file of affinities; return each voxel's place in the region graph, and the graph."""
    source = AffinitySource(str(path), offsets=REPRESENTATION.offsets_volume)
    agglomerate_volume(Recipe(source, method=METHODS["median"]), out)
    graph = read_region_graph(out)
    labels = np.asarray(zarr.open_group(out, mode="r")["agglomeration/supervoxels"][...])
    return np.searchsorted(graph.ids, labels), graph


def score(truth: NDArray[np.int32], found: NDArray[np.integer]) -> dict[str, float]:
    """VOI and adapted Rand error over true bodies."""
    voi = variation_of_information(truth, np.asarray(found, np.int64))
    rand = adapted_rand(truth, np.asarray(found, np.int64))
    edits = edits_to_truth(truth, np.asarray(found, np.int64), least_voxels=50)
    values = {"voi_split": voi.split, "voi_merge": voi.merge, "voi": voi.total, "rand_error": rand.error}
    return {k: round(float(v), 4) for k, v in values.items()} | {"splits": edits.splits, "merges": edits.merges}


def cuts(place: NDArray[np.intp], graph: RegionGraph, truth: NDArray[np.int32]) -> dict[str, dict[str, Any]]:
    """Score every method at every threshold."""
    found: dict[str, dict[str, Any]] = {}
    for name, method in METHODS.items():
        if isinstance(method, MutexWatershed):
            found[name] = score(truth, method.segments(graph)[place])
            continue
        tree = method.build(graph)
        for threshold in THRESHOLDS:
            found[f"{name} at {threshold:.2f}"] = score(truth, method.segments(graph, tree, threshold)[place])
    return found


METHODS = {
    "mean": Agglomeration(),
    "median": Agglomeration(score="quantile", quantile=0.5),
    "quantile 0.75": Agglomeration(score="quantile", quantile=0.75),
    "mutex": MutexWatershed(),
}
THRESHOLDS = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95]


def package(data: Path) -> None:
    """Export the network, choose the threshold, score the planes held out, write the card."""
    network = make_network()
    network.load_state_dict(torch.load(RUN / "average.pt", weights_only=True))
    history = json.loads((RUN / "history.json").read_text("utf-8"))
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
        training={
            "steps": history[-1]["step"],
            "seconds": history[-1]["seconds"],
            "crop_px": list(CROP),
            "volumes": {v.name: list(v.image.shape) for v in training_volumes(data)},
        },
    )
    folder = WEIGHTS / spec.name
    plain = f"# {spec.name}\n\n{spec.description}\n\n## Validation\n\nNot measured yet.\n"
    export_model(folder, network.eval(), spec, test_image=synthetic_tissue(), card=plain)
    with tempfile.TemporaryDirectory() as name:
        chosen, elsewhere, held_out = measure(data, folder, Path(name))
    scores = {"threshold_chosen_on": {"volume": "gala raveler example", **elsewhere}, "held_out": held_out}
    spec = replace(spec, representation=replace(spec.representation, merge_threshold=chosen), scores=scores)
    revise(folder, spec, card=write_card(spec, history))
    (RUN / "scores.json").write_text(json.dumps(scores, indent=1), encoding="utf-8")


def measure(data: Path, model: Path, folder: Path) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """Choose the threshold on gala's second volume; score FIB-25's held-out planes with it."""
    image = "gala_fibsem_medulla_small/images/raveler_example.tif"
    pixels, truth = read(data, image, "gala_fibsem_medulla_small/labels/raveler_example.tif")
    (folder / "a").mkdir()
    path = predict_affinities(folder / "a", model, pixels, 0)
    first = cuts(*agglomerate(path, folder / "a/out.ome.zarr"), truth)
    best = min((name for name in first if name.startswith("mean ")), key=lambda name: first[name]["voi"])
    chosen = float(best.rsplit(" ", 1)[1])
    logging.info("elsewhere: %s", {k: v["voi"] for k, v in first.items()})
    pixels, truth = fib25(data)
    truth = truth[HELD_OUT:]
    (folder / "b").mkdir()
    path = predict_affinities(folder / "b", model, pixels[HELD_OUT - 16 :], 16)
    place, graph = agglomerate(path, folder / "b/out.ome.zarr")
    second = cuts(place, graph, truth)
    logging.info("held out: %s", {k: v["voi"] for k, v in second.items()})
    pieces = label_pieces(truth)[0]
    watershed = np.asarray(read_labels(data / "fib25_medulla_fibsem/labels/lower_oversegmentation.tif"))[HELD_OUT:]
    held_out: dict[str, Any] = {"shape": list(truth.shape), "threshold": chosen, **second[best]}
    for name in METHODS:
        mine = {k: v for k, v in first.items() if k.startswith(name)}
        at = min(mine, key=lambda k: mine[k]["voi"])
        held_out[f"also: {at}"] = second[at]
    found = Agglomeration().build(graph).cut(chosen)[place]
    held_out["against connected pieces of the truth"] = score(pieces.astype(np.int32), found)
    held_out["best threshold in hindsight"] = min(
        ({"at": k, **v} for k, v in second.items()), key=lambda row: row["voi"]
    )
    held_out["watershed of the data set"] = score(truth, watershed)
    return chosen, {"at": best, **first[best]}, held_out


def write_card(spec: ModelSpec, history: list[dict[str, float]]) -> str:
    """Write the model card."""
    held, elsewhere = spec.scores["held_out"], spec.scores["threshold_chosen_on"]
    shape = " x ".join(map(str, held["shape"]))
    rows = [("mean affinity, threshold as chosen", held)]
    rows += [(k.removeprefix("also: "), v) for k, v in held.items() if k.startswith("also: ") and "mean" not in k]
    rows += [
        (f"best in hindsight ({held['best threshold in hindsight']['at']})", held["best threshold in hindsight"]),
        ("as chosen, against connected pieces of the truth", held["against connected pieces of the truth"]),
        ("watershed that came with the data", held["watershed of the data set"]),
    ]
    table = [
        f"| {name} | {row['voi_split']:.3f} + {row['voi_merge']:.3f} = {row['voi']:.3f} | {row['rand_error']:.3f} | "
        f"{row['splits']} + {row['merges']} |"
        for name, row in rows
    ]
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
            f"{history[-1]['step']} steps of one crop of {' x '.join(map(str, CROP))} voxels on a part of one core: "
            "far too few for a good model. It shows the path; train longer for work.",
            "",
            "FIB-25 medulla, lower half of training sample 2, planes 0 to 88 (FlyEM, CC BY; Takemura et al. 2015, "
            "doi:10.1073/pnas.1509820112); gala training volume (FIB-SEM medulla, BSD-3-Clause; Nunez-Iglesias et al. "
            "2013, doi:10.1371/journal.pone.0071715); SNEMI3D mini volume (Kasthuri et al. 2015, "
            "doi:10.1016/j.cell.2015.06.054). The weights are under the MIT licence, like Teasel.",
            "",
            "## Validation",
            "",
            f"FIB-25 planes {HELD_OUT} to {HELD_OUT + held['shape'][0] - 1} ({shape} voxels), never trained on. The "
            f"threshold {held['threshold']:.2f} was chosen on gala's second volume (50 x 200 x 100), never trained on "
            f"either (VOI {elsewhere['voi']:.3f} there). Truth: proofread bodies; edits count pairs of 50 voxels or "
            "more.",
            "",
            "| | VOI split + merge (bits) | adapted Rand error | edits: splits + merges |",
            "| --- | --- | --- | --- |",
            *table,
            "",
            "Small volumes flatter: false merges grow with the volume. Expect to proofread.",
            "",
        ]
    )


def main() -> None:
    """Read the command line; train; package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    parser.add_argument("--steps", type=int, nargs=2, default=(4500, 3000), help="without and with gala's volume")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    volumes = training_volumes(options.data)
    apart = train([v for v in volumes if v.name != "gala"], RUN / "without_gala", options.steps[0])
    trained = train(volumes, RUN / "all", options.steps[1], RUN / "without_gala")
    package(options.data, apart, trained)


if __name__ == "__main__":
    main()
