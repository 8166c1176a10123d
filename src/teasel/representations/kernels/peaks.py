"""Peaks of a height map that stand out from their surroundings by a given depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.representations.kernels import compiled
from teasel.representations.kernels.neighbours import full_steps, inside

__all__ = ["find_peaks"]


def find_peaks(height: NDArray[np.uint8], threshold: int, depth: int) -> NDArray[np.intp]:
    """Find one pixel on top of every peak that is high and deep enough.

    Pixels are added from high to low to growing islands; where two islands meet, the one with the lower top
    is drowned if its top is less than `depth` above the meeting point. Of equal tops the first in scan order
    stays.

    Parameters
    ----------
    height : ndarray of uint8, shape ([z,] y, x)
        Height in 256 levels.
    threshold : int
        Lowest level of a peak, 1 .. 255.
    depth : int
        Levels one has to descend from a peak, at least 1, before a higher one can be reached.

    Returns
    -------
    ndarray of intp, shape (n,)
        Flat indices of the peaks, ascending.

    References
    ----------
    Soille 2004, Morphological Image Analysis, section 6.3 (extended maxima), doi:10.1007/978-3-662-05088-0
    """
    padded = np.pad(height, 1)
    tops = _islands(padded.ravel(), full_steps(padded.shape), threshold, depth)
    marks = np.zeros(padded.size, bool)
    marks[tops] = True
    return np.flatnonzero(marks.reshape(padded.shape)[inside(height.ndim)])


@compiled
def _islands(height, steps, threshold, depth):
    """Flat indices of surviving tops; `height` has a margin of zeros."""
    begin = np.zeros(257, np.int64)
    for level in height:
        if level >= threshold:
            begin[256 - level] += 1
    begin = np.cumsum(begin)
    order = np.empty(begin[256], np.int64)
    for p in range(height.size):
        if height[p] >= threshold:
            order[begin[255 - height[p]]] = p
            begin[255 - height[p]] += 1
    parent = np.full(height.size, -1, np.int32)  # an island's root is its top
    drowned = np.zeros(height.size, np.bool_)
    for p in order:
        root = -1
        for step in steps:
            other = p + step
            if parent[other] < 0:
                continue
            while parent[other] != other:
                parent[other] = parent[parent[other]]
                other = parent[other]
            if root < 0:
                root = other
                parent[p] = root
            elif other != root:
                low, high = root, other
                if height[root] > height[other] or (height[root] == height[other] and root < other):
                    low, high = other, root
                if int(height[low]) - int(height[p]) < depth:
                    parent[low] = high
                    drowned[low] = True
                    root = high
        if root < 0:
            parent[p] = p
    tops = [np.int64(0) for _ in range(0)]
    for p in order:
        if parent[p] == p and not drowned[p]:
            tops.append(p)
    return np.array(tops, dtype=np.int64)


def _peaks_reference(height: NDArray[np.uint8], threshold: int, depth: int) -> NDArray[np.intp]:
    """Look around every plateau by itself: the slow, obvious version of `find_peaks`."""
    from scipy import ndimage

    everywhere = np.ones((3,) * height.ndim, bool)
    flat = height.ravel().astype(int)
    tops = []
    for p in np.flatnonzero(flat >= threshold):
        ground = max(int(flat[p]) - depth, threshold - 1)
        islands, _ = ndimage.label(height.astype(int) > ground, everywhere)
        mates = np.flatnonzero(islands.ravel() == islands.ravel()[p])
        if all(flat[p] > flat[q] or (flat[p] == flat[q] and p <= q) for q in mates):
            tops.append(p)
    return np.array(tops, np.intp)
