"""Distances inside objects, for all objects of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["geodesic_distance", "squared_depth"]


def squared_depth(mask: NDArray[np.bool_], edges: Sequence[float]) -> NDArray:
    """Return the squared Euclidean distance of each voxel to the nearest one outside its object, exactly.

    Parameters
    ----------
    mask : ndarray of bool, shape ([z,] y, x, object)
        Objects with a margin of at least one voxel.
    edges : sequence of float
        Edges of a voxel, one per spatial axis.

    Returns
    -------
    ndarray of int64 or float64, same shape
        0 outside; whole numbers where the edges are.

    Notes
    -----
    Axis by axis: steps to the outside along the first, then the least of all parabolas along each further one, as far
    as the largest distance found reaches.

    References
    ----------
    Felzenszwalb & Huttenlocher, Distance Transforms of Sampled Functions (2012), doi:10.4086/toc.2012.v008a019.

    Examples
    --------
    >>> square = np.pad(np.ones((3, 3, 1), bool), [(1, 1), (1, 1), (0, 0)])
    >>> squared_depth(square, (1, 1))[2, :, 0].tolist()
    [0, 1, 4, 1, 0]
    """
    whole = all(float(edge).is_integer() for edge in edges)
    steps = mask.astype(np.int64 if whole else np.float64)
    for i in range(1, len(steps)):
        steps[i] += steps[i - 1] * mask[i]
    for i in range(len(steps) - 2, -1, -1):
        np.minimum(steps[i], steps[i + 1] + 1, out=steps[i])
    square = (steps * _plain(edges[0], whole)) ** 2
    for axis in range(1, mask.ndim - 1):
        square = _lower(square, axis, _plain(edges[axis], whole))
    return square


def geodesic_distance(mask: NDArray[np.bool_], seeds: NDArray[np.bool_], edges: Sequence[float]) -> NDArray[np.float64]:
    """Return the length of the shortest way from the seeds to each voxel that stays in the object.

    Parameters
    ----------
    mask, seeds : ndarray of bool, shape ([z,] y, x, object)
        Objects, with a margin, and where the ways begin.
    edges : sequence of float
        Edges of a voxel, one per spatial axis.

    Returns
    -------
    ndarray of float64, same shape
        Infinite outside, and where no way leads.

    Notes
    -----
    Steps go to any of the 8 (26) neighbours and are as long as they are: a diagonal one in the plane the square root of
    2. Sweeps along every axis, both ways, until nothing changes.

    Examples
    --------
    >>> bar = np.pad(np.ones((1, 3, 1), bool), [(1, 1), (1, 1), (0, 0)])
    >>> seed = np.zeros_like(bar); seed[1, 1] = True
    >>> geodesic_distance(bar, seed, (1, 1))[1, 1:4, 0].tolist()
    [0.0, 1.0, 2.0]
    """
    distance = np.where(seeds & mask, 0.0, np.inf)
    while True:
        before = distance.copy()
        for axis in range(mask.ndim - 1):
            layers, inside = np.moveaxis(distance, axis, 0), np.moveaxis(mask, axis, 0)
            others = [edge for i, edge in enumerate(edges) if i != axis]
            for order in (range(1, len(layers)), range(len(layers) - 2, -1, -1)):
                for i in order:
                    near = _reach(layers[i - (1 if order.step > 0 else -1)], edges[axis], others)
                    np.minimum(layers[i], near, out=layers[i], where=inside[i])
        if np.array_equal(before, distance):
            return distance


def _plain(edge: float, whole: bool) -> int | float:
    return int(edge) if whole else float(edge)


def _lower(square: NDArray, axis: int, edge: float) -> NDArray:
    """Take the least, along an axis, of the parabolas that stand on every value."""
    least = square.copy()
    for k in range(1, square.shape[axis]):
        rise = (k * edge) ** 2
        if rise >= least.max(initial=0):
            break
        near = [slice(None)] * square.ndim
        far = [slice(None)] * square.ndim
        near[axis], far[axis] = slice(k, None), slice(None, -k)
        np.minimum(least[tuple(near)], square[tuple(far)] + rise, out=least[tuple(near)])
        np.minimum(least[tuple(far)], square[tuple(near)] + rise, out=least[tuple(far)])
    return least


def _reach(layer: NDArray[np.float64], along: float, others: Sequence[float]) -> NDArray[np.float64]:
    """Return the distances that the next layer can have by a step from this one."""
    best = layer + along
    for shift in product((-1, 0, 1), repeat=len(others)):
        if any(shift):
            step = float(np.sqrt(along**2 + sum((s * e) ** 2 for s, e in zip(shift, others, strict=True))))
            to = tuple(slice(max(s, 0), min(s, 0) or None) for s in shift)
            source = tuple(slice(max(-s, 0), min(-s, 0) or None) for s in shift)
            np.minimum(best[to], layer[source] + step, out=best[to])
    return best
