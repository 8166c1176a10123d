"""A part of a region graph, merged as far as it can be decided there; the rest waits for its neighbours.

The greedy order is total, and a border made of two is never better than the better one of them. So two clusters that
are each other's best merge sooner or later, whatever else happens, and with the same score: if all their borders are
known in a part of the graph, that part can do it. A cluster with borders elsewhere waits, and so does one whose best
border leads to a cluster that waits. Scores fall from merge to merge, so merges made apart are put in order by sorting.

References
----------
Lu, Zlateski and Seung 2021, arXiv:2106.10795 (decisions at the border of a part are delayed); Murtagh 1983,
doi:10.1093/comjnl/26.4.354 (clusterings in which pairs that are each other's best can merge at any time).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration.merge_tree import MergeTree
from teasel.agglomeration.region_graph import RegionGraph, add_rows

if TYPE_CHECKING:
    from teasel.agglomeration.greedy import Merged

__all__ = ["GraphPart", "Merges", "add_parts", "part_of", "rest_of", "tree_of"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GraphPart:
    """Clusters and their borders.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n,)
        The first supervoxel of each cluster, ascending.
    ends : ndarray of int32, shape (m, 2)
        Borders, as places in `ids`, each pair once.
    latest : ndarray of uint64, shape (m, 2)
        The last pair of supervoxels that went into a border; borders are in the order of these.
    count, total : ndarray of int64, shape (m,)
    histogram : ndarray of uint32, shape (m, bins)
    raw : ndarray of bool, shape (m,)
        Borders that may not be complete: both ends have borders elsewhere.
    """

    ids: NDArray[np.uint64]
    ends: NDArray[np.int32]
    latest: NDArray[np.uint64]
    count: Ints
    total: Ints
    histogram: NDArray[np.uint32]
    raw: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Merges:
    """Some merges, best first: first supervoxels of both clusters (k, 2), scores (k,), latest pair (k, 2)."""

    pairs: NDArray[np.uint64]
    scores: NDArray[np.int32]
    latest: NDArray[np.uint64]


def part_of(graph: RegionGraph) -> GraphPart:
    """Return a graph, or the graph of some blocks, as clusters of one supervoxel each."""
    near = graph.count > 0  # edges of long steps alone are no border
    edges = graph.edges[near]
    ids = np.unique(np.concatenate([graph.ids, edges.ravel()]))
    columns = graph.count[near], graph.total[near], graph.histogram[near]
    ends = np.searchsorted(ids, edges).astype(np.int32)
    return GraphPart(ids, ends, edges, *columns, np.ones(len(edges), bool))


def add_parts(parts: Sequence[GraphPart]) -> GraphPart:
    """Put parts together; borders that lie in several are those of clusters that were frozen in each."""
    ids = np.unique(np.concatenate([p.ids for p in parts]))
    ends = np.concatenate([np.searchsorted(ids, p.ids)[p.ends] for p in parts]).astype(np.int32)
    latest, raw = np.concatenate([p.latest for p in parts]), np.concatenate([p.raw for p in parts])
    columns = [np.concatenate([getattr(p, name) for p in parts]) for name in ("count", "total", "histogram")]
    # borders of one pair of clusters have one latest pair of supervoxels: they are those of two supervoxels, or one
    keys = np.concatenate([latest, ends.astype(np.uint64)], 1)
    keys, sums = add_rows(keys, [*columns, raw.astype(np.int64)])
    return GraphPart(ids, keys[:, 2:].astype(np.int32), keys[:, :2], sums[0], sums[1], sums[2], sums[3] > 0)


def rest_of(part: GraphPart, merged: Merged, raw: NDArray[np.bool_]) -> GraphPart:
    """Return what a merge of a part leaves to decide: borders between clusters that wait."""
    left = np.flatnonzero((merged.ends >= 0).all(1))
    left = left[merged.blocked[merged.ends[left]].all(1)]
    order = left[np.argsort(merged.latest[left])]
    ends = part.ids[merged.first[merged.ends[order]]]
    ids, places = np.unique(ends, return_inverse=True)
    places = np.sort(places.reshape(-1, 2), 1)
    columns = merged.count[order], merged.total[order], merged.histogram[order]
    latest = part.latest[merged.latest[order]]
    return GraphPart(ids, places.astype(np.int32), latest, *columns, raw[order])


def tree_of(ids: NDArray[np.uint64], merges: Iterable[Merges]) -> MergeTree:
    """Put merges in order."""
    parts = list(merges)
    pairs, scores, latest = (np.concatenate([getattr(m, n) for m in parts]) for n in ("pairs", "scores", "latest"))
    order = np.lexsort((latest[:, 1], latest[:, 0], -scores))
    return MergeTree(ids, np.searchsorted(ids, pairs[order]).astype(np.int32), scores[order])
