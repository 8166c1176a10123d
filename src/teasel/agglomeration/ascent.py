"""Steepest ascent: each voxel points to its highest neighbour, and all that end on one peak are one supervoxel."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration._compiled import compiled

__all__ = ["PEAK", "climb", "gather"]

PEAK = 13
"""The direction of a voxel that is higher than its neighbours: to itself."""

STEPS = np.array(list(product((-1, 0, 1), repeat=3)), np.int64)
"""The 27 directions (z, y, x), by number."""


@compiled
def climb(height):
    """Find for each voxel which of its 27 neighbours (itself included) is highest; ties go to the last in scan order.

    int32 (z, y, x), 0 <= height < 2**26, to uint8 directions. The order (height, z, y, x) is total, so directions
    never lead in a circle; and it is the same order in any piece of the volume. Neighbour by neighbour along one axis
    at a time: the low five bits carry the direction, which at equal height is larger for later voxels.
    """
    Z, Y, X = height.shape
    result = np.empty((Z, Y, X), np.uint8)
    planes = np.empty((3, Y, X), np.int32)  # of z - 1, z, z + 1: best along y and x
    rows = np.empty((Y, X), np.int32)
    best = np.empty(X, np.int32)
    for z in range(-1, Z):
        ahead = z + 1
        if ahead < Z:
            for y in range(Y):
                source = height[ahead, y]
                target = rows[y]
                for x in range(X):
                    target[x] = (source[x] << 5) + 1
                for x in range(1, X):
                    target[x] = max(target[x], source[x - 1] << 5)
                for x in range(X - 1):
                    target[x] = max(target[x], (source[x + 1] << 5) + 2)
            plane = planes[ahead % 3]
            for y in range(Y):
                target = plane[y]
                for x in range(X):
                    target[x] = rows[y, x] + 3
                if y > 0:
                    for x in range(X):
                        target[x] = max(target[x], rows[y - 1, x])
                if y < Y - 1:
                    for x in range(X):
                        target[x] = max(target[x], rows[y + 1, x] + 6)
        if z < 0:
            continue
        for y in range(Y):
            middle = planes[z % 3, y]
            for x in range(X):
                best[x] = middle[x] + 9
            if z > 0:
                before = planes[(z - 1) % 3, y]
                for x in range(X):
                    best[x] = max(best[x], before[x])
            if z < Z - 1:
                after = planes[(z + 1) % 3, y]
                for x in range(X):
                    best[x] = max(best[x], after[x] + 18)
            for x in range(X):
                result[z, y, x] = best[x] & 31
    return result


def gather(directions: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Follow the directions of a piece as far as they stay inside it.

    Parameters
    ----------
    directions : ndarray of uint8, shape (z, y, x)
        From `climb`.

    Returns
    -------
    tuple of ndarray
        Numbers int32 (z, y, x), 1 .. n by the voxel at which the way ends. And those voxels, int64 (n, 3), relative to
        the piece: peaks, or the first voxel beyond the piece (-1 or the piece's length along some axis).
    """
    ends = np.zeros(tuple(n + 2 for n in directions.shape), np.int32)
    voxels = np.empty((_follow(directions, ends), 3), np.int64)
    _locate(ends, directions, voxels)
    return np.ascontiguousarray(ends[1:-1, 1:-1, 1:-1]), voxels


@compiled
def _follow(directions, ends):
    """Number the ends of all ways in `ends`, one voxel larger on each side; return how many there are."""
    Z, Y, X = directions.shape
    sy, sz = X + 2, (X + 2) * (Y + 2)
    flat = ends.ravel()
    trail = np.empty(4096, np.int64)
    count = 0
    for z in range(Z):
        for y in range(Y):
            for x in range(X):
                at = (z + 1) * sz + (y + 1) * sy + x + 1
                length = 0
                cz, cy, cx = z, y, x
                while flat[at] == 0:
                    outside = cz < 0 or cz == Z or cy < 0 or cy == Y or cx < 0 or cx == X
                    code = 13 if outside else np.int64(directions[cz, cy, cx])
                    if code == 13:
                        count += 1
                        flat[at] = count
                        break
                    if length == len(trail):
                        trail = np.concatenate((trail, np.empty(length, np.int64)))
                    trail[length] = at
                    length += 1
                    dz, dy, dx = code // 9 - 1, code // 3 % 3 - 1, code % 3 - 1
                    cz, cy, cx = cz + dz, cy + dy, cx + dx  # type: ignore[assignment]
                    at += dz * sz + dy * sy + dx
                number = flat[at]
                for i in range(length):
                    flat[trail[i]] = number
    return count


@compiled
def _locate(ends, directions, voxels):
    """Write where each way ends: peaks inside, numbered voxels of the rim."""
    Z, Y, X = directions.shape
    for z in range(Z + 2):
        for y in range(Y + 2):
            rim = z == 0 or z == Z + 1 or y == 0 or y == Y + 1
            for x in range(X + 2):
                number = ends[z, y, x]
                if number > 0 and (rim or x == 0 or x == X + 1 or directions[z - 1, y - 1, x - 1] == 13):
                    voxels[number - 1, 0] = z - 1
                    voxels[number - 1, 1] = y - 1
                    voxels[number - 1, 2] = x - 1


def _climb_reference(height: NDArray[np.int32]) -> NDArray[np.uint8]:
    """All neighbours of each voxel, sorted: the slow version of `climb`."""
    result = np.empty(height.shape, np.uint8)
    for p in np.ndindex(height.shape):
        found = []
        for code, step in enumerate(STEPS):
            q = tuple(int(i + s) for i, s in zip(p, step, strict=True))
            if all(0 <= i < n for i, n in zip(q, height.shape, strict=True)):
                found.append((int(height[q]), q, code))
        result[p] = max(found)[2]
    return result


def _gather_reference(directions: NDArray[np.uint8]) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Walk from every voxel to the end of its way: the slow version of `gather`."""
    result = {}
    for p in np.ndindex(directions.shape):
        at = p
        while all(0 <= i < n for i, n in zip(at, directions.shape, strict=True)) and directions[at] != PEAK:
            at = tuple(int(i + s) for i, s in zip(at, STEPS[directions[at]], strict=True))
        result[p] = at
    return result
