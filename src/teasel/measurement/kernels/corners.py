"""What stands around each corner between voxels: enough to tell holes, tunnels and surfaces."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["corner_patterns", "euler_numbers", "surface_areas"]


def corner_patterns(objects: Objects) -> NDArray[np.int64]:
    """Count, for each object, how often each pattern of its voxels stands around a corner.

    Returns
    -------
    ndarray of int64, shape (n, 16) for planes, (n, 256) for volumes
        Bit ``k`` of a pattern is the ``k``-th of the 4 (8) voxels around a corner, in the order of the image. Corners
        within objects, where all bits are set, are not counted.
    """
    ndim = objects.scene.ndim
    shifts = [shift for shift in product((-1, 0, 1), repeat=ndim) if any(shift)]
    same = {shift: objects.beside(shift) == objects.own for shift in shifts}
    rim = np.flatnonzero(~np.logical_and.reduce(list(same.values())))
    same = {shift: mask[rim] for shift, mask in same.items()}
    owner = objects.owner[rim].astype(np.int64)
    places = list(product((0, 1), repeat=ndim))
    n_patterns = 1 << len(places)
    counts = np.zeros(len(objects) * n_patterns, np.int64)
    for own_bit, place in enumerate(places):
        pattern = np.full(len(rim), 1 << own_bit, np.int64)
        for bit, other in enumerate(places):
            if bit != own_bit:
                pattern |= same[tuple(b - a for a, b in zip(place, other, strict=True))].astype(np.int64) << bit
        first = pattern & ((1 << own_bit) - 1) == 0  # each corner once: at the first of its voxels
        counts += np.bincount((owner * n_patterns + pattern)[first], minlength=len(counts))
    return counts.reshape(-1, n_patterns)


def euler_numbers(patterns: NDArray[np.int64], ndim: int) -> NDArray[np.float64]:
    """Return pieces minus holes, in volumes minus tunnels plus cavities; voxels that meet at a corner are connected."""
    return (patterns * _euler_weights(ndim)).sum(1) / 2**ndim


def surface_areas(patterns: NDArray[np.int64], edges: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the area of the surface that marching cubes lay halfway between voxels in and out of each object.

    References
    ----------
    Lewiner et al., Efficient implementation of Marching Cubes' cases (2003), doi:10.1080/10867651.2003.10487582.
    """
    return (patterns * _surface_weights(edges)).sum(1)


@lru_cache
def _euler_weights(ndim: int) -> NDArray[np.int64]:
    """Return what each pattern adds to 2**ndim times the Euler number: its part of corners - edges + faces - voxels."""
    places = list(product((0, 1), repeat=ndim))
    weights = np.zeros(1 << len(places), np.int64)
    for pattern in range(1, len(weights)):
        filled = {place for bit, place in enumerate(places) if pattern >> bit & 1}
        for cell in product((None, 0, 1), repeat=ndim):  # None: the cell is the corner itself along that axis
            size = sum(side is not None for side in cell)
            if any(all(s is None or s == p for s, p in zip(cell, place, strict=True)) for place in filled):
                weights[pattern] += (-1) ** size * 2 ** (ndim - size)
    return weights


@lru_cache(maxsize=16)
def _surface_weights(edges: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the area of the surface within the cube between 8 voxel centres, for each pattern."""
    from skimage.measure import marching_cubes

    areas = np.zeros(256)
    for pattern in range(1, 255):
        bits = np.array([pattern >> bit & 1 for bit in range(8)], np.float32).reshape(2, 2, 2)
        corners, faces, _, _ = marching_cubes(bits, 0.5)
        triangles = (corners.astype(np.float64) * edges)[faces]  # (n, 3, 3)
        normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        areas[pattern] = np.sqrt((normals**2).sum(1)).sum() / 2
    return areas
