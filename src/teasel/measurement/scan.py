"""First look at labels of any size: which objects there are, where, and how large; block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.labels.runs import rank_labels

__all__ = ["Found", "blocks_of", "scan", "scan_overlaps"]

Block = tuple[slice, ...]
Reader = Callable[[Block], NDArray[np.integer]]


@dataclass(frozen=True, eq=False)
class Found:
    """The objects of a label image, ascending by label.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    areas : ndarray of int64, shape (n,)
        Voxels.
    centroids : ndarray of float64, shape (n, ndim)
        In voxels.
    lows, highs : ndarray of int64, shape (n, ndim)
        Bounding boxes: first voxel, and the one after the last.
    """

    labels: NDArray[np.int64]
    areas: NDArray[np.int64]
    centroids: NDArray[np.float64]
    lows: NDArray[np.int64]
    highs: NDArray[np.int64]


def blocks_of(shape: Sequence[int], edge: int) -> Iterator[Block]:
    """Cut a shape into blocks of at most `edge` voxels along each axis, in the order of the image.

    Examples
    --------
    >>> [(b[0].start, b[0].stop) for b in blocks_of((5,), 3)]
    [(0, 3), (3, 5)]
    """
    starts = [range(0, n, edge) for n in shape]
    for corner in product(*starts):
        yield tuple(slice(c, min(c + edge, n)) for c, n in zip(corner, shape, strict=True))


def scan(read: Reader, shape: Sequence[int], edge: int, name: str = "labels") -> Found:
    """Find the objects; everything is counted in whole numbers, so that blocks do not matter.

    Raises
    ------
    DataError
        If a label is below 0 (-1, pixels not judged, counts as background) or beyond 32 bits.
    """
    ndim = len(shape)
    parts = []
    for block in blocks_of(shape, edge):
        values = read(block)
        _check_range(values, name)
        where = np.flatnonzero(values > 0)
        if len(where):
            ids, rank = rank_labels(values.ravel()[where])
            places = [p + b.start for p, b in zip(np.unravel_index(where, values.shape), block, strict=True)]
            parts.append((ids.astype(np.int64), *_tally(rank, places, len(ids))))
    if not parts:
        none = np.zeros((0, ndim), np.int64)
        return Found(none[:, 0], none[:, 0], none.astype(float), none, none)
    labels, rank = np.unique(np.concatenate([p[0] for p in parts]), return_inverse=True)
    areas = np.zeros(len(labels), np.int64)
    sums = np.zeros((len(labels), ndim), np.int64)
    lows, highs = np.full((len(labels), ndim), np.iinfo(np.int64).max), np.zeros((len(labels), ndim), np.int64)
    np.add.at(areas, rank, np.concatenate([p[1] for p in parts]))
    np.add.at(sums, rank, np.concatenate([p[2] for p in parts]))
    np.minimum.at(lows, rank, np.concatenate([p[3] for p in parts]))
    np.maximum.at(highs, rank, np.concatenate([p[4] for p in parts]))
    return Found(labels, areas, sums / areas[:, None], lows, highs)


def scan_overlaps(read_parents: Reader, read_children: Reader, shape: Sequence[int], edge: int) -> NDArray[np.int64]:
    """Give each child the parent it shares most voxels with, of equal ones the first: rows of parent and child."""
    found = [np.zeros((0, 3), np.int64)]
    for block in blocks_of(shape, edge):
        parents, children = read_parents(block), read_children(block)
        both = (parents > 0) & (children > 0)
        pairs = np.stack([parents[both], children[both]], axis=1).astype(np.int64)
        pairs, counts = np.unique(pairs, axis=0, return_counts=True)
        found.append(np.column_stack([pairs.reshape(-1, 2), counts]))
    joined = np.concatenate(found)
    pairs, rank = np.unique(joined[:, :2], axis=0, return_inverse=True)
    shared = np.bincount(rank.ravel(), joined[:, 2], minlength=len(pairs))
    order = np.lexsort((pairs[:, 0], -shared, pairs[:, 1]))
    pairs = pairs[order]
    return pairs[np.diff(pairs[:, 1], prepend=-1) != 0]


def _check_range(values: NDArray[np.integer], name: str) -> None:
    if not values.size:
        return
    if values.dtype.kind == "i" and (low := int(values.min())) < -1:
        raise DataError(f"{name} has the label {low}; expected 0 for background and a number above 0 for each object")
    if int(values.max()) >= 2**31 - 2:
        raise DataError(f"{name} has the label {values.max()}; renumber it first (teasel.labels.relabel)")


def _tally(rank: NDArray[np.int64], places: Sequence[NDArray[np.int64]], n: int) -> tuple[NDArray, ...]:
    """Return area, sums of places, and bounding boxes of the objects of a block."""
    areas = np.bincount(rank, minlength=n)
    sums, lows, highs = [], [], []
    for place in places:
        sums.append(np.bincount(rank, place, minlength=n).astype(np.int64))  # exact below 2**53
        low, high = np.full(n, np.iinfo(np.int64).max), np.full(n, -1)
        np.minimum.at(low, rank, place)
        np.maximum.at(high, rank, place)
        lows.append(low)
        highs.append(high + 1)
    return areas, np.stack(sums, 1), np.stack(lows, 1), np.stack(highs, 1)
