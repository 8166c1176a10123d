"""Kernels behind `region_graph`: every pair of voxels a step apart, added up by the pair of supervoxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration._compiled import compiled

__all__ = ["collect_contacts", "count_voxels"]


def collect_contacts(
    numbers: NDArray[np.int32],
    affinities: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    core: NDArray[np.int64],
    bins: int,
    n: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Add up affinities between different supervoxels.

    Parameters
    ----------
    numbers : ndarray of int32, shape (z, y, x)
        0 none.
    affinities : ndarray of uint8, shape (c, z, y, x)
    offsets : ndarray of int64, shape (c, 3)
    core : ndarray of int64, shape (3, 2)
        Where the first voxel of a pair lies.
    bins : int
        Bins of the histogram; 0 for none.
    n : int
        Every number is below it.

    Returns
    -------
    tuple of ndarray of int64
        Keys, shape (m,): smaller number * n + larger number. And sums,
        shape (m, 4 + bins): count, total, far count, far total, histogram.
    """
    keys, sums = _collect(numbers, affinities, offsets, core, bins, n)
    return np.asarray(keys), np.asarray(sums)


@compiled
def _place(table, key):
    """Find the slot of a key in a table of open addresses."""
    mask = len(table) - 1
    at = np.int64((np.uint64(key) * np.uint64(11400714819323198485)) >> np.uint64(20)) & mask
    while table[at, 0] != -1 and table[at, 0] != key:
        at = (at + 1) & mask
    return at


@compiled
def _collect(numbers, affinities, offsets, core, bins, n):
    Z, Y, X = numbers.shape
    table = np.full((1024, 2), -1, np.int64)  # key, row of sums
    keys = np.empty(512, np.int64)
    sums = np.zeros((512, 4 + bins), np.int64)
    count = 0
    for c in range(len(offsets)):
        dz, dy, dx = offsets[c]
        far = 0 if abs(dz) + abs(dy) + abs(dx) == 1 else 2
        last_key, row = np.int64(-1), np.int64(0)
        for z in range(max(core[0, 0], -dz), min(core[0, 1], Z - dz)):
            for y in range(max(core[1, 0], -dy), min(core[1, 1], Y - dy)):
                here, there = numbers[z, y], numbers[z + dz, y + dy]
                for x in range(max(core[2, 0], -dx), min(core[2, 1], X - dx)):
                    a, b = here[x], there[x + dx]
                    if a == b or a == 0 or b == 0:
                        continue
                    key = np.int64(min(a, b)) * n + max(a, b)
                    if key != last_key:
                        at = _place(table, key)
                        if table[at, 0] == -1:
                            if count == len(keys):
                                keys = np.concatenate((keys, np.empty(count, np.int64)))
                                sums = np.concatenate((sums, np.zeros((count, 4 + bins), np.int64)))
                            table[at, 0], table[at, 1] = key, count
                            keys[count] = key
                            count += 1
                            if 2 * count > len(table):
                                size = 1
                                while size < 4 * count:
                                    size *= 2
                                table = np.full((size, 2), -1, np.int64)
                                for i in range(count):
                                    slot = _place(table, keys[i])
                                    table[slot, 0], table[slot, 1] = keys[i], i
                                at = _place(table, key)
                        last_key, row = key, table[at, 1]
                    value = affinities[c, z, y, x]
                    sums[row, far] += 1
                    sums[row, far + 1] += value
                    if bins and far == 0:
                        sums[row, 4 + (value >> 4)] += 1
    return keys[:count], sums[:count]


@compiled
def count_voxels(numbers, core, n):
    """Count the voxels of each number in the core, int64 (n,)."""
    sizes = np.zeros(n, np.int64)
    for z in range(core[0, 0], core[0, 1]):
        for y in range(core[1, 0], core[1, 1]):
            row = numbers[z, y]
            for x in range(core[2, 0], core[2, 1]):
                sizes[row[x]] += 1
    return sizes


def _collect_reference(
    numbers: NDArray[np.int32],
    affinities: NDArray[np.uint8],
    offsets: Sequence[Sequence[int]],
    core: Sequence[Sequence[int]],
) -> dict[tuple[int, int], list[int]]:
    """Pair by pair into a dictionary of (count, total, far count, far total): the slow version."""
    found: dict[tuple[int, int], list[int]] = {}
    for c, offset in enumerate(offsets):
        far = 0 if sum(map(abs, offset)) == 1 else 2
        for p in np.ndindex(numbers.shape):
            q = tuple(int(i + o) for i, o in zip(p, offset, strict=True))
            within = all(0 <= i < n for i, n in zip(q, numbers.shape, strict=True))
            if not within or not all(low <= i < high for i, (low, high) in zip(p, core, strict=True)):
                continue
            a, b = int(numbers[p]), int(numbers[q])
            if a != b and a and b:
                sums = found.setdefault((min(a, b), max(a, b)), [0, 0, 0, 0])
                sums[far] += 1
                sums[far + 1] += int(affinities[(c, *p)])
    return found
