"""What a folder of results holds: the record of the run, and the table of objects of each image."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.apps.cli.record import FILE_NAME, TIMES_NAME
from teasel.errors import FormatError, InputNotFound

__all__ = ["ImageResult", "RunResults", "read_run"]


@dataclass(frozen=True, eq=False)
class ImageResult:
    """One image of a run.

    Parameters
    ----------
    name : str
        What the names of its files begin with.
    entry : dict
        What ``run.json`` says about it.
    columns : dict of str to ndarray
        The table of objects; ``label``, ``score`` and ``area_px`` at least.
    plate, well : str
        Read from the file name; ``""`` where it does not say.
    """

    name: str
    entry: dict[str, Any]
    columns: dict[str, NDArray[Any]]
    plate: str = ""
    well: str = ""

    @property
    def n_objects(self) -> int:
        """How many objects were found."""
        return len(self.columns["label"])

    @property
    def source(self) -> Path:
        """Where the image was when it was segmented."""
        return Path(str(self.entry["source"]))

    @property
    def pixel_um(self) -> float | None:
        """Micrometres per pixel along x, if known, and alike along y."""
        size = self.entry.get("voxel_size_um") or {}
        return size["x"] if size.get("x") and size.get("y") == size["x"] else None

    @property
    def diameters_px(self) -> NDArray[np.float64]:
        """Diameter of the disc (ball) as large as each object, in pixels (cube roots of voxels in stacks)."""
        size = np.asarray(self.columns["area_px"], float)
        if "centroid_z_px" in self.columns:
            return np.asarray(2 * (size * 0.75 / np.pi) ** (1 / 3))
        return np.asarray(2 * np.sqrt(size / np.pi))


@dataclass(frozen=True, eq=False)
class RunResults:
    """A folder of results.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.
    record : dict
        ``run.json``.
    times : dict
        ``run.times.json``; empty if it is not there.
    images : list of ImageResult
        What is done, sorted by name as people sort (2 before 10).
    unfinished : list of str
        Names of images whose results are not all there.
    """

    folder: Path
    record: dict[str, Any]
    times: dict[str, Any]
    images: list[ImageResult] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


def read_run(folder: str | os.PathLike[str]) -> RunResults:
    """Read the results that ``teasel segment`` or ``teasel run`` wrote.

    Parameters
    ----------
    folder : path-like
        The folder given as ``-o``.

    Raises
    ------
    InputNotFound
        If there is no such folder, or no ``run.json`` in it.
    FormatError
        If ``run.json`` or a table is broken.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputNotFound(f"no folder {place}; expected the results of teasel segment or teasel run")
    if not (place / FILE_NAME).is_file():
        raise InputNotFound(
            f"no results in {place}: it has no {FILE_NAME}; give the folder that teasel segment or teasel run wrote to"
        )
    record = _read_json(place / FILE_NAME)
    if not isinstance(record.get("images"), dict) or "parameters" not in record or "model" not in record:
        raise FormatError(f"{place / FILE_NAME} is not the record of a run; expected images, model and parameters")
    times = _read_json(place / TIMES_NAME) if (place / TIMES_NAME).is_file() else {}
    run = RunResults(place, record, times)
    for name, entry in sorted(record["images"].items(), key=lambda item: _natural(item[0])):
        files = [place / f"{name}{suffix}" for suffix in (".objects.csv", ".labels.tif")]
        if entry.get("status") != "done" or not all(file.is_file() for file in files):
            run.unfinished.append(name)
            continue
        plate, well = _position(str(entry["source"]), entry.get("scene"))
        run.images.append(ImageResult(name, entry, _read_table(files[0]), plate, well))
    return run


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise FormatError(f"{path} is not the record of a run: {error}") from error
    if not isinstance(content, dict):
        raise FormatError(f"{path} is not the record of a run; expected an object, got {type(content).__name__}")
    return content


def _read_table(path: Path) -> dict[str, NDArray[Any]]:
    """Read a table of objects; true and false become bool."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    header = rows[0] if rows else []
    if not {"label", "score", "area_px"} <= set(header):
        raise FormatError(f"{path} is not a table of objects; expected the columns label, area_px and score")
    try:
        columns = list(zip(*rows[1:], strict=True)) or [()] * len(header)
        return {name: _column(name, values) for name, values in zip(header, columns, strict=True)}
    except ValueError as error:
        raise FormatError(f"{path} is broken: {error}; run teasel segment again for this image") from error


def _column(name: str, values: tuple[str, ...]) -> NDArray[Any]:
    if name == "touches_border":
        return np.array([value == "true" for value in values], bool)
    return np.array([float(value) for value in values], np.int64 if name in ("label", "t") else np.float64)


def _position(source: str, scene: str | None) -> tuple[str, str]:
    """Return plate and well as the file name, or the scene of a plate, says them."""
    from teasel.measurement.plates import find_well

    found = find_well(f"{source}/{scene}" if scene else source) or find_well(source)
    return (found.plate, found.well) if found else ("", "")


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts a2 before a10."""
    import re

    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
