"""Blocks that overlap: each object belongs to the one that holds its middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from teasel.labels import keep_objects

__all__ = ["Block", "cut_blocks", "drop_absent", "merge_blocks"]


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
    return (labels, scores) if present.all() else (keep_objects(labels, present), scores[present])


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
    kept = near & (taken < 0.5 * size)
    fresh = keep_objects(found, kept, count + 1)
    free = (fresh > 0) & (target == 0)
    target[free] = fresh[free]
    return np.flatnonzero(kept) + 1


def merge_blocks(
    shape: tuple[int, ...],
    blocks: Sequence[Block],
    segment: Callable[[Block, Callable[[int, int], None]], tuple[NDArray[np.uint32], NDArray[np.float32]]],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Segment a plane or stack block by block, and write each object once.

    Parameters
    ----------
    shape : tuple of int
        Of the plane or stack.
    blocks : sequence of Block
        See `cut_blocks`.
    segment : callable
        Takes a block, and what to call as ``tick(done, total)`` on the way; gives labels 1 .. n of the block's area and
        a score for each.
    progress : callable, optional
        Called as ``progress(done, total)`` in thousandths of the whole.

    Returns
    -------
    labels : ndarray of uint32
        Of that shape.
    scores : ndarray of float32, shape (n,)
    """
    labels = np.zeros(shape, np.uint32)
    scores = [np.zeros(0, np.float32)]
    count = 0
    for number, block in enumerate(blocks):

        def tick(done: int, total: int, number: int = number) -> None:
            if progress is not None:
                progress(int(1000 * (number + done / total) / len(blocks)), 1000)

        found, found_scores = segment(block, tick)
        if len(blocks) == 1:
            return found, found_scores
        kept = write_owned(labels, found, block, count)
        scores.append(found_scores[kept - 1])
        count += len(kept)
    return labels, np.concatenate(scores)
