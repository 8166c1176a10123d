"""Outlines as Cellpose writes them, ``_cp_outlines.txt``: one object a line, ``x,y,x,y,...`` of its border pixels.

The numbers are pixels, not pixel edges: the outline of a pixel is the pixel. The line number is the label. There is no
place for holes, for several pieces, and for gaps between labels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, FormatError
from teasel.geometry import VoxelSize
from teasel.labels.border import trace_borders
from teasel.labels.contours import Polygon
from teasel.labels.dtype import smallest_dtype
from teasel.labels.polygons import fill_polygons

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = ("_cp_outlines.txt", "_outlines.csv")


def read(path: Path, shape: tuple[int, int] | None) -> NDArray:
    """Draw the outlines of a file; the label is the number of the line, empty lines included.

    Notes
    -----
    Cellpose leaves the line of an object of up to four border pixels empty.

    Raises
    ------
    FormatError
        If `shape` is None (outlines do not say how large the image is), or a line is no list of pairs of numbers.
    """
    if shape is None:
        raise FormatError(
            f"{path}: outlines do not say how large the image is; give its height and width in pixels (shape)"
        )
    labels = np.zeros(shape, np.uint32)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines and path.stat().st_size:
            raise ValueError("no lines")
    except (UnicodeDecodeError, ValueError) as why:
        raise FormatError(f"{path} cannot be read as outlines of Cellpose ({why})") from why
    for label, line in enumerate(lines, 1):
        if line.strip():
            _draw(labels, label, _numbers(line, f"{path}, line {label}"))
    return labels.astype(smallest_dtype(int(labels.max(initial=0))))


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Write labels of shape (y, x), numbered 1 .. n without gaps, each one piece without holes.

    Raises
    ------
    DataError
        If an object has holes or several pieces (which may touch at corners), or numbers are missing.
    """
    borders = trace_borders(labels)
    if (last := max(borders, default=0)) != len(borders):
        raise DataError(
            f"labels go up to {last}, but there are {len(borders)} objects; outlines are numbered by their line: "
            "number the objects anew (teasel.labels.relabel, or teasel convert --renumber)"
        )
    bad = [label for label, border in borders.items() if border is None]
    if bad:
        raise DataError(
            f"{len(bad)} objects have holes or several pieces, the first is {bad[0]}; outlines of Cellpose have no "
            "place for them: write .zip or .geojson, or mend the labels (teasel.labels.fill_holes, split_disconnected)"
        )
    with path.open("w", encoding="ascii", newline="\n") as file:
        for border in borders.values():
            file.write(",".join(map(str, np.asarray(border)[:, ::-1].ravel().tolist())) + "\n")


def _numbers(line: str, where: str) -> NDArray[np.float64]:
    """Return the corners (y, x) of a line."""
    try:
        values = np.array([float(word) for word in line.split(",")])
        if len(values) % 2 or not np.isfinite(values).all():
            raise ValueError(f"{len(values)} numbers")
    except ValueError as why:
        raise FormatError(f"{where} cannot be read as an outline of Cellpose ({why}); expected x,y,x,y,...") from why
    return values.reshape(-1, 2)[:, ::-1]


def _draw(labels: NDArray[np.uint32], label: int, corners: NDArray[np.float64]) -> None:
    """Set the pixels inside an outline and those on it."""
    low = np.floor(corners.min(0)).astype(int)
    size = np.ceil(corners.max(0)).astype(int) - low + 1
    local = corners - low
    inside = fill_polygons({1: [Polygon(local + 0.5, ())]}, (int(size[0]), int(size[1]))) > 0
    y, x = np.rint(_along(local)).astype(int).T
    inside[y, x] = True
    at = np.argwhere(inside) + low
    at = at[(at >= 0).all(1) & (at < labels.shape).all(1)]
    labels[at[:, 0], at[:, 1]] = label


def _along(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners, and points between them no more than a pixel apart."""
    step = np.roll(corners, -1, axis=0) - corners
    count = np.maximum(np.ceil(np.abs(step).max(1)).astype(int), 1)
    which = np.repeat(np.arange(len(corners)), count)
    part = (np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)) / count[which]
    return corners[which] + part[:, None] * step[which]
