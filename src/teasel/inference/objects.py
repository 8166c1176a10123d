"""What is known of each object without looking at the image: place, size, score, whether the border cuts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["ObjectTable", "Series", "tabulate"]


@dataclass(frozen=True)
class ObjectTable:
    """One row per object; columns are arrays of equal length.

    Parameters
    ----------
    columns : dict of str to ndarray
        ``label``, ``centroid_<axis>_px`` per spatial axis (pixel centres at whole numbers), ``area_px`` (voxels in
        3D), ``score`` in [0, 1], ``touches_border``; ``t`` first in time series.

    Examples
    --------
    >>> table = tabulate(np.array([[0, 1], [0, 1]], np.uint32), np.array([0.9], np.float32))
    >>> table["area_px"].tolist(), len(table)
    ([2], 1)
    """

    columns: dict[str, NDArray[np.generic]]

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["label"])

    def keys(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.columns)


def tabulate(labels: NDArray[np.uint32], scores: NDArray[np.float32], frame: int | None = None) -> ObjectTable:
    """Make the table of the objects of one plane or volume.

    Parameters
    ----------
    labels : ndarray of uint32, shape ([z,] y, x)
        Objects; in a frame of a series they need not start at 1.
    scores : ndarray of float32, shape (n,)
        One per object, in the order of their labels.
    frame : int, optional
        Index of the frame, written into the column ``t``.

    Returns
    -------
    ObjectTable
        Rows in the order of the labels.
    """
    n = len(scores)
    first = int(labels[labels > 0].min()) if n else 1
    area = np.zeros(n, np.int64)
    sums = np.zeros((labels.ndim, n))
    border = np.zeros(n, bool)
    stripe = max(1, (1 << 22) // max(1, int(np.prod(labels.shape[1:]))))
    for start in range(0, labels.shape[0], stripe):
        part = labels[start : start + stripe]
        where = np.nonzero(part)
        row = part[where].astype(np.int64) - first
        area += np.bincount(row, minlength=n)
        for axis, w in enumerate(where):
            sums[axis] += np.bincount(row, w + (start if axis == 0 else 0), n)
    for axis in range(labels.ndim):
        for face in (np.take(labels, 0, axis), np.take(labels, -1, axis)):
            border[face[face > 0].astype(np.int64) - first] = True
    columns: dict[str, NDArray[np.generic]] = {}
    if frame is not None:
        columns["t"] = np.full(n, frame)
    columns["label"] = np.arange(first, first + n)
    for axis, letter in enumerate("zyx"[3 - labels.ndim :]):
        columns[f"centroid_{letter}_px"] = sums[axis] / np.maximum(area, 1)
    columns |= {"area_px": area, "score": np.asarray(scores, np.float32), "touches_border": border}
    return ObjectTable(columns)


@dataclass
class Series:
    """Labels and tables of the planes of a series, put together with numbers that occur once.

    Parameters
    ----------
    in_time : bool
        Whether the planes are frames: then they are stacked, and the table begins with a column ``t``.
    """

    in_time: bool
    frames: list[NDArray[np.uint32]] = field(default_factory=list)
    tables: list[ObjectTable] = field(default_factory=list)
    count: int = 0

    def add(self, labels: NDArray[np.uint32], table: ObjectTable, shifts: Mapping[str, int] | None = None) -> None:
        """Add the next plane, its objects numbered 1 .. n; `shifts` are added to columns of other objects' labels."""
        columns: dict[str, NDArray[np.generic]] = {"t": np.full(len(table), len(self.frames))} if self.in_time else {}
        columns |= table.columns
        for name, shift in {"label": self.count, **(shifts or {})}.items():
            values = np.asarray(columns[name], np.int64)
            columns[name] = np.where(values > 0, values + shift, 0)
        self.frames.append(np.where(labels > 0, labels + np.uint32(self.count), 0) if self.count else labels)
        self.tables.append(ObjectTable(columns))
        self.count += len(table)

    def labels(self) -> NDArray[np.uint32]:
        """Return the labels, shape ([t,] [z,] y, x)."""
        return np.stack(self.frames) if self.in_time else self.frames[0]

    def table(self) -> ObjectTable:
        """Return one table of all objects."""
        return ObjectTable({k: np.concatenate([t[k] for t in self.tables]) for k in self.tables[0].columns})
