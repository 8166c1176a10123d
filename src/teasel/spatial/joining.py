"""Pixels of equal value that touch become one group, for all values at once."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["join_pixels"]


def join_pixels(word: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Number the groups of touching pixels (corners included) that hold the same word.

    Parameters
    ----------
    word : ndarray of int, shape ([z,] y, x)
        -1 where there is none.

    Returns
    -------
    groups : ndarray of int64
        Of the same shape; 0 where there is no word, groups from 1 in the order of their first pixel.
    n : int
        How many groups there are.

    Examples
    --------
    >>> join_pixels(np.array([[7, -1, 3], [-1, 7, 3], [3, -1, -1]]))[0]
    array([[1, 0, 2],
           [0, 1, 2],
           [3, 0, 0]])
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    number = np.zeros(word.shape, np.int64)
    there = word >= 0
    count = int(there.sum())
    number[there] = np.arange(1, count + 1)
    if not count:
        return number, 0
    starts, ends = [], []
    for step in product((-1, 0, 1), repeat=word.ndim):
        if step > (0,) * word.ndim:
            one, other = _facing(step, word.shape)
            same = (word[one] == word[other]) & there[one]
            starts.append(number[one][same] - 1)
            ends.append(number[other][same] - 1)
    start, end = np.concatenate(starts), np.concatenate(ends)
    graph = coo_matrix((np.ones(len(start), bool), (start, end)), shape=(count, count))
    n, part = connected_components(graph, directed=False)
    first = np.full(n, count, np.int64)
    np.minimum.at(first, part, np.arange(count))
    rank = np.empty(n, np.int64)
    rank[np.argsort(first)] = np.arange(1, n + 1)
    number[there] = rank[part]
    return number, int(n)


def _facing(step: tuple[int, ...], shape: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the pixels that have a neighbour at a step, and those neighbours."""
    one = tuple(slice(max(0, -k), n - max(0, k)) for k, n in zip(step, shape, strict=True))
    other = tuple(slice(max(0, k), n - max(0, -k)) for k, n in zip(step, shape, strict=True))
    return one, other
