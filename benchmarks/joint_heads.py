"""Nuclei and whole cells: one network with two sets of heads beside two networks, trained alike on simulated scenes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record, scores
from teasel.labels import pair_nuclei
from teasel.models.roles import arrange
from teasel.representations import Fields, Representation, build
from teasel.representations._base import Head
from teasel.training.config import TrainingConfig
from teasel.training.loop import Trained, fit_sampler
from teasel.training.simulation import SimulatedScene, simulate

STYLES = ("cytoplasm-spread", "cytoplasm-sheet", "membrane-sheet", "tissue", "tissue-layers")
SCENES, HELD_OUT, SCENE_PX = 8, 3, 160
ROLES = ("cell", "nucleus", "cell")
CONFIG = TrainingConfig(
    widths=(16, 32, 64),
    blocks=(1, 1, 1),
    roles=ROLES,
    steps=100,
    batch_size=4,
    crop_px=128,
    warmup_steps=20,
    threads=1,
    workers=0,
    validate_every=0,
    checkpoint_every=100000,
)
COLUMNS = ("AP@0.5", "AP@0.75")


@dataclass(frozen=True)
class Named:
    """The heads of several hybrids on one network, told apart by a prefix."""

    parts: tuple[str, ...]
    hybrid: Representation = field(default_factory=lambda: build("hybrid", {"score_threshold": 0.0}))

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """List every head of every part."""
        return tuple(
            Head(f"{part}_{h.name}", h.channels, h.activation, h.loss, h.weight, stride=h.stride)
            for part in self.parts
            for h in self.hybrid.heads(ndim)
        )

    def encode(self, truth: Mapping[str, NDArray[np.int32]]) -> Fields:
        """Return the targets of every part."""
        return {f"{part}_{k}": v for part in self.parts for k, v in self.hybrid.encode(truth[part]).items()}

    def decode(self, fields: Fields, part: str) -> NDArray[np.integer]:
        """Read the objects of one part."""
        return self.hybrid.decode(
            {k.removeprefix(f"{part}_"): v for k, v in fields.items() if k.startswith(part)}
        ).labels


class Crops:
    """Crops of simulated scenes by number, flipped and turned."""

    def __init__(self, scenes: list[SimulatedScene], named: Named) -> None:
        self.scenes, self.named = scenes, named

    def __call__(self, number: int) -> tuple[NDArray[np.float32], Fields]:
        """Return an image and its targets."""
        rng = np.random.default_rng([7, number])
        scene = self.scenes[rng.integers(len(self.scenes))]
        y, x = rng.integers(0, SCENE_PX - CONFIG.crop_px + 1, 2)
        box = (slice(y, y + CONFIG.crop_px), slice(x, x + CONFIG.crop_px))
        turns, mirror = int(rng.integers(4)), slice(None, None, int(rng.choice((-1, 1))))

        def moved(array: NDArray[Any]) -> NDArray[Any]:
            return np.ascontiguousarray(np.rot90(array, turns, (-2, -1))[..., mirror])

        truth = {"cell": moved(scene.labels[box]), "nucleus": moved(scene.nuclei[box])}
        return moved(arrange(scene.image[(slice(None), *box)], ROLES, 3)), self.named.encode(truth)


def main() -> None:
    """Train the three networks and score them on scenes that none has seen."""
    options = record.parser(__doc__ or "")
    arguments = options.parse_args()
    scenes = [simulate(style, size_px=SCENE_PX, seed=seed) for style in STYLES for seed in range(SCENES)]
    unseen = [simulate(style, size_px=SCENE_PX, seed=10**6 + seed) for style in STYLES for seed in range(HELD_OUT)]
    found: dict[str, dict[str, list[NDArray[np.integer]]]] = {}
    for way, groups in {"joint": (("cell", "nucleus"),), "two networks": (("cell",), ("nucleus",))}.items():
        found[way] = {}
        for parts in groups:
            named = Named(parts)
            with TemporaryDirectory() as folder:
                trained = fit_sampler(Crops(scenes, named), named, 2, Path(folder), CONFIG)
            for scene in unseen:
                fields = predict(trained, named, scene)
                for part in parts:
                    found[way].setdefault(part, []).append(named.decode(fields, part))
    result, rows = {}, []
    counts = {}
    for way, parts_found in found.items():
        pairs = [pair_nuclei(n, c) for n, c in zip(parts_found["nucleus"], parts_found["cell"], strict=True)]
        labels = {
            "cells": parts_found["cell"],
            "nuclei": parts_found["nucleus"],
            "cells, paired": [p.cells for p in pairs],
            "nuclei, paired": [p.nuclei for p in pairs],
        }
        result[way] = {"nuclei within one cell before pairing": consistent(parts_found)}
        for what, ones in labels.items():
            truth = [s.labels if what.startswith("cells") else s.nuclei for s in unseen]
            counts[way, what] = scores.count(zip(truth, ones, strict=True))
            result[way][what] = scores.summary(counts[way, what])
            rows.append([way, len(unseen), what, *(result[way][what][column] for column in COLUMNS)])
    result["joint minus two networks"] = {
        what: scores.difference(counts["joint", what], counts["two networks", what])
        for what in ("cells, paired", "nuclei, paired")
    }
    path = record.save(arguments.results, "joint_heads", arguments, {"steps": CONFIG.steps, "ways": result})
    print(record.table(rows, ("network", "n", "objects", *COLUMNS)), f"\n{path}")


def predict(trained: Trained, named: Named, scene: SimulatedScene) -> Fields:
    """Run a network on a scene."""
    import torch

    image = torch.from_numpy(np.ascontiguousarray(arrange(scene.image, ROLES, 3)))[None]
    with torch.inference_mode():
        outputs = trained.network(image)
    heads = named.heads(2)
    return {
        h.name: (torch.sigmoid(outputs[h.name]) if h.activation == "sigmoid" else outputs[h.name])[0].numpy()
        for h in heads
    }


def consistent(found: Mapping[str, list[NDArray[np.integer]]]) -> float:
    """Return the share of nuclei that touch one cell at most, as the networks give them."""
    single = total = 0
    for nuclei, cells in zip(found["nucleus"], found["cell"], strict=True):
        both = (nuclei > 0) & (cells > 0)
        pairs = np.unique(np.stack([nuclei[both], cells[both]]), axis=1)
        touched = np.bincount(pairs[0].astype(int), minlength=int(nuclei.max()) + 1)[1:]
        single, total = single + int((touched <= 1).sum()), total + len(touched)
    return single / max(total, 1)


if __name__ == "__main__":
    main()
