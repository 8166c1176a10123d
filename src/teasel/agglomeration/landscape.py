"""Kernels behind `Height`: openness, capped squared distance, box sums; each line by line, integers only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration._compiled import compiled

__all__ = ["box_sum", "lower", "openness"]


@compiled
def openness(affinities):
    """Mean of the affinities to the face neighbours inside the array, rounded down, (3, z, y, x) to uint8 (z, y, x)."""
    _, Z, Y, X = affinities.shape
    result = np.empty((Z, Y, X), np.uint8)
    total = np.empty(X, np.int32)
    for z in range(Z):
        for y in range(Y):
            count = (z > 0) + (z < Z - 1) + (y > 0) + (y < Y - 1)
            total[:] = 0
            if z < Z - 1:
                for x in range(X):
                    total[x] += affinities[0, z, y, x]
            if z > 0:
                for x in range(X):
                    total[x] += affinities[0, z - 1, y, x]
            if y < Y - 1:
                for x in range(X):
                    total[x] += affinities[1, z, y, x]
            if y > 0:
                for x in range(X):
                    total[x] += affinities[1, z, y - 1, x]
            for x in range(X - 1):
                total[x] += affinities[2, z, y, x]
            for x in range(1, X):
                total[x] += affinities[2, z, y, x - 1]
            # dividing by 6 as (n * 10923) >> 16 is exact for n below 2**15; lines inside have 6 neighbours
            if count == 4:
                for x in range(X):
                    result[z, y, x] = (total[x] * 10923) >> 16
                first, last = 4 + (X > 1), 4 + (X > 1)
                result[z, y, 0] = total[0] // first
                result[z, y, X - 1] = total[X - 1] // last
            else:
                for x in range(X):
                    n = count + (x > 0) + (x < X - 1)
                    result[z, y, x] = total[x] // max(n, 1)
    return result


def lower(squared: NDArray[np.uint16], axis: int, step: int) -> None:
    """Lower each value, in place, to the least of ``value at d voxels along the axis + step * d * d``.

    With values 0 at border voxels and a cap elsewhere, once along each axis, this is the squared Euclidean distance to
    the border, capped.
    """
    cap = int(squared.max(initial=0))
    reach = min(int(np.sqrt(cap / step)), squared.shape[axis] - 1)
    if reach < 1:
        return
    if axis == 2:
        _lower_rows(squared, reach, step)
    else:
        moved = squared if axis == 0 else squared.transpose(1, 0, 2)
        _lower_planes(moved, reach, step)


@compiled
def _lower_rows(squared, reach, step):
    Z, Y, X = squared.shape
    row = np.empty(X, np.uint16)
    for z in range(Z):
        for y in range(Y):
            source = squared[z, y]
            if source.max() == 0:
                continue
            row[:] = source
            for d in range(1, reach + 1):
                more = np.uint16(step * d * d)
                for x in range(X - d):
                    source[x] = min(source[x], np.uint16(row[x + d] + more))
                for x in range(d, X):
                    source[x] = min(source[x], np.uint16(row[x - d] + more))


@compiled
def _lower_planes(squared, reach, step):
    A, B, X = squared.shape
    slab = np.empty((A, X), np.uint16)
    for b in range(B):
        slab[:] = squared[:, b]
        for a in range(A):
            target = squared[a, b]
            for d in range(1, reach + 1):
                more = np.uint16(step * d * d)
                if a + d < A:
                    for x in range(X):
                        target[x] = min(target[x], np.uint16(slab[a + d, x] + more))
                if a - d >= 0:
                    for x in range(X):
                        target[x] = min(target[x], np.uint16(slab[a - d, x] + more))


def box_sum(height: NDArray[np.int32], axis: int, radius: int) -> NDArray[np.int32]:
    """Sum over ``2 radius + 1`` voxels along an axis; beyond the array its last value goes on."""
    return np.asarray(_box_sum(height, axis, radius))


@compiled
def _box_sum(height, axis, radius):
    Z, Y, X = height.shape
    result = np.empty_like(height)
    for z in range(Z):
        for y in range(Y):
            target = result[z, y]
            if axis == 2:
                row = height[z, y]
                for x in range(X):
                    target[x] = row[x]
                for d in range(1, radius + 1):
                    for x in range(d, X - d):
                        target[x] += row[x - d] + row[x + d]
                    for x in range(min(d, X)):
                        target[x] += row[0] + row[min(x + d, X - 1)]
                    for x in range(max(X - d, d), X):
                        target[x] += row[max(x - d, 0)] + row[X - 1]
            else:
                target[:] = 0
                for d in range(-radius, radius + 1):
                    at_z = min(max(z + d, 0), Z - 1) if axis == 0 else z
                    at_y = min(max(y + d, 0), Y - 1) if axis == 1 else y
                    row = height[at_z, at_y]
                    for x in range(X):
                        target[x] += row[x]
    return result


def _openness_reference(affinities: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Neighbour by neighbour: the slow version of `openness`."""
    shape = affinities.shape[1:]
    result = np.zeros(shape, np.uint8)
    for p in np.ndindex(shape):
        found = []
        for axis in range(3):
            if p[axis] + 1 < shape[axis]:
                found.append(int(affinities[(axis, *p)]))
            if p[axis] > 0:
                q = tuple(i - (a == axis) for a, i in enumerate(p))
                found.append(int(affinities[(axis, *q)]))
        result[p] = sum(found) // max(len(found), 1)
    return result


def _squared_reference(border: NDArray[np.bool_], steps: tuple[int, ...], cap: int) -> NDArray[np.uint16]:
    """Distance to every border voxel in turn: the slow version of three times `lower`."""
    result = np.full(border.shape, cap, np.int64)
    grid = np.indices(border.shape)
    for q in np.argwhere(border):
        distance = sum(s * (g - i) ** 2 for s, g, i in zip(steps, grid, q, strict=True))
        result = np.minimum(result, distance)
    return result.astype(np.uint16)


def _box_reference(height: NDArray[np.int32], axis: int, radius: int) -> NDArray[np.int32]:
    """Indices clipped to the array: the slow version of `box_sum`."""
    n = height.shape[axis]
    steps = range(-radius, radius + 1)
    return sum(np.take(height, np.clip(np.arange(n) + d, 0, n - 1), axis) for d in steps).astype(np.int32)  # type: ignore[union-attr]
