"""Heat spreading from the middle of each object: the potential whose gradient every pixel can follow home."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.representations.kernels import compiled

__all__ = ["diffuse", "middles"]


def middles(labels: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Find, for each object, its pixel nearest the median of its coordinates.

    Parameters
    ----------
    labels : ndarray of int, shape ([z,] y, x)
        0 or below is background.

    Returns
    -------
    pixels : ndarray of intp, shape (p,)
        Flat indices of all object pixels, sorted by object.
    starts : ndarray of intp, shape (n + 1,)
        Object ``k`` owns ``pixels[starts[k]:starts[k + 1]]``.
    middle : ndarray of intp, shape (n,)
        Flat index of each object's middle pixel.
    """
    flat = labels.ravel()
    pixels = np.flatnonzero(flat > 0)
    order = np.argsort(flat[pixels], kind="stable")
    pixels = pixels[order]
    values = flat[pixels]
    first = np.flatnonzero(np.diff(values, prepend=0)) if len(values) else np.zeros(0, np.intp)
    starts = np.append(first, len(pixels)).astype(np.intp)
    coordinates = np.stack(np.unravel_index(pixels, labels.shape), 1) if len(pixels) else np.zeros((0, labels.ndim))
    middle = np.zeros(len(first), np.intp)
    for k in range(len(first)):
        own = coordinates[starts[k] : starts[k + 1]]
        offset = own - np.median(own, axis=0)
        middle[k] = pixels[starts[k] + int(np.argmin((offset * offset).sum(1)))]
    return pixels, starts, middle


def diffuse(labels: NDArray[np.integer]) -> NDArray[np.float32]:
    """Let heat spread from each object's middle, inside that object only.

    Parameters
    ----------
    labels : ndarray of int, shape ([z,] y, x)
        0 or below is background.

    Returns
    -------
    ndarray of float32, shape ([z,] y, x)
        ``log(1 + heat)``; 0 outside objects. It falls along every path from an object's middle to its far ends.

    References
    ----------
    Stringer et al. 2021, doi:10.1038/s41592-020-01018-x
    """
    padded = np.pad(np.maximum(labels, 0), 1).astype(np.int32)
    pixels, starts, middle = middles(padded)
    steps = np.array([s // padded.itemsize for s in padded.strides], np.intp)
    heat = np.zeros(padded.size, np.float64)
    if len(middle):
        coordinates = np.unravel_index(pixels, padded.shape)
        extents = sum(
            np.maximum.reduceat(c, starts[:-1]) - np.minimum.reduceat(c, starts[:-1]) + 1 for c in coordinates
        )
        _spread(padded.ravel(), pixels, starts, middle, steps, 2 * np.asarray(extents, np.intp), heat)
    inner = tuple(slice(1, -1) for _ in range(labels.ndim))
    return np.log1p(heat.reshape(padded.shape)[inner]).astype(np.float32)


@compiled
def _spread(labels, pixels, starts, middle, steps, counts, heat):
    """Each step, the middles gain one unit and every pixel takes the mean over itself and its own face neighbours."""
    fresh = np.zeros(len(pixels))
    for k in range(len(middle)):
        first, last = starts[k], starts[k + 1]
        for _ in range(counts[k]):
            heat[middle[k]] += 1.0
            for i in range(first, last):
                p = pixels[i]
                total = heat[p]
                for step in steps:
                    for q in (p - step, p + step):
                        if labels[q] == labels[p]:
                            total += heat[q]
                fresh[i] = total / (2 * len(steps) + 1)
            for i in range(first, last):
                heat[pixels[i]] = fresh[i]


def _diffuse_reference(labels: NDArray[np.integer]) -> NDArray[np.float32]:
    """Spread heat object by object with whole-array shifts: the slow, obvious version of `diffuse`."""
    padded = np.pad(np.maximum(labels, 0), 1)
    result = np.zeros(padded.shape)
    _, _, middle = middles(padded)
    for start in middle:
        own = padded == padded.flat[start]
        box = np.argwhere(own)
        heat = np.zeros(padded.shape)
        for _ in range(2 * int((box.max(0) - box.min(0) + 1).sum())):
            heat.flat[start] += 1
            total = heat.copy()
            for axis in range(padded.ndim):
                total += np.roll(heat, 1, axis) + np.roll(heat, -1, axis)
            heat = np.where(own, total / (2 * padded.ndim + 1), 0)
        result += heat
    return np.log1p(result[tuple(slice(1, -1) for _ in range(padded.ndim))]).astype(np.float32)
