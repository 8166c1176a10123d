"""Mutex watershed on the region graph: strongest evidence first, whether for or against one object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration._compiled import compiled
from teasel.agglomeration.region_graph import RegionGraph
from teasel.errors import ParameterError

__all__ = ["MutexWatershed"]


@dataclass(frozen=True)
class MutexWatershed:
    """Partition of a region graph without a threshold.

    Each border attracts with its mean affinity over face neighbours and repels with one minus its mean affinity over
    longer steps. All are taken from strong to weak: attraction joins two clusters unless they must stay apart,
    repulsion makes them stay apart unless they are joined.

    Parameters
    ----------
    bias : float
        Added to attraction, in [-1, 1]: above 0 joins more.

    Notes
    -----
    Evidence is an integer (1/65536 of an affinity of 0 to 255); at equal strength attraction comes first, then the
    earlier edge. So the result depends on the graph alone, and the graph not on blocks. On voxels, where borders are
    single affinities, the mutex watershed sees more and is not exact by block (`teasel.representations`, affinity).

    References
    ----------
    Wolf et al. 2018, doi:10.1007/978-3-030-01225-0_34

    Examples
    --------
    >>> from teasel.agglomeration import region_graph
    >>> labels = np.array([[[1, 2, 3]]], np.uint64)
    >>> affinities = np.array([[[[200, 150, 0]]], [[[0, 0, 0]]]], np.uint8)
    >>> MutexWatershed().segments(region_graph(labels, affinities, [(0, 0, 1), (0, 0, 2)])).tolist()
    [1, 1, 2]
    """

    bias: float = 0.0

    def __post_init__(self) -> None:
        if not -1 <= self.bias <= 1:
            raise ParameterError(f"bias is {self.bias}; expected -1 .. 1")

    def segments(self, graph: RegionGraph) -> NDArray[np.int64]:
        """Return the segment of each supervoxel, int64 (n,), 1 .. k in the order of each one's first supervoxel.

        Raises
        ------
        ParameterError
            If the graph holds no longer steps: nothing would keep objects apart.
        """
        from teasel.agglomeration.merge_tree import number_clusters

        if len(graph.edges) and not graph.far_count.any():
            raise ParameterError("the mutex watershed needs affinities over steps longer than one voxel; got none")
        near, far = np.flatnonzero(graph.count > 0), np.flatnonzero(graph.far_count > 0)
        attraction = (graph.total[near] << 16) // graph.count[near] + round(self.bias * (255 << 16))
        repulsion = (255 << 16) - (graph.far_total[far] << 16) // graph.far_count[far]
        strength = np.concatenate([attraction, repulsion])
        edge = np.concatenate([near, far])
        repels = np.concatenate([np.zeros(len(near), bool), np.ones(len(far), bool)])
        order = np.lexsort((edge, repels, -strength))
        order = order[strength[order] > 0]
        first = _partition(graph.indices()[edge[order]], repels[order], len(graph.ids))
        return number_clusters(np.asarray(first))


@compiled
def _partition(ends, repels, n):
    """Take edges in order; return the first member of each node's cluster, int32 (n,)."""
    m = len(ends)
    first = np.arange(n).astype(np.int32)
    owner = np.arange(n).astype(np.int32)  # by first member: the node whose list holds the cluster's exclusions
    head = np.full(n, -1, np.int64)
    length = np.zeros(n, np.int64)
    following, partner = np.full(2 * m, -1, np.int64), np.empty(2 * m, np.int32)
    used = 0
    for i in range(m):
        a, b = ends[i, 0], ends[i, 1]
        while first[a] != a:
            a = first[a]
        while first[b] != b:
            b = first[b]
        if a == b:
            continue
        small, large = (a, b) if length[a] <= length[b] else (b, a)
        apart = False
        node = head[owner[small]]
        while node >= 0 and not apart:
            c = partner[node]
            while first[c] != c:
                c = first[c]
            apart = c == large
            node = following[node]
        if apart:
            continue
        if repels[i]:
            for own, other in ((a, b), (b, a)):
                partner[used] = other
                following[used] = head[owner[own]]
                head[owner[own]] = used
                length[own] += 1
                used += 1
            continue
        root, child = min(a, b), max(a, b)
        list_large, list_small = owner[large], owner[small]
        node = head[list_small]
        while node >= 0:  # hang the shorter list before the longer
            after = following[node]
            following[node] = head[list_large]
            head[list_large] = node
            node = after
        head[list_small] = -1
        first[child] = root
        owner[root] = list_large
        length[root] = length[a] + length[b]
    for node in range(n):
        root = node
        while first[root] != root:
            root = first[root]
        first[node] = root
    return first


def _partition_reference(ends: NDArray[np.int32], repels: NDArray[np.bool_], n: int) -> list[int]:
    """Clusters as sets and exclusions as a list, scanned in full: the slow version of `_partition`."""
    group = {i: frozenset([i]) for i in range(n)}
    apart: list[tuple[int, int]] = []
    for (a, b), repel in zip(ends.tolist(), repels.tolist(), strict=True):
        if group[a] == group[b]:
            continue
        excluded = any({group[c], group[d]} == {group[a], group[b]} for c, d in apart)
        if excluded:
            continue
        if repel:
            apart.append((a, b))
        else:
            union = group[a] | group[b]
            group.update(dict.fromkeys(union, union))
    return [min(group[i]) for i in range(n)]
