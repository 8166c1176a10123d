"""The images that the model `cells` is trained on: real sets, and scenes simulated in every style.

Channels are cell, or cell and nucleus, each normalised on its own.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.images import open_image
from teasel.labels import read_labels
from teasel.training.data import Item, find_pairs, median_diameter, normalise, read_items
from teasel.training.simulation import simulate, styles
from teasel.training.validation import rescale

SHARES = {"usiigaci": 0.26, "nachtflug": 0.10, "piximi": 0.10, "imc": 0.10, "simulated": 0.44}
"""Share of the crops that come from each source, however many images it has."""

STYLE_WEIGHTS = {"phase": 1.5, "tissue": 2.0, "membrane": 1.3}
"""Styles by the first part of their name; others count 1."""

SCENES_PER_STYLE, HELD_OUT_SCENES, SCENE_PX = 72, 3, 320
FIRST_HELD_OUT_SEED = 1_000_000
LARGEST_PX = 45.0
PIXIMI_SPLIT_PX = 352
IMC_HELD_OUT = "mockData5"


@dataclass(frozen=True)
class Sets:
    """Items to train on and items never trained on."""

    training: list[Item]
    validation: list[Item]


def read_cell_sets(
    data: Path, sources: tuple[str, ...] = tuple(SHARES), *, training: bool = True, scenes: int = SCENES_PER_STYLE
) -> Sets:
    """Read the real sets among `sources` and simulate the scenes; only what is held out, if not for `training`."""
    readers = {"usiigaci": read_usiigaci, "nachtflug": read_nachtflug, "piximi": read_piximi_cells, "imc": read_imc}
    kept: list[Item] = []
    validation: list[Item] = []
    for name in sources:
        pairs = simulated_items(scenes if training else 0) if name == "simulated" else readers[name](data)
        for item, held_out in pairs:
            (validation if held_out else kept).append(item)
    return Sets(kept, validation)


def chances(items: list[Item], shares: Mapping[str, float] = SHARES) -> NDArray[np.float64]:
    """Return how often each item is drawn, so that every source has its share of those that are there."""
    weights = np.array([_weight(item) for item in items])
    sources = np.array([item.name.split("/")[0].split("_")[0] for item in items])
    present = {name: share for name, share in shares.items() if name in sources}
    for name, share in present.items():
        weights[sources == name] *= share / weights[sources == name].sum()
    return weights / weights.sum()


def _weight(item: Item) -> float:
    """Weigh an item within its source."""
    source = item.name.split("/")[0]
    if source.startswith("simulated_"):
        return STYLE_WEIGHTS.get(source.removeprefix("simulated_").split("-")[0], 1.0)
    return 0.5 if "type2" in item.name else 1.0  # outlines of branched cells are doubtful


def read_usiigaci(data: Path) -> Iterator[tuple[Item, bool]]:
    """Read phase contrast images, split as their split.csv says."""
    for pair in find_pairs(data / "usiigaci_phase"):
        item, held_out = next(read_items([pair], "usiigaci")), pair.split != "train"
        if not held_out and item.diameter_px > LARGEST_PX:  # crops would be reduced anyway, each at a cost
            image, labels = rescale(item.image, item.labels, LARGEST_PX / item.diameter_px)
            item = _item(item.name, image, labels)
        yield item, held_out


def read_nachtflug(data: Path) -> Iterator[tuple[Item, bool]]:
    """Read cells in brain-like tissue; all slices of a stack are on one side of the split."""
    with (data / "nachtflug_brain_cells/index.csv").open(newline="") as file:
        groups = {row["id"]: row["group"] for row in csv.DictReader(file)}
    for pair in find_pairs(data / "nachtflug_brain_cells"):
        group = groups[pair.image.stem]
        held_out = hashlib.sha256(group.encode()).digest()[0] < 64  # a quarter
        yield next(read_items([pair], "nachtflug")), held_out


def read_piximi_cells(data: Path) -> Iterator[tuple[Item, bool]]:
    """Read the Cell Painting image: two stains of the cell, and their mean, beside the nuclear one; split in space."""
    folder = data / "piximi_cell_painting"
    pixels = open_image(folder / "images/cell-painting.png").read().astype(np.float32)
    labels = np.asarray(read_labels(folder / "labels/cell-painting.tif")).astype(np.int32)
    for name, cell in (("first", pixels[0]), ("second", pixels[1]), ("mean", pixels[:2].mean(0))):
        image = _each_normalised(np.stack([cell, pixels[2]]))
        for held_out, part in ((False, slice(None, PIXIMI_SPLIT_PX)), (True, slice(PIXIMI_SPLIT_PX, None))):
            yield _item(f"piximi/{name}", image[..., part], labels[:, part]), held_out


def read_imc(data: Path) -> Iterator[tuple[Item, bool]]:
    """Read imaging mass cytometry: YBX1, cytokeratin 5 or laminin as the cell's stain, H3K27Ac as the nucleus'."""
    folder = data / "imc_testdata/analysis/cpout"
    for path in sorted((folder / "images").glob("*_full.tiff")):
        mask = folder / "masks" / path.name.replace("_full.tiff", "_ilastik_s2_Probabilities_mask.tiff")
        labels = np.asarray(read_labels(mask)).astype(np.int32)
        order = (folder / "images" / path.name.replace(".tiff", ".csv")).read_text().split()
        pixels = open_image(path, axes="cyx").read().astype(np.float32)
        by_metal = dict(zip(order, pixels, strict=True))
        stains = [m for m in ("Eu153", "Pr141", "Sm147") if np.percentile(by_metal[m], 99) > 10]
        for metal in stains:
            image = _each_normalised(np.stack([by_metal[metal], by_metal["Yb172"]]))
            held_out = IMC_HELD_OUT in path.name
            if metal == "Eu153" or not held_out:
                yield _item(f"imc/{path.stem.removesuffix('_ac_full')}_{metal}", image, labels), held_out


def simulated_items(scenes: int = SCENES_PER_STYLE) -> Iterator[tuple[Item, bool]]:
    """Simulate scenes of every style: as many to train on as are wanted, and those that are held out."""
    for style in styles():
        for held_out, first, count in ((False, 0, scenes), (True, FIRST_HELD_OUT_SEED, HELD_OUT_SCENES)):
            for seed in range(first, first + count):
                scene = simulate(style, size_px=SCENE_PX, seed=seed)
                family, _, kind = style.partition("-")
                yield _item(f"simulated_{family}/{kind or family}-{seed}", scene.image, scene.labels), held_out


def _item(name: str, image: NDArray[np.float32], labels: NDArray[np.int32]) -> Item:
    return Item(name, np.ascontiguousarray(image), np.ascontiguousarray(labels), median_diameter(labels))


def _each_normalised(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack([normalise(plane[None])[0] for plane in image])
