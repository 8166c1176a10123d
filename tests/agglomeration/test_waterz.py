"""Quantile agglomeration beside waterz: its definition as slow, obvious code, and what waterz 0.10.1 itself gave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from teasel.agglomeration import UNIT_OFFSETS, Agglomeration, RegionGraph, region_graph
from teasel.errors import ParameterError

# HistogramQuantileAffinity<RegionGraphType, 75, ScoreValue, 256, true>: the segment of each of 27 supervoxels
PEAKS = {
    0.8: [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 4, 5, 11, 5, 12, 13, 14, 12, 15, 14, 5, 5, 5],
    0.7: [0, 1, 1, 2, 3, 3, 4, 5, 6, 0, 7, 7, 8, 3, 3, 4, 3, 4, 9, 10, 3, 9, 11, 3, 4, 4, 4],
    0.6: [0, 1, 1, 2, 1, 1, 3, 1, 4, 0, 1, 1, 0, 1, 1, 3, 1, 3, 5, 1, 1, 5, 1, 1, 3, 3, 3],
    0.5: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    0.4: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
}
ALL = {  # the same with false
    0.8: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 6, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24],
    0.7: [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 4, 5, 11, 12, 13, 14, 15, 13, 16, 15, 17, 17, 12],
    0.6: [0, 1, 1, 2, 3, 3, 4, 5, 6, 0, 7, 7, 8, 9, 3, 4, 9, 4, 10, 11, 12, 10, 13, 12, 4, 4, 4],
    0.5: [0, 1, 1, 0, 2, 2, 3, 4, 5, 0, 1, 1, 6, 2, 2, 3, 2, 3, 7, 8, 2, 7, 8, 2, 3, 3, 3],
    0.4: [0, 1, 1, 0, 0, 0, 2, 3, 4, 0, 1, 1, 2, 0, 0, 2, 0, 2, 5, 0, 0, 5, 0, 0, 2, 2, 2],
}

SEED = 87  # no two borders are ever equal on the way, so that the order of ties does not matter


def make_volume(seed=SEED):
    """27 boxes and noisy affinities to the voxel before, around a level of its own on each border."""
    rng = np.random.default_rng(seed)
    fragments = np.arange(1, 28).reshape(3, 3, 3).repeat(4, 0).repeat(5, 1).repeat(6, 2).astype(np.uint64)
    affinities = np.full((3, *fragments.shape), 250, np.uint8)
    levels: dict[tuple[int, int], int] = {}
    for axis in range(3):
        before = np.roll(fragments, 1, axis)
        border = fragments != before
        first = tuple(0 if a == axis else slice(None) for a in range(3))
        border[first] = False
        for p in np.argwhere(border):
            level = levels.setdefault((int(fragments[tuple(p)]), int(before[tuple(p)])), int(rng.integers(10, 230)))
            affinities[(axis, *p)] = np.clip(level + rng.normal(0, 25), 0, 255)
        affinities[(axis, *first)] = 0
    return fragments, affinities


def numbered(segments):
    """Number segments 0, 1, ... in the order of their first members."""
    _, first, inverse = np.unique(segments, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].tolist()


def waterz_reference(borders, n, threshold, quantile, *, bins, peaks):
    """Merge by waterz's definition, measuring every border anew; `borders` holds (a, b, affinities in 0 .. 255)."""
    parts = []
    for a, b, values in borders:
        kept = np.minimum((np.asarray(values) / 255 * bins).astype(int), bins - 1)
        parts.append((a, b, kept[kept == kept.max()] if peaks else kept))
    first = list(range(n))
    while True:
        merged: dict[tuple[int, int], list[int]] = {}
        for a, b, kept in parts:
            key = (min(first[a], first[b]), max(first[a], first[b]))
            if key[0] != key[1]:
                merged.setdefault(key, []).extend(kept)
        scores = {k: (sorted(v)[int(quantile * len(v) / 100)] + 0.5) / bins for k, v in merged.items()}
        best = max(scores, key=scores.__getitem__, default=None)
        if best is None or scores[best] <= threshold:
            return first
        first = [best[0] if f == best[1] else f for f in first]


@pytest.fixture(scope="module")
def case():
    fragments, before = make_volume()
    after = np.stack([np.roll(channel, -1, axis) for axis, channel in enumerate(before)])
    borders: dict[tuple[int, int], list[int]] = {}
    for axis in range(3):
        here, there = (np.take(fragments, range(a, fragments.shape[axis] + a - 1), axis) for a in (0, 1))
        values = np.take(after[axis], range(fragments.shape[axis] - 1), axis)
        for a, b, value in zip(here.ravel(), there.ravel(), values.ravel(), strict=True):
            if a != b:
                borders.setdefault((int(a) - 1, int(b) - 1), []).append(int(value))
    return region_graph(fragments, after, UNIT_OFFSETS, histogram=True), [(*k, v) for k, v in borders.items()]


@pytest.mark.parametrize("peaks", [True, False])
@pytest.mark.parametrize("threshold", PEAKS)
def test_the_reference_is_waterz(case, threshold, peaks):
    found = waterz_reference(case[1], 27, threshold, 75, bins=256, peaks=peaks)
    assert numbered(found) == (PEAKS if peaks else ALL)[threshold]


@pytest.mark.parametrize("peaks", [True, False])
def test_with_as_many_bins_segments_are_those_of_waterz(case, peaks):
    graph, borders = case
    values = {(a + 1, b + 1): v for a, b, v in borders}
    rows = [np.bincount(values[int(a), int(b)], minlength=256) for a, b in graph.edges]
    fine = replace(graph, histogram=np.array(rows, np.uint32))
    tree = Agglomeration(score="quantile", peaks=peaks).build(fine)
    for threshold, expected in (PEAKS if peaks else ALL).items():
        lowest = int(256 * threshold - 0.5) + 1  # waterz merges above the threshold, by the middles of bins 0 .. 255
        assert numbered(tree.cut(lowest / 255)) == expected


@pytest.mark.parametrize("quantile", [50, 75])
@pytest.mark.parametrize("seed", range(40))
def test_merges_are_those_of_waterz_where_the_bins_decide(seed, quantile):
    """Each border has a highest bin of its own: no two scores share a bin, so the order within does not matter."""
    rng = np.random.default_rng(seed)
    n = 9
    every = [(a, b) for a in range(n) for b in range(a + 1, n)]
    chosen = sorted(every[i] for i in rng.choice(len(every), 16, replace=False))
    borders = []
    for (a, b), top in zip(chosen, rng.permutation(16), strict=True):
        lower = rng.integers(0, 16 * top, rng.integers(0, 30)).tolist() if top else []
        borders.append((a, b, [16 * int(top) + 5] * int(rng.integers(1, 9)) + lower))
    histogram = np.stack([np.bincount(np.array(v) // 16, minlength=16) for *_, v in borders]).astype(np.uint32)
    count, total = (np.array([f(v) for *_, v in borders], np.int64) for f in (len, sum))
    none = np.zeros(16, np.int64)
    ids = np.arange(1, n + 1, dtype=np.uint64)
    edges = np.array(chosen, np.uint64) + np.uint64(1)
    graph = RegionGraph(ids, np.ones(n, np.int64), edges, count, total, histogram, none, none)
    tree = Agglomeration(score="quantile", quantile=quantile / 100, peaks=True, lowest=0).build(graph)
    for level in range(1, 16):
        expected = waterz_reference(borders, n, level / 16, quantile, bins=16, peaks=True)
        assert numbered(tree.cut(16 * level / 255)) == numbered(expected)


@pytest.mark.parametrize("quantile", [25, 50, 75, 100])
@pytest.mark.parametrize("peaks", [True, False])
def test_every_border_has_the_bin_that_waterz_gives_it(case, quantile, peaks):
    graph, borders = case
    for a, b, values in borders:
        edge = np.flatnonzero((graph.edges == (a + 1, b + 1)).all(1))
        single = RegionGraph(
            graph.edges[edge[0]], np.ones(2, np.int64), graph.edges[edge], graph.count[edge], graph.total[edge],
            graph.histogram[edge], graph.far_count[edge], graph.far_total[edge],
        )  # fmt: skip
        tree = Agglomeration(score="quantile", quantile=quantile / 100, peaks=peaks, lowest=0).build(single)
        bins = np.asarray(values) // 16
        kept = np.sort(bins[bins == bins.max()] if peaks else bins)
        wanted = kept[min(int(quantile * len(kept) / 100), len(kept) - 1)]
        assert int(tree.scores[0]) >> 20 == wanted


def test_peaks_are_for_quantiles():
    with pytest.raises(ParameterError, match="quantile"):
        Agglomeration(peaks=True)
