"""Blocks that overlap: each object belongs to the one that holds its middle."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "cut_blocks", "drop_absent", "write_owned"]


@dataclass(frozen=True)
class Block:
    """A piece of a plane or stack, (start, stop) per axis in pixels: it answers for its `core` and reads its `area`."""

    core: tuple[tuple[int, int], ...]
    area: tuple[tuple[int, int], ...]


def cut_blocks(shape: tuple[int, ...], edges: tuple[int, ...], overlaps: tuple[int, ...]) -> list[Block]:
    """Cut a plane or stack into cores that cover it once, each with an area around it.

    Parameters
    ----------
    shape : tuple of int
        Of the plane or stack.
    edges, overlaps : tuple of int
        Length of a core along each axis, about; how far its area goes beyond it.

    Examples
    --------
    >>> [block.area for block in cut_blocks((100, 20), (50, 50), (4, 4))]
    [((0, 54), (0, 20)), ((46, 100), (0, 20))]
    """
    axes = []
    for n, edge, overlap in zip(shape, edges, overlaps, strict=True):
        count = max(1, -(-(n - 2 * overlap) // max(1, edge)))
        cuts = [round(i * n / count) for i in range(count + 1)]
        axes.append([((a, b), (max(0, a - overlap), min(n, b + overlap))) for a, b in pairwise(cuts)])
    return [Block(tuple(core for core, _ in spans), tuple(area for _, area in spans)) for spans in product(*axes)]


def drop_absent(
    labels: NDArray[np.uint32], scores: NDArray[np.float32]
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Number the objects that still have a pixel after a change of grid."""
    present = np.bincount(labels.ravel(), minlength=len(scores) + 1)[1:] > 0
    if present.all():
        return labels, scores
    number = np.zeros(len(scores) + 1, np.uint32)
    number[1:][present] = np.arange(1, int(present.sum()) + 1)
    return number[labels], scores[present]


def write_owned(labels: NDArray[np.uint32], found: NDArray[np.uint32], block: Block, count: int) -> NDArray[np.intp]:
    """Write the objects that a block owns into the whole (in place); return which they are.

    An object is owned if its centroid lies in the core, or within two pixels of it where no other block has written
    most of it: two blocks may see an object's middle a little differently.
    """
    area = tuple(slice(*span) for span in block.area)
    target = labels[area]
    where = np.nonzero(found)
    owner = found[where]
    n = int(found.max(initial=0))
    size = np.bincount(owner, minlength=n + 1)[1:]
    near = np.ones(n, bool)
    for w, (start, _), (low, high) in zip(where, block.area, block.core, strict=True):
        centroid = np.bincount(owner, w, n + 1)[1:] / size + start
        near &= (centroid >= low - 2) & (centroid < high + 2)
    taken = np.bincount(owner, target[where] > 0, n + 1)[1:]
    kept = np.flatnonzero(near & (taken < 0.5 * size)) + 1
    number = np.zeros(n + 1, np.uint32)
    number[kept] = np.arange(count + 1, count + len(kept) + 1)
    fresh = number[found]
    free = (fresh > 0) & (target == 0)
    target[free] = fresh[free]
    return kept
