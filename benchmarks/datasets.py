"""The validation images: never trained on, with their truth."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, InputNotFound, ParameterError
from teasel.images import open_image
from teasel.labels import read_labels


@dataclass(frozen=True)
class Case:
    """One image with its truth.

    Parameters
    ----------
    set_name : str
        Key of `SETS`.
    name : str
        File stem.
    image_path, labels_path : Path
        The two files.
    """

    set_name: str
    name: str
    image_path: Path
    labels_path: Path

    def read(self) -> tuple[NDArray[np.generic], str]:
        """Return the pixels as in the file and their axes: ``"yx"``, or ``"yxc"`` for colour."""
        image = open_image(self.image_path)
        pixels = image.read()
        if not image.is_rgb:
            return pixels, image.axes
        return np.ascontiguousarray(np.moveaxis(pixels, image.axes.index("c"), -1)), "yxc"

    def truth(self) -> NDArray[np.int32]:
        """Return the true labels, shape (y, x)."""
        return np.asarray(read_labels(self.labels_path)).astype(np.int32)

    def grey(self) -> NDArray[np.generic]:
        """Return the image for a program that takes bright objects in one channel only, shape (y, x).

        Stained tissue and bright field become the negative of their grey mean: the kindest way to give them.
        """
        pixels, axes = self.read()
        pixels = pixels.mean(axis=-1).astype(pixels.dtype) if axes == "yxc" else pixels
        return np.iinfo(pixels.dtype).max - pixels if self.set_name in DARK_ON_BRIGHT else pixels


Row = dict[str, str]

SETS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "dsb_fluorescence": ("dsb2018_stage1_train", lambda row: row["modality"] == "fluorescence"),
    "dsb_stained": ("dsb2018_stage1_train", lambda row: row["modality"] == "histology_or_stained_rgb"),
    "dsb_brightfield": ("dsb2018_stage1_train", lambda row: row["modality"] == "brightfield_grey"),
    "bbbc039": ("bbbc039", lambda row: True),
    "bitdepth": ("bitdepth_nucseg", lambda row: True),
}
"""Name of a set -> its folder, and which rows of the folder's ``index.csv`` belong to it."""

DARK_ON_BRIGHT = ("dsb_stained", "dsb_brightfield")
FLUORESCENCE = ("dsb_fluorescence", "bbbc039", "bitdepth")


def load_sets(data: Path, names: Iterable[str] | None = None) -> dict[str, list[Case]]:
    """Find the validation images of each set, sorted by name; all sets if none are named.

    Raises
    ------
    ParameterError
        If there is no set of that name.
    InputNotFound
        If its folder is not in `data`.
    DataError
        If it has no validation image.
    """
    return {name: _load(data, name) for name in names or SETS}


def _load(data: Path, name: str) -> list[Case]:
    if name not in SETS:
        raise ParameterError(f"no image set {name!r}; there are: {', '.join(SETS)}")
    folder_name, belongs = SETS[name]
    folder = data / folder_name
    if not folder.is_dir():
        raise InputNotFound(f"no folder {folder_name} in {data}; say with --data where the image sets are")
    split = {row["id"]: row["split"] for row in _rows(folder / "split.csv")}
    ids = sorted(r["id"] for r in _rows(folder / "index.csv") if split.get(r["id"]) == "val" and belongs(r))
    if not ids:
        raise DataError(f"{folder} has no validation image of the set {name}; look at split.csv and index.csv")
    images = {path.stem: path for path in (folder / "images").iterdir()}
    return [Case(name, i, images[i], folder / "labels" / f"{i}.tif") for i in ids]


def _rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
