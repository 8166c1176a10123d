"""Cell Tracking Challenge folders: one TIFF per frame, and a table that says when each track begins and ends.

``NAME_RES`` holds ``mask000.tif`` ... and ``res_track.txt``, ``NAME_GT`` a folder ``TRA`` with ``man_track000.tif``
... and ``man_track.txt``. Each line of the table is ``label first_frame last_frame parent``, parent 0 if there is none.
Rules: https://celltrackingchallenge.net (Naming and file content conventions).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, FormatError, ShapeError
from teasel.geometry import VoxelSize
from teasel.labels.runs import rank_labels

__all__ = ["SUFFIXES", "TAKES", "matches", "read", "read_tracks", "write"]

SUFFIXES = ("_res", "_gt")
TAKES = ("parents",)
_TABLES = {"res_track.txt": "mask", "man_track.txt": "man_track"}
_LARGEST = 65535
Tracks = NDArray[np.int64]


def matches(path: Path) -> bool:
    """Say whether a path is such a folder: by its name, or by the table in it."""
    return path.name.lower().endswith(SUFFIXES) or _table(path) is not None


def read(path: Path) -> NDArray[np.uint16]:
    """Read the labels of all frames, and check them against the table.

    Returns
    -------
    ndarray of uint16, shape (t, [z,] y, x)
        An object has the same label in every frame of its track.

    Raises
    ------
    FormatError
        If frames are missing, differ in shape or cannot be read, or labels and table do not agree.
    """
    table, frames = _frames(path)
    arrays = []
    for frame in frames:
        arrays.append(_read_frame(frame))
        if arrays[-1].shape != arrays[0].shape:
            raise FormatError(f"{frame} has shape {arrays[-1].shape}, {frames[0].name} {arrays[0].shape}")
    labels = np.stack(arrays)
    first = _number(frames[0])
    tracks = _read_table(table)
    tracks[:, 1:3] -= first
    if fault := _disagreement(labels, tracks):
        raise FormatError(f"{path}: {fault}")
    return labels


def read_tracks(path: Path) -> Tracks:
    """Read the table of tracks.

    Returns
    -------
    ndarray of int64, shape (n, 4)
        Label, first frame, last frame, parent (0: none).
    """
    return _read_table(_frames(Path(path))[0])


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize, parents: Mapping[int, int] | None = None) -> None:
    """Write a time series as a folder.

    Parameters
    ----------
    path : pathlib.Path
        The folder; a name that ends in ``_GT`` gets the names of reference annotations, any other those of results.
    labels : ndarray of int, shape (t, [z,] y, x)
        Up to 65535; the same label in every frame of a track. A z of length 1 is dropped.
    voxel_size_um : VoxelSize
        Not kept; the format has no place for it.
    parents : mapping of int to int, optional
        Parent of a track that began by division.

    Raises
    ------
    ShapeError
        If the array is no series.
    DataError
        If a label is above 65535, a track has a gap, or a parent does not end before its child begins.
    """
    import tifffile

    if labels.ndim not in (3, 4) or not labels.size:
        raise ShapeError(f"labels have shape {labels.shape}; the Cell Tracking Challenge takes (t, [z,] y, x)")
    if labels.ndim == 4 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if (largest := int(labels.max())) > _LARGEST:
        raise DataError(
            f"labels up to {largest}; the Cell Tracking Challenge ends at {_LARGEST}: track the objects, so that "
            "one keeps its number, or number them anew (teasel.labels.relabel)"
        )
    tracks = _tabulate(labels, parents or {})
    if fault := _disagreement(labels, tracks):
        raise DataError(fault)
    reference = path.name.lower().endswith("_gt")
    folder = path / "TRA" if reference else path
    folder.mkdir(parents=True)
    stem, table = ("man_track", "man_track.txt") if reference else ("mask", "res_track.txt")
    digits = max(3, len(str(len(labels) - 1)))
    for number, frame in enumerate(labels.astype(np.uint16)):
        name = folder / f"{stem}{number:0{digits}d}.tif"
        tifffile.imwrite(name, frame, compression="zlib", photometric="minisblack", metadata=None, software="Teasel")
    lines = "".join(" ".join(map(str, row)) + "\n" for row in tracks.tolist())
    (folder / table).write_text(lines, encoding="ascii", newline="\n")


def _tabulate(labels: NDArray, parents: Mapping[int, int]) -> Tracks:
    """Return when each label is there first and last."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, frame in enumerate(labels):
        for label in _present(frame):
            first.setdefault(label, number)
            last[label] = number
    if strangers := sorted((set(parents) | set(parents.values()) - {0}) - set(first)):
        raise DataError(f"parents name the track {strangers[0]}, of which no frame has an object")
    rows = [(label, first[label], last[label], parents.get(label, 0)) for label in sorted(first)]
    return np.array(rows, np.int64).reshape(-1, 4)


def _disagreement(labels: NDArray, tracks: Tracks) -> str:
    """Say what is wrong with labels and their table by the rules of the challenge; nothing if all is well."""
    span = {label: (first, last) for label, first, last, _ in tracks.tolist()}
    if len(span) != len(tracks):
        return "the table has two lines for one label"
    for label, first, last, parent in tracks.tolist():
        if not 0 < label <= _LARGEST or not 0 <= first <= last < len(labels):
            return f"track {label} is of frames {first} to {last}; expected 1 to {_LARGEST}, in {len(labels)} frames"
        if parent and (parent not in span or span[parent][1] >= first):
            return f"track {label} begins in frame {first}, but its parent {parent} does not end before"
    for number, frame in enumerate(labels):
        there = set(_present(frame))
        named = {label for label, (first, last) in span.items() if first <= number <= last}
        if there - named:
            return f"frame {number} has the label {min(there - named)}, of which the table knows nothing there"
        if named - there:
            return (
                f"label {min(named - there)} is missing from frame {number}, within its track; a track has no gaps: "
                "give its later part a number of its own, and the earlier one as parent"
            )
    return ""


def _present(frame: NDArray) -> list[int]:
    """Return the labels of a frame."""
    return [label for label in rank_labels(frame.ravel())[0].tolist() if label > 0]


def _table(path: Path) -> Path | None:
    """Return the table of a folder, or of the folder TRA in it."""
    places = [folder / name for folder in (path, path / "TRA") for name in _TABLES]
    return next((place for place in places if place.is_file()), None)


def _frames(path: Path) -> tuple[Path, list[Path]]:
    """Return the table and the frames in order, none missing."""
    table = _table(path)
    if table is None:
        raise FormatError(f"{path} cannot be read: it holds no res_track.txt, and no TRA/man_track.txt")
    pattern = re.compile(_TABLES[table.name] + r"(\d+)\.tiff?", re.IGNORECASE)
    frames = sorted((one for one in table.parent.iterdir() if pattern.fullmatch(one.name)), key=_number)
    if not frames:
        raise FormatError(f"{table.parent} cannot be read: it holds no {_TABLES[table.name]}000.tif")
    numbers = [_number(frame) for frame in frames]
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if missing or len(set(numbers)) != len(numbers):
        raise FormatError(f"{table.parent}: frame {missing[0] if missing else numbers} is missing or twice there")
    return table, frames


def _number(frame: Path) -> int:
    return int(re.findall(r"\d+", frame.stem)[-1])


def _read_frame(frame: Path) -> NDArray:
    import tifffile

    try:
        array = tifffile.imread(frame)
    except (ValueError, IndexError, KeyError, RuntimeError, struct.error, zlib.error) as why:
        raise FormatError(f"{frame} cannot be read as TIFF ({why}); is it whole?") from why
    if array.dtype.kind != "u" or array.ndim not in (2, 3):
        raise FormatError(f"{frame} holds {array.dtype} of shape {array.shape}; expected uint16 ([z,] y, x)")
    return array


def _read_table(table: Path) -> Tracks:
    try:
        rows = [[int(word) for word in line.split()] for line in table.read_text("ascii").splitlines() if line.strip()]
        return np.array(rows, np.int64).reshape(len(rows), 4)
    except (ValueError, UnicodeDecodeError) as why:
        raise FormatError(f"{table} cannot be read ({why}); expected four whole numbers a line: L B E P") from why
