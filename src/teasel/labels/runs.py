"""Runs of equal pixels and ranks of labels: what keeps work on label images far from one step per pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_runs", "rank_labels"]

_LARGEST_TABLE = 2**24


def find_runs(*arrays: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return start and length of each stretch of the flattened arrays over which all of them are constant.

    Examples
    --------
    >>> find_runs(np.array([7, 7, 0, 0, 7]))
    (array([0, 2, 4]), array([2, 2, 1]))
    """
    flat = [array.ravel() for array in arrays]
    size = flat[0].size
    if not size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    changes = flat[0][1:] != flat[0][:-1]
    for array in flat[1:]:
        changes |= array[1:] != array[:-1]
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    return starts, np.diff(starts, append=size)


def rank_labels(values: NDArray[np.integer]) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the distinct values, ascending, and the position of each value among them.

    Like ``numpy.unique(values, return_inverse=True)``, by a table instead of sorting where the values are
    small.

    Examples
    --------
    >>> rank_labels(np.array([7, 3, 7]))
    (array([3, 7]), array([1, 0, 1]))
    """
    if not values.size or values.min() < 0 or values.max() >= min(_LARGEST_TABLE, 64 * values.size + 1024):
        return np.unique(values, return_inverse=True)
    present = np.zeros(int(values.max()) + 1, bool)
    present[values] = True
    return np.flatnonzero(present).astype(values.dtype), (np.cumsum(present) - 1)[values]
