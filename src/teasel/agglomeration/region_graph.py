"""The region graph: which supervoxels touch, and the affinities between them as sums of integers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ShapeError

__all__ = ["BINS", "RegionGraph", "add_graphs", "add_rows", "region_graph"]

BINS = 16
"""Bins of the histogram of affinities on an edge; bin i holds 16 i .. 16 i + 15."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RegionGraph:
    """Supervoxels and their borders. Graphs of parts of a volume add up (`add_graphs`), exactly and in any order.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n,)
        Supervoxels, ascending.
    sizes : ndarray of int64, shape (n,)
        Voxels of each.
    edges : ndarray of uint64, shape (m, 2)
        Pairs of supervoxels with at least one pair of voxels a step apart, smaller first, in lexicographic order.
    count, total : ndarray of int64, shape (m,)
        Pairs of face neighbours on the border, and the sum of their affinities (0 to 255 each).
    histogram : ndarray of uint32, shape (m, 16) or (m, 0)
        Their distribution; empty if not asked for.
    far_count, far_total : ndarray of int64, shape (m,)
        The same for longer steps.
    """

    ids: NDArray[np.uint64]
    sizes: Ints
    edges: NDArray[np.uint64]
    count: Ints
    total: Ints
    histogram: NDArray[np.uint32]
    far_count: Ints
    far_total: Ints

    def indices(self) -> NDArray[np.int32]:
        """Return the edges as places in `ids`, shape (m, 2)."""
        return np.searchsorted(self.ids, self.edges).astype(np.int32)


def region_graph(
    labels: NDArray[np.uint64],
    affinities: NDArray[np.uint8],
    offsets: Sequence[Sequence[int]],
    *,
    histogram: bool = False,
) -> RegionGraph:
    """Build the graph of a volume in memory.

    Parameters
    ----------
    labels : ndarray of uint64, shape (z, y, x)
        Supervoxels, 0 none.
    affinities : ndarray of uint8, shape (c, z, y, x)
        Channel c at voxel p is the affinity of p and ``p + offsets[c]``.
    offsets : sequence of (int, int, int)
        Steps (z, y, x). Steps of one voxel along one axis go into `count` and `total`, others into the far ones.
    histogram : bool
        Whether to keep the distribution of affinities on each edge.

    Returns
    -------
    RegionGraph

    Raises
    ------
    ShapeError
        If shapes do not fit.

    Examples
    --------
    >>> labels = np.array([[[1, 1, 3]]], np.uint64)
    >>> graph = region_graph(labels, np.full((1, 1, 1, 3), 100, np.uint8), [(0, 0, 1)])
    >>> graph.edges.tolist(), graph.count.tolist(), graph.total.tolist()
    ([[1, 3]], [1], [100])
    """
    if affinities.shape != (len(offsets), *labels.shape) or labels.ndim != 3:
        raise ShapeError(
            f"labels of shape {labels.shape}, affinities of shape {affinities.shape}, {len(offsets)} offsets; "
            "expected (z, y, x), (c, z, y, x) and c"
        )
    ids, numbers = np.unique(labels, return_inverse=True)
    if len(ids) == 0 or ids[0] != 0:
        ids, numbers = np.concatenate([np.zeros(1, np.uint64), ids]), numbers + 1
    places = np.asarray(numbers).reshape(labels.shape).astype(np.int32)
    box = tuple((0, n) for n in labels.shape)
    return graph_of_piece(places, ids, affinities, offsets, box, histogram=histogram)


def graph_of_piece(
    numbers: NDArray[np.int32],
    ids: NDArray[np.uint64],
    affinities: NDArray[np.uint8],
    offsets: Sequence[Sequence[int]],
    core: Sequence[tuple[int, int]],
    *,
    histogram: bool,
) -> RegionGraph:
    """Build the graph of the pairs of voxels whose first voxel lies in the core of a piece.

    Parameters
    ----------
    numbers : ndarray of int32, shape (z, y, x)
        Supervoxels of the piece as places in `ids`; 0 none.
    ids : ndarray of uint64, shape (n,)
        ``ids[0]`` is 0; may repeat none.
    affinities, offsets, histogram
        See `region_graph`.
    core : sequence of (int, int)
        Start and stop along each axis, relative to the piece; sizes count its voxels.
    """
    from teasel.agglomeration.contacts import collect_contacts, count_voxels

    bounds = np.array(core, np.int64)
    keys, sums = collect_contacts(
        np.ascontiguousarray(numbers),
        np.ascontiguousarray(affinities),
        np.array(offsets, np.int64).reshape(-1, 3),
        bounds,
        BINS if histogram else 0,
        len(ids),
    )
    first, second = ids[keys // len(ids)], ids[keys % len(ids)]
    edges = np.stack([np.minimum(first, second), np.maximum(first, second)], 1)
    sizes = count_voxels(numbers, bounds, len(ids))
    own = np.flatnonzero(sizes[1:]) + 1
    order = own[np.argsort(ids[own])]
    graph = RegionGraph(ids[order], sizes[order], edges, *_columns(sums))
    return add_graphs([graph])


def add_graphs(graphs: Iterable[RegionGraph]) -> RegionGraph:
    """Add graphs of parts of one volume: sums of integers, so neither grouping nor order matters."""
    parts = list(graphs)
    ids, sizes = add_rows(np.concatenate([g.ids for g in parts])[:, None], [np.concatenate([g.sizes for g in parts])])
    width = max(g.histogram.shape[1] for g in parts)
    columns = [
        np.concatenate([getattr(g, name) for g in parts]) for name in ("count", "total", "far_count", "far_total")
    ]
    histogram = np.concatenate([g.histogram for g in parts if g.histogram.shape[1] == width])
    edges, sums = add_rows(np.concatenate([g.edges for g in parts]), [*columns, histogram])
    return RegionGraph(ids[:, 0], sizes[0], edges, sums[0], sums[1], sums[4], sums[2], sums[3])


def _columns(sums: Ints) -> tuple[Ints, Ints, NDArray[np.uint32], Ints, Ints]:
    return sums[:, 0], sums[:, 1], sums[:, 4:].astype(np.uint32), sums[:, 2], sums[:, 3]


def add_rows(keys: NDArray, columns: list[NDArray]) -> tuple[NDArray, list[NDArray]]:
    """Sort rows by key and add up those of equal key."""
    if len(keys) == 0:
        return keys, columns
    order = np.lexsort(keys.T[::-1])
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], (keys[1:] != keys[:-1]).any(1)]))
    if len(first) == len(keys):
        return keys, [column[order] for column in columns]
    return keys[first], [np.add.reduceat(column[order], first, axis=0).astype(column.dtype) for column in columns]
