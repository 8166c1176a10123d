"""A volume cut into blocks, and which block a voxel lies in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "Grid", "grow", "index_of", "shift"]

Box = tuple[tuple[int, int], ...]
"""(start, stop) along z, y and x, in voxels of the volume."""


@dataclass(frozen=True)
class Grid:
    """Blocks of one size, from the volume's origin; the last along each axis may be smaller.

    Parameters
    ----------
    shape, block : tuple of int
        Voxels (z, y, x) of the volume and of a block.

    Examples
    --------
    >>> grid = Grid((10, 4, 4), (6, 4, 4))
    >>> len(grid), grid.box(1)
    (2, ((6, 10), (0, 4), (0, 4)))
    """

    shape: tuple[int, int, int]
    block: tuple[int, int, int]

    @property
    def counts(self) -> tuple[int, ...]:
        """Blocks along each axis."""
        return tuple(-(-n // b) for n, b in zip(self.shape, self.block, strict=True))

    def __len__(self) -> int:
        return int(np.prod(self.counts))

    def box(self, number: int) -> Box:
        """Return what a block covers."""
        place = np.unravel_index(number, self.counts)
        pairs = zip(place, self.block, self.shape, strict=True)
        return tuple((int(i) * b, min((int(i) + 1) * b, n)) for i, b, n in pairs)

    def holding(self, voxels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the block that each voxel ``(n, 3)`` lies in."""
        return np.ravel_multi_index(tuple((voxels // np.array(self.block)).T), self.counts).astype(np.int64)

    def touching(self, box: Box) -> list[int]:
        """Return the numbers of the blocks that share a voxel with a box."""
        ranges = [range(a // b, (z - 1) // b + 1) for (a, z), b in zip(box, self.block, strict=True)]
        return [int(np.ravel_multi_index(place, self.counts)) for place in product(*ranges)]


def grow(box: Box, before: tuple[int, ...], after: tuple[int, ...], shape: tuple[int, ...]) -> Box:
    """Widen a box, within the volume.

    Examples
    --------
    >>> grow(((2, 4),), (3,), (1,), (9,))
    ((0, 5),)
    """
    return tuple((max(0, a - b), min(n, z + c)) for (a, z), b, c, n in zip(box, before, after, shape, strict=True))


def shift(box: Box, origin: Box) -> Box:
    """Express a box relative to the start of another."""
    return tuple((a - o, z - o) for (a, z), (o, _) in zip(box, origin, strict=True))


def index_of(box: Box) -> tuple[slice, ...]:
    """Turn a box into an index."""
    return tuple(slice(a, z) for a, z in box)
