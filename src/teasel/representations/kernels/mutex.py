"""Mutex watershed: join what attracts, keep apart what repels, strongest evidence first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.representations.kernels import compiled
from teasel.representations.kernels.neighbours import inside

__all__ = ["partition"]


def partition(
    strength: NDArray[np.uint8],
    offsets: Sequence[Sequence[int]],
    mask: NDArray[np.bool_],
    *,
    n_attractive: int,
) -> NDArray[np.int32]:
    """Group pixels by edges that attract and edges that repel.

    Edges are taken from strong to weak. An attractive edge joins the groups at its two ends unless they
    exclude each other; a repulsive one makes them exclude each other unless they are one group already. Of
    equally strong edges the earlier channel comes first, then the earlier pixel. Edges of strength 0 do
    nothing.

    Parameters
    ----------
    strength : ndarray of uint8, shape (n_offsets, [z,] y, x)
        Strength of the edge from each pixel to the pixel at the offset.
    offsets : sequence of (ndim,) int
        Where the other end lies.
    mask : ndarray of bool, shape ([z,] y, x)
        Pixels to group; edges that leave it are left out.
    n_attractive : int
        The first so many channels attract, the others repel.

    Returns
    -------
    ndarray of int32, shape ([z,] y, x)
        Above 0: group of the pixel; 0 outside the mask.

    References
    ----------
    Wolf et al. 2018, doi:10.1007/978-3-030-01225-0_34
    """
    margin = int(np.abs(np.asarray(offsets)).max(initial=1))
    room = np.pad(mask, margin)
    padded = np.pad(strength, [(0, 0), *[(margin, margin)] * mask.ndim])
    strides = np.cumprod((1, *room.shape[:0:-1]))[::-1]
    steps = np.array([np.dot(offset, strides) for offset in offsets], np.int64)
    order = _sort_edges(padded.reshape(len(steps), -1), room.ravel(), steps)
    groups = _join(order, room.ravel(), steps, n_attractive).reshape(room.shape)
    return np.ascontiguousarray(groups[inside(mask.ndim, margin)])


@compiled
def _sort_edges(strength, room, steps):
    """Edges as ``channel * n + pixel``, strongest first, by counting."""
    n = room.size
    begin = np.zeros(257, np.int64)
    for c in range(len(steps)):
        for p in range(n):
            if room[p] and strength[c, p] > 0 and room[p + steps[c]]:
                begin[256 - strength[c, p]] += 1
    begin = np.cumsum(begin)
    order = np.empty(begin[256], np.int64)
    for c in range(len(steps)):
        for p in range(n):
            if room[p] and strength[c, p] > 0 and room[p + steps[c]]:
                bucket = 255 - strength[c, p]
                order[begin[bucket]] = c * n + p
                begin[bucket] += 1
    return order


@compiled
def _root(parent, p):
    """Root of a pixel's group, halving the path on the way."""
    while parent[p] != p:
        parent[p] = parent[parent[p]]
        p = parent[p]
    return p


@compiled
def _slot(table, a, b, n):
    """Where the pair of roots is, or belongs, in an open-addressed table of pairs."""
    key = min(a, b) * n + max(a, b)
    size = np.uint64(len(table))
    at = (np.uint64(key) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(20)) & (size - np.uint64(1))
    while table[at] != -1 and table[at] != key:
        at = (at + np.uint64(1)) & (size - np.uint64(1))
    return at, key


@compiled
def _grown(table, n):
    """Copy the table into one of twice the size."""
    larger = np.full(2 * len(table), -1, np.int64)
    for key in table:
        if key != -1:
            at, _ = _slot(larger, key // n, key % n, n)
            larger[at] = key
    return larger


@compiled
def _join(order, room, steps, n_attractive):
    """Union-find with exclusions; each root has a chain of the pixels whose groups it excludes."""
    n = room.size
    parent = np.arange(n).astype(np.int32)
    head = np.full(n, -1, np.int32)
    tail = np.full(n, -1, np.int32)
    count = np.zeros(n, np.int32)
    link = np.full(1024, -1, np.int32)  # next in chain
    partner = np.empty(1024, np.int32)
    links = 0
    table = np.full(1024, -1, np.int64)
    pairs = 0
    for edge in order:
        channel = edge // n
        a = _root(parent, edge % n)
        b = _root(parent, edge % n + steps[channel])
        if a == b:
            continue
        at, key = _slot(table, a, b, n)
        if channel >= n_attractive:
            if table[at] == -1:
                table[at] = key
                pairs += 1
                if links + 2 > len(link):
                    link = np.concatenate((link, np.full(len(link), -1, np.int32)))
                    partner = np.concatenate((partner, np.empty(len(partner), np.int32)))
                for own, other in ((a, b), (b, a)):
                    partner[links] = other
                    link[links] = head[own]
                    if head[own] < 0:
                        tail[own] = links
                    head[own] = links
                    count[own] += 1
                    links += 1
        elif table[at] == -1:
            if count[a] < count[b] or (count[a] == count[b] and b < a):
                a, b = b, a
            parent[b] = a  # b has the shorter chain: its exclusions become those of a
            node = head[b]
            while node >= 0:
                following = link[node]
                at, key = _slot(table, a, _root(parent, np.int64(partner[node])), n)
                if table[at] == -1:
                    table[at] = key
                    pairs += 1
                    link[node] = head[a]
                    if head[a] < 0:
                        tail[a] = node
                    head[a] = node
                    count[a] += 1
                    if 2 * pairs > len(table):
                        table = _grown(table, n)
                node = following
        if 2 * pairs > len(table):
            table = _grown(table, n)
    groups = np.zeros(n, np.int32)
    for p in range(n):
        if room[p]:
            groups[p] = _root(parent, p) + 1
    return groups


def _partition_reference(
    strength: NDArray[np.uint8],
    offsets: Sequence[Sequence[int]],
    mask: NDArray[np.bool_],
    *,
    n_attractive: int,
) -> NDArray[np.int32]:
    """Sets of pixels and a list of excluded pairs, scanned in full: the slow version of `partition`."""
    edges = []
    for c, offset in enumerate(offsets):
        for p in zip(*np.nonzero(mask), strict=True):
            q = tuple(i + o for i, o in zip(p, offset, strict=True))
            if all(0 <= i < m for i, m in zip(q, mask.shape, strict=True)) and mask[q] and strength[(c, *p)]:
                edges.append((-int(strength[(c, *p)]), c, p, q))
    group = {p: {p} for p in zip(*np.nonzero(mask), strict=True)}
    repelled: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for _, c, p, q in sorted(edges):
        if group[p] is group[q]:
            continue
        exclude = any({id(group[a]), id(group[b])} == {id(group[p]), id(group[q])} for a, b in repelled)
        if c >= n_attractive:
            repelled.append((p, q))
        elif not exclude:
            union = group[p] | group[q]
            group.update(dict.fromkeys(union, union))
    result = np.zeros(mask.shape, np.int32)
    for number, members in enumerate({id(g): g for g in group.values()}.values(), start=1):
        for p in members:
            result[p] = number
    return result
