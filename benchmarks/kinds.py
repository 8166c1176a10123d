"""The five kinds of images in DSB 2018 that its organisers name.

Caicedo et al. 2019, doi:10.1038/s41592-019-0612-7.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from teasel.images import open_image
from teasel.training.data import Pair, find_pairs

SET = "dsb2018_stage1_train"
KINDS = ("small fluorescent", "large fluorescent", "purple tissue", "pink and purple tissue", "grey tissue")
LARGE_PX = 600
"""Median area from which nuclei in fluorescence count as large: the valley between both modes of the set."""
LAVENDER = -18
"""Red less blue of the slide, of 255: lavender slides lie below, white and pink ones above; nothing lies near."""


def sort_kinds(data: Path) -> dict[str, list[Pair]]:
    """Sort the images into kinds: by what the index says, and tissue by the colour between the cells."""
    with (data / SET / "index.csv").open(newline="") as file:
        index = {row["id"]: row for row in csv.DictReader(file)}
    kinds: dict[str, list[Pair]] = {kind: [] for kind in KINDS}
    for pair in find_pairs(data / SET):
        row = index[pair.image.stem]
        if row["modality"] == "fluorescence":
            kinds[KINDS[float(row["median_area"]) >= LARGE_PX]].append(pair)
        elif row["modality"] == "brightfield_grey":
            kinds["grey tissue"].append(pair)
        else:
            image = open_image(pair.image)
            colour = np.moveaxis(image.read(), image.axes.index("c"), 0).reshape(3, -1)
            red, _, blue = np.percentile(colour, 90, axis=1)  # of the brightest: the slide between the cells
            kinds["purple tissue" if red - blue < LAVENDER else "pink and purple tissue"].append(pair)
    return kinds
