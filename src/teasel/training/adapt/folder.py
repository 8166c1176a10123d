"""The folder in which corrections lie: one sub-folder per kind of statement, one file per image."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import AxesError, DataError, InputNotFound, ParameterError
from teasel.images import is_image_path, open_image
from teasel.labels import read_labels
from teasel.training.adapt.corrections import Correction

__all__ = ["Statement", "find_statements", "read_plane"]

KINDS = ("labels", "verified", "background", "points", "decisions", "predicted", "surroundings")
INDEX, PLACES = "index.csv", ("name", "source", "y_in_surroundings_px", "x_in_surroundings_px")


@dataclass(frozen=True)
class Statement:
    """Paths of one image and of what is said about it, by kind; its row of ``index.csv``, if there is one."""

    image: Path
    files: dict[str, Path]
    row: dict[str, str]

    def read(self, channels: Sequence[int | str] = ()) -> Correction:
        """Read the pixels and everything that is said."""
        files = self.files
        labels = files.get("labels") or (files.get("predicted") if "decisions" in files else None)
        correction = Correction(
            name=self.image.stem,
            image=read_plane(self.image, channels),
            labels=None if labels is None else np.asarray(read_labels(labels)),
            verified=_mask(files.get("verified")),
            background=_mask(files.get("background")),
            points=_points(files.get("points")),
            decisions=_decisions(files.get("decisions")),
            source=self.row.get("source", ""),
        )
        if "surroundings" not in files or not self.row:
            return correction
        corner = (int(self.row["y_in_surroundings_px"]), int(self.row["x_in_surroundings_px"]))
        return correction.within(read_plane(files["surroundings"], channels), corner)


def find_statements(folder: Path) -> Iterator[Statement]:
    """Yield the images about which something is said, sorted by name."""
    images = folder / "images"
    if not images.is_dir():
        raise InputNotFound(f"no folder {images}; give a folder with images/ and labels/, points/ or decisions/")
    files = {kind: _by_stem(folder / kind) for kind in KINDS}
    index = {row["name"]: row for row in _rows(folder / INDEX, PLACES)} if files["surroundings"] else {}
    for image in sorted(images.iterdir()):
        said = {kind: paths[image.stem] for kind, paths in files.items() if image.stem in paths}
        if is_image_path(image) and set(said) & {"labels", "points", "decisions", "background"}:
            yield Statement(image, said, index.get(image.stem, {}))


def read_plane(path: Path, channels: Sequence[int | str] = ()) -> NDArray[np.generic]:
    """Read one plane of an image file as (c, y, x): the channels asked for, the only one, or the three of a picture.

    Raises
    ------
    AxesError
        If the file holds a stack or a series.
    ParameterError
        If it has several channels and none is chosen, or not the one asked for.
    """
    image = open_image(path)
    deep = [axis for axis in image.axes if axis in "tz" and image.sizes[axis] > 1]
    if deep:
        raise AxesError(f"{path} has the axes {image.axes}; corrections are about single planes: save the plane alone")
    pixels = image.read()
    pixels = pixels.reshape([n for axis, n in zip(image.axes, pixels.shape, strict=True) if axis not in "tz"])
    if "c" not in image.axes:
        return pixels[None]
    pixels = np.moveaxis(pixels, image.axes.replace("t", "").replace("z", "").index("c"), 0)
    names = [str(name) for name in image.channel_names]
    if channels:
        return pixels[[_number(one, names, path) for one in channels]]
    if len(pixels) > 1 and not image.is_rgb:
        raise ParameterError(f"{path} has {len(pixels)} channels: {', '.join(names)}; choose one with --channel")
    same = all(np.array_equal(one, pixels[0]) for one in pixels[1:])
    return pixels[:1] if same else pixels  # a grey picture saved in colour


def _number(channel: int | str, names: list[str], path: Path) -> int:
    """Return the number of a channel given by number or by name."""
    if str(channel) in names:
        return names.index(str(channel))
    if not str(channel).isdigit() or int(channel) >= len(names):
        raise ParameterError(f"no channel {channel!r} in {path}; it has {len(names)}: {', '.join(names)}")
    return int(channel)


def _by_stem(folder: Path) -> dict[str, Path]:
    """Map the stem of each file of a folder, without ``.labels`` and the like, to its path."""
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not path.name.startswith("."):
            found[path.stem.removesuffix(f".{folder.name}").removesuffix(f"_{folder.name}")] = path
    return found


def _mask(path: Path | None) -> NDArray[np.bool_] | None:
    """Read a mask of any image format: not 0 is yes."""
    if path is None:
        return None
    pixels = read_plane(path)
    return np.asarray((pixels != 0).any(0))


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV that must have some columns."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        missing = [one for one in columns if one not in (reader.fieldnames or [])]
    if missing:
        raise DataError(f"{path} has the columns {reader.fieldnames}; expected {', '.join(columns)}")
    return rows


def _points(path: Path | None) -> NDArray[np.float64]:
    """Read centre points."""
    if path is None:
        return np.zeros((0, 2))
    try:
        return np.array([(float(row["y"]), float(row["x"])) for row in _rows(path, ("y", "x"))]).reshape(-1, 2)
    except ValueError as error:
        raise DataError(f"{path} holds what is no number: {error}") from error


def _decisions(path: Path | None) -> dict[int, str]:
    """Read decisions about single objects; a row without one leaves its object open."""
    if path is None:
        return {}
    try:
        rows = [(int(row["label"]), row["decision"].strip().lower()) for row in _rows(path, ("label", "decision"))]
    except ValueError as error:
        raise DataError(f"{path} holds a label that is no whole number: {error}") from error
    return {label: decision for label, decision in rows if decision}
