"""Kernels that merge clusters of a graph: union-find, and the greedy queue that keeps sums of merged borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration._compiled import compiled

__all__ = ["Merged", "absorb", "join", "merge_greedily", "root_of"]

Ints = NDArray[np.int64]


@compiled
def root_of(first, node):
    """Return the first member of a node's cluster, and shorten the way to it."""
    root = node
    while first[root] != root:
        root = first[root]
    while first[node] != root:
        first[node], node = root, first[node]
    return root


@compiled
def join(pairs, n):
    """Join the nodes of each pair, int32 (k, 2); return the first member of each node's cluster, int32 (n,)."""
    first = np.arange(n).astype(np.int32)
    for i in range(len(pairs)):
        a, b = root_of(first, pairs[i, 0]), root_of(first, pairs[i, 1])
        first[max(a, b)] = min(a, b)
    for node in range(n):
        first[node] = root_of(first, node)
    return first


@compiled
def _score(count, total, histogram, quantile):
    """Score of a border: its mean, or a quantile with even spread inside bins; 1/65536 of an affinity of 0 to 255."""
    if len(histogram) == 0:
        return np.int64((total << 16) // count)
    # 1/65536 of a pair; the bin is that of pair number floor(quantile * count) + 1 from below, as in waterz
    wanted = count * min(quantile, 65535)  # in proportion to the count, so that a sum of borders lies between them
    below, width = np.int64(0), np.int64(256 // len(histogram))
    for i in range(len(histogram)):
        here = np.int64(histogram[i]) << 16
        if below + here > wanted:
            # `wanted - below` < here, so the fraction is below 1
            return min((np.int64(i * width) << 16) + (wanted - below) * width * 65536 // here, np.int64(255) << 16)
        below += here
    return np.int64(255) << 16


@compiled
def _push(heap, edge_of, size, priority, edge):
    """Put an entry into a heap (the largest first), which has room."""
    at = size
    while at > 0 and heap[(at - 1) >> 1] < priority:
        heap[at], edge_of[at] = heap[(at - 1) >> 1], edge_of[(at - 1) >> 1]
        at = (at - 1) >> 1
    heap[at], edge_of[at] = priority, edge


@compiled
def _pop(heap, edge_of, size):
    """Take the largest entry out of a heap of that size, in place."""
    priority, edge = heap[size - 1], edge_of[size - 1]
    size -= 1
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= priority:
            break
        heap[at], edge_of[at] = heap[child], edge_of[child]
        at = child
    if size > 0:
        heap[at], edge_of[at] = priority, edge


@compiled
def _slot(table, key):
    """Find the slot of a key in a table of open addresses (key, edge)."""
    mask = len(table) - 1
    at = np.int64((np.uint64(key) * np.uint64(11400714819323198485)) >> np.uint64(20)) & mask
    while table[at, 0] != -1 and table[at, 0] != key:
        at = (at + 1) & mask
    return at


@compiled
def _table_of(ends, n):
    """Build the table from pairs of nodes to edges; dead edges have ends of -1."""
    alive = 0
    for e in range(len(ends)):
        alive += ends[e, 0] >= 0
    size = 64
    while size < 4 * alive:
        size *= 2
    table = np.full((size, 2), -1, np.int64)
    for e in range(len(ends)):
        if ends[e, 0] >= 0:
            key = np.int64(min(ends[e, 0], ends[e, 1])) * n + max(ends[e, 0], ends[e, 1])
            at = _slot(table, key)
            table[at, 0], table[at, 1] = key, e
    return table, alive


@compiled
def _merge(ends, count, total, histogram, blocked, lowest, quantile):
    """See `merge_greedily`; works in place on its arrays."""
    n = len(blocked)
    m = len(ends)
    low_bits = 38
    order = (np.int64(1) << low_bits) - 1
    latest = np.arange(m)  # the last edge that went into each
    priority = np.empty(m, np.int64)
    heap, edge_of = np.empty(m + 16, np.int64), np.empty(m + 16, np.int32)
    size = 0
    head = np.full(n, -1, np.int32)  # lists of half edges: 2 e and 2 e + 1 at the two ends of e
    tail = np.full(n, -1, np.int32)
    degree = np.zeros(n, np.int32)
    following = np.full(2 * m, -1, np.int32)
    for e in range(m):
        priority[e] = (_score(count[e], total[e], histogram[e], quantile) << low_bits) | (order - e)
        if priority[e] >> low_bits >= lowest:
            _push(heap, edge_of, size, priority[e], e)
            size += 1
        for side in range(2):
            node, half = ends[e, side], 2 * e + side
            following[half] = head[node]
            if head[node] < 0:
                tail[node] = half
            head[node] = half
            degree[node] += 1
    table, used = _table_of(ends, n)
    first = np.arange(n).astype(np.int32)  # the first supervoxel of the cluster that a node stands for
    room = max(n - 1, 1)
    pairs, scores, by = np.empty((room, 2), np.int32), np.empty(room, np.int32), np.empty(room, np.int64)
    merges = 0
    while size > 0:
        top, e = heap[0], edge_of[0]
        _pop(heap, edge_of, size)
        size -= 1
        if ends[e, 0] < 0 or priority[e] != top:
            continue
        a, b = ends[e, 0], ends[e, 1]
        if blocked[a] or blocked[b]:  # the best border of both, and not to be decided here: both wait
            blocked[a] = blocked[b] = True
            continue
        if degree[a] < degree[b]:
            a, b = b, a
        pairs[merges, 0], pairs[merges, 1] = min(first[a], first[b]), max(first[a], first[b])
        scores[merges], by[merges] = top >> low_bits, latest[e]
        merges += 1
        first[a] = min(first[a], first[b])
        ends[e, 0] = ends[e, 1] = -1
        half = head[b]
        while half >= 0:  # the borders of b become those of a
            after = following[half]
            f, side = half >> 1, half & 1
            if ends[f, 0] >= 0:
                other = ends[f, 1 - side]
                key = np.int64(min(a, other)) * n + max(a, other)
                at = _slot(table, key)
                g = table[at, 1] if table[at, 0] == key else np.int64(-1)
                if g >= 0 and ends[g, 0] >= 0:
                    count[g] += count[f]
                    total[g] += total[f]
                    for i in range(histogram.shape[1]):
                        histogram[g, i] += histogram[f, i]
                    latest[g] = max(latest[g], latest[f])
                    ends[f, 0] = ends[f, 1] = -1
                    degree[other] -= 1
                    value = _score(count[g], total[g], histogram[g], quantile)
                    priority[g] = (value << low_bits) | (order - latest[g])
                    if value >= lowest:
                        if size == len(heap):
                            heap = np.concatenate((heap, np.empty(size // 2, np.int64)))
                            edge_of = np.concatenate((edge_of, np.empty(size // 2, np.int32)))
                        _push(heap, edge_of, size, priority[g], g)
                        size += 1
                else:
                    ends[f, side] = a
                    if table[at, 0] == -1:
                        used += 1
                    table[at, 0], table[at, 1] = key, f
                    following[half] = head[a]
                    if head[a] < 0:
                        tail[a] = half
                    head[a] = half
                    degree[a] += 1
                    if 2 * used > len(table):
                        table, used = _table_of(ends, n)
            half = after
        degree[a] -= 1
        head[b] = -1
    return pairs[:merges], scores[:merges], by[:merges], latest, first


@dataclass(frozen=True, eq=False)
class Merged:
    """What `merge_greedily` did, and the graph it leaves.

    Parameters
    ----------
    pairs : ndarray of int32, shape (k, 2)
        First members of the clusters merged, smaller first, best merge first.
    scores : ndarray of int32, shape (k,)
        In 1/65536 of an affinity of 0 to 255.
    by : ndarray of int64, shape (k,)
        The latest edge of each border that a merge removed.
    ends : ndarray of int32, shape (m, 2)
        The nodes that stand for the clusters at the ends of what became of each edge; -1 where it is gone.
    count, total, histogram : ndarray
        Of the edges that are left.
    latest : ndarray of int64, shape (m,)
        The last edge that went into each.
    first : ndarray of int32, shape (n,)
        The first member of the cluster that a node stands for.
    blocked : ndarray of bool, shape (n,)
        Nodes whose best border could not be decided.
    """

    pairs: NDArray[np.int32]
    scores: NDArray[np.int32]
    by: Ints
    ends: NDArray[np.int32]
    count: Ints
    total: Ints
    histogram: NDArray[np.uint32]
    latest: Ints
    first: NDArray[np.int32]
    blocked: NDArray[np.bool_]


def merge_greedily(
    ends: NDArray[np.int32],
    count: Ints,
    total: Ints,
    histogram: NDArray[np.uint32],
    blocked: NDArray[np.bool_],
    lowest: int,
    quantile: int,
) -> Merged:
    """Merge the pair of clusters with the highest score until it is below `lowest`.

    Of equal scores the border comes first whose latest edge is the earliest. A border that two merge into one is never
    better than the better of the two, in this order, so any two clusters that are each other's best merge, whatever
    happens elsewhere: parts of a graph can be merged apart (`teasel.agglomeration.part`).

    Parameters
    ----------
    ends : ndarray of int32, shape (m, 2)
        Edges in their total order, each pair once.
    count, total : ndarray of int64, shape (m,)
    histogram : ndarray of uint32, shape (m, bins)
        With no bins the score is the mean, else the quantile.
    blocked : ndarray of bool, shape (n,)
        Nodes that must not be merged; nor are those whose best border leads to one.
    lowest : int
        In 1/65536 of an affinity of 0 to 255.
    quantile : int
        In 1/65536.

    Returns
    -------
    Merged
    """
    own = np.array(ends, np.int32), np.array(count), np.array(total), np.array(histogram)
    waiting = np.array(blocked, np.bool_)
    pairs, scores, by, latest, first = _merge(*own, waiting, lowest, quantile)
    return Merged(pairs, scores, by, *own, latest, first, waiting)


def absorb(pairs: Ints, count: Ints, total: Ints, sizes: Ints, least: int) -> Ints:
    """Join clusters of fewer than `least` voxels to neighbours, best border first.

    Parameters
    ----------
    pairs : ndarray of int64, shape (m, 2)
        Pairs of clusters, each once, in lexicographic order.
    count, total : ndarray of int64, shape (m,)
    sizes : ndarray of int64, shape (n,)
        Voxels of each cluster.
    least : int

    Returns
    -------
    ndarray of int64, shape (n,)
        The first member of the cluster each now belongs to; -1 if that is still too small.
    """
    score = (total << 16) // np.maximum(count, 1)
    order = np.argsort(-score, kind="stable")
    order = order[score[order] > 0]
    return np.asarray(_absorb(pairs[order, 0], pairs[order, 1], np.asarray(sizes, np.int64), least))


@compiled
def _absorb(low, high, sizes, least):
    n = len(sizes)
    first, size = np.arange(n), sizes.copy()
    for i in range(len(low)):
        a, b = root_of(first, low[i]), root_of(first, high[i])
        if a != b and (size[a] < least or size[b] < least):
            first[max(a, b)] = min(a, b)
            size[min(a, b)] += size[max(a, b)]
    result = np.empty(n, np.int64)
    for node in range(n):
        root = root_of(first, node)
        result[node] = root if size[root] >= least else -1
    return result


def _merge_reference(
    ends: NDArray[np.int32], count: Ints, total: Ints, n: int, lowest: int
) -> tuple[list[tuple[int, int]], list[int]]:
    """Measure every border of every pair of clusters anew after each merge: the slow version, for the mean."""
    first = list(range(n))
    pairs: list[tuple[int, int]] = []
    scores: list[int] = []
    while True:
        borders: dict[tuple[int, int], list[int]] = {}
        for e, (a, b) in enumerate(ends):
            key = (min(first[a], first[b]), max(first[a], first[b]))
            if key[0] != key[1]:
                border = borders.setdefault(key, [0, 0, e])
                border[2] = e
                border[0] += int(total[e])
                border[1] += int(count[e])
        ranked = [((t * 65536) // c, -e, key) for key, (t, c, e) in borders.items()]
        if not ranked or max(ranked)[0] < lowest:
            return pairs, scores
        score, _, (a, b) = max(ranked)
        pairs.append((a, b))
        scores.append(score)
        first = [a if f == b else f for f in first]
