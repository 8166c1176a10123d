"""Kernels that merge clusters of a graph: union-find, and the greedy queue that keeps sums of merged borders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration._compiled import compiled

__all__ = ["absorb", "join", "merge_greedily"]

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
    wanted = min(count * quantile, (count << 16) - 1)
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
def _merge(ends, count, total, histogram, n, lowest, quantile):
    """See `merge_greedily`; works in place on its arrays."""
    m = len(ends)
    low_bits = 38
    order = (np.int64(1) << low_bits) - 1
    eldest = np.arange(m)  # the earliest edge that went into each
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
    pairs, scores = np.empty((max(n - 1, 1), 2), np.int32), np.empty(max(n - 1, 1), np.int32)
    merges = 0
    while size > 0:
        top, e = heap[0], edge_of[0]
        _pop(heap, edge_of, size)
        size -= 1
        if ends[e, 0] < 0 or priority[e] != top:
            continue
        a, b = ends[e, 0], ends[e, 1]
        if degree[a] < degree[b]:
            a, b = b, a
        pairs[merges, 0], pairs[merges, 1] = min(first[a], first[b]), max(first[a], first[b])
        scores[merges] = top >> low_bits
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
                    eldest[g] = min(eldest[g], eldest[f])
                    ends[f, 0] = ends[f, 1] = -1
                    degree[other] -= 1
                    value = _score(count[g], total[g], histogram[g], quantile)
                    priority[g] = (value << low_bits) | (order - eldest[g])
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
    return pairs[:merges], scores[:merges]


def merge_greedily(
    ends: NDArray[np.int32],
    count: Ints,
    total: Ints,
    histogram: NDArray[np.uint32],
    n: int,
    lowest: int,
    quantile: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Merge the pair of clusters with the highest score until it is below `lowest`.

    Parameters
    ----------
    ends : ndarray of int32, shape (m, 2)
        Edges in their total order, each pair once.
    count, total : ndarray of int64, shape (m,)
    histogram : ndarray of uint32, shape (m, bins)
        With no bins the score is the mean, else the quantile.
    n : int
        Number of nodes.
    lowest : int
        In 1/65536 of an affinity of 0 to 255.
    quantile : int
        In 1/65536.

    Returns
    -------
    tuple of ndarray
        Pairs int32 (k, 2) of the first members of the clusters merged, and scores int32 (k,).
    """
    pairs, scores = _merge(
        np.array(ends, np.int32), np.array(count), np.array(total), np.array(histogram), n, lowest, quantile
    )
    return np.asarray(pairs), np.asarray(scores)


def absorb(ends: Ints, count: Ints, total: Ints, sizes: NDArray, least: int) -> Ints:
    """Join clusters of fewer than `least` voxels to neighbours, best border first.

    Parameters
    ----------
    ends : ndarray of int, shape (m, 2)
        Pairs of clusters; may repeat, and may join a cluster to itself.
    count, total : ndarray of int64, shape (m,)
    sizes : ndarray, shape (n,)
        Voxels of each cluster.
    least : int

    Returns
    -------
    ndarray of int64, shape (n,)
        The first member of the cluster each now belongs to; -1 if that is still too small.
    """
    n = len(sizes)
    low, high = np.minimum(ends[:, 0], ends[:, 1]), np.maximum(ends[:, 0], ends[:, 1])
    apart = low != high
    keys, place = np.unique(low[apart].astype(np.int64) * n + high[apart], return_inverse=True)
    sums = np.zeros((2, len(keys)), np.int64)
    np.add.at(sums[0], place, total[apart])
    np.add.at(sums[1], place, count[apart])
    score = (sums[0] << 16) // np.maximum(sums[1], 1)
    order = np.lexsort((keys, -score))
    order = order[score[order] > 0]
    return np.asarray(_absorb(keys[order] // max(n, 1), keys[order] % max(n, 1), np.asarray(sizes, np.int64), least))


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
                border[0] += int(total[e])
                border[1] += int(count[e])
        ranked = [((t * 65536) // c, -e, key) for key, (t, c, e) in borders.items()]
        if not ranked or max(ranked)[0] < lowest:
            return pairs, scores
        score, _, (a, b) = max(ranked)
        pairs.append((a, b))
        scores.append(score)
        first = [a if f == b else f for f in first]
