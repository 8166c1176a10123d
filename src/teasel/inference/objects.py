"""What is known of each object without looking at the image: place, size, score, whether the border cuts it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ObjectTable", "tabulate"]


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
    for axis in range(labels.ndim - 2, labels.ndim):
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
