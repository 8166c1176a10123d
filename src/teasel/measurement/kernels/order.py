"""Voxels in the order of their values, object by object, and the quantiles read off it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["order_within", "quantile", "rank_of_deviation"]

_SIGN = np.uint64(1) << np.uint64(31)


def order_within(owner: NDArray[np.int32], values: NDArray) -> NDArray[np.int64]:
    """Order voxels by object, then by value.

    Parameters
    ----------
    owner : ndarray of int32, shape (n,)
        Which object each belongs to, from 0.
    values : ndarray, shape (n,)
        Any integers or floats but NaN.

    Returns
    -------
    ndarray of int64, shape (n,)
        Positions; among equal values in any order.

    Notes
    -----
    Object and value fit into one number of 64 bits unless values have more than 32, which makes one fast sort of it.

    Examples
    --------
    >>> order_within(np.array([0, 0, 1, 1], np.int32), np.array([2, 1, 4, 3])).tolist()
    [1, 0, 3, 2]
    """
    if values.dtype.itemsize > 4:
        return np.lexsort((values, owner))
    if values.dtype.kind == "f":
        bits = (values.astype(np.float32) + np.float32(0)).view(np.uint32).astype(np.uint64)  # -0 becomes 0
        low = np.where(bits >= _SIGN, (np.uint64(2) * _SIGN - np.uint64(1)) - bits, bits + _SIGN)
    else:
        low = (values.astype(np.int64) + np.int64(2**31 if values.dtype.kind == "i" else 0)).astype(np.uint64)
    return np.argsort((owner.astype(np.uint64) << np.uint64(32)) | low)


def quantile(
    ordered: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64], fraction: float
) -> NDArray[np.float64]:
    """Read a quantile of each object off its ordered values, between two values where it falls between two.

    Parameters
    ----------
    ordered : ndarray of float64, shape (n,)
        Ascending within each object, object after object.
    starts, counts : ndarray of int64, shape (objects,)
        Where each object's values begin, and how many there are.
    fraction : float
        In [0, 1].

    Notes
    -----
    As CellProfiler has it: the value at position ``n * fraction`` (not ``(n - 1) * fraction``), counted from 0; the
    last value where that lies beyond it.

    Examples
    --------
    >>> quantile(np.array([1.0, 2, 3, 4]), np.array([0]), np.array([4]), 0.5)
    array([3.])
    """
    position = counts * fraction
    below = np.minimum(position.astype(np.int64), counts - 1)
    part = np.where(below < counts - 1, position - below, 0.0)
    above = np.minimum(below + 1, counts - 1)
    return ordered[starts + below] * (1 - part) + ordered[starts + above] * part


def rank_of_deviation(
    ordered: NDArray[np.float64],
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    middle: NDArray[np.float64],
    rank: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the deviation from `middle` that has `rank` smaller ones, for each object.

    Parameters
    ----------
    ordered, starts, counts
        As for `quantile`.
    middle : ndarray of float64, shape (objects,)
        What to measure deviations from.
    rank : ndarray of int64, shape (objects,)
        From 0 to ``counts - 1``.

    Notes
    -----
    The `rank + 1` values nearest to the middle are neighbours in the ordered list; where they begin is found by
    halving.

    Examples
    --------
    >>> rank_of_deviation(np.array([1.0, 5, 6, 9]), np.array([0]), np.array([4]), np.array([6.0]), np.array([2]))
    array([3.])
    """
    low, high = np.zeros_like(counts), counts - 1 - rank
    while np.any(low < high):
        half = (low + high) // 2
        beyond = np.minimum(half + rank + 1, counts - 1)
        right = middle - ordered[starts + half] > ordered[starts + beyond] - middle
        right &= low < high
        low, high = np.where(right, half + 1, low), np.where(right, high, np.minimum(half, high))
    ends = np.abs(ordered[starts + low] - middle), np.abs(ordered[starts + low + rank] - middle)
    return np.maximum(*ends)
