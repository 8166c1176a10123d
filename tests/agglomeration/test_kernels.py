"""Every kernel against its slow, obvious version."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.agglomeration import Agglomeration, Height, RegionGraph, add_graphs, region_graph, supervoxels
from teasel.agglomeration.ascent import _climb_reference, _gather_reference, climb, gather
from teasel.agglomeration.contacts import _collect_reference, collect_contacts
from teasel.agglomeration.greedy import _merge_reference, merge_greedily
from teasel.agglomeration.landscape import (
    _box_reference,
    _openness_reference,
    _squared_reference,
    box_sum,
    lower,
    openness,
)
from teasel.agglomeration.mutex import _partition, _partition_reference

SHAPES = [(4, 5, 6), (1, 7, 9), (3, 1, 8), (6, 5, 1), (1, 1, 1), (2, 2, 2)]


def noise(shape, seed=0, high=256):
    return np.random.default_rng(seed).integers(0, high, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
def test_openness_is_the_mean_of_the_face_neighbours(shape):
    affinities = noise((3, *shape))
    np.testing.assert_array_equal(openness(affinities), _openness_reference(affinities))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("steps", [(16, 16, 16), (90, 16, 20)])
def test_lowering_along_every_axis_is_the_distance_to_the_border(shape, steps):
    border = noise(shape, 1) < 20
    cap = 16 * 4**2
    squared = np.where(border, 0, cap).astype(np.uint16)
    for axis, step in enumerate(steps):
        lower(squared, axis, step)
    np.testing.assert_array_equal(squared, _squared_reference(border, steps, cap))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", [1, 2, 4])
def test_box_sums_go_on_beyond_the_end(shape, radius):
    height = noise(shape, 2).astype(np.int32)
    for axis in range(3):
        np.testing.assert_array_equal(box_sum(height, axis, radius), _box_reference(height, axis, radius))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("high", [2, 5, 256])
def test_climbing_finds_the_highest_neighbour_and_breaks_ties_by_place(shape, high):
    height = noise(shape, 3, high).astype(np.int32)
    np.testing.assert_array_equal(climb(height), _climb_reference(height))


@pytest.mark.parametrize("high", [2, 5, 256])
def test_gathering_follows_each_way_to_its_end(high):
    directions = climb(noise((7, 8, 9), 4, high).astype(np.int32))[1:-1, 2:-1, 1:-2]
    numbers, voxels = gather(np.ascontiguousarray(directions))
    for p, end in _gather_reference(directions).items():
        assert tuple(voxels[numbers[p] - 1]) == end
    assert numbers.max() == len(voxels) == len({tuple(v) for v in voxels.tolist()})


def test_background_belongs_to_no_supervoxel():
    affinities = noise((3, 5, 6, 7), 5)
    mask = openness(affinities) >= 120
    found = supervoxels(affinities, Height(reach_px=2), background=120)
    np.testing.assert_array_equal(found > 0, mask)
    np.testing.assert_array_equal(found[mask], supervoxels(affinities, Height(reach_px=2))[mask])


OFFSETS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, -3, 2), (-1, 0, 4)]


def test_contacts_are_counted_pair_by_pair():
    numbers = noise((5, 6, 7), 7, 9).astype(np.int32)
    affinities = noise((5, 5, 6, 7), 8)
    core = [(1, 4), (0, 6), (2, 7)]
    keys, sums = collect_contacts(numbers, affinities, np.array(OFFSETS), np.array(core), 16, 9)
    found = {(int(k) // 9, int(k) % 9): s[:4].tolist() for k, s in zip(keys, sums, strict=True)}
    assert found == _collect_reference(numbers, affinities, OFFSETS, core)
    np.testing.assert_array_equal(sums[:, 4:].sum(1), sums[:, 0])


def random_graph(n, m, seed):
    rng = np.random.default_rng(seed)
    ends = np.unique(np.sort(rng.integers(0, n, (m, 2)), 1), axis=0).astype(np.int32)
    ends = ends[ends[:, 0] != ends[:, 1]]
    count = rng.integers(1, 5, len(ends))
    total = np.array([rng.integers(0, 4, c).sum() * 85 for c in count])  # many ties
    return ends, count, total


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lowest", [0, 100 << 16])
def test_greedy_merging_is_measuring_every_border_anew(seed, lowest):
    ends, count, total = random_graph(30, 90, seed)
    merged = merge_greedily(ends, count, total, np.zeros((len(ends), 0), np.uint32), np.zeros(30, bool), lowest, 0)
    expected = _merge_reference(ends, count, total, 30, lowest)
    assert [tuple(p) for p in merged.pairs.tolist()] == expected[0]
    assert merged.scores.tolist() == expected[1]


@pytest.mark.parametrize("seed", range(8))
def test_mutex_partition_scans_all_exclusions(seed):
    rng = np.random.default_rng(seed)
    ends, _, _ = random_graph(25, 80, seed)
    ends = ends[rng.permutation(len(ends))]
    repels = rng.random(len(ends)) < 0.5
    assert _partition(ends, repels, 25).tolist() == _partition_reference(ends, repels, 25)


def test_quantile_of_a_border_is_read_off_its_histogram():
    histogram = np.zeros((2, 16), np.uint32)
    histogram[0, 15] = 4  # the median of an open border is in its highest bin
    histogram[1, 2], histogram[1, 10] = 3, 1
    ends = np.array([[0, 1], [1, 2]], np.int32)
    free = np.zeros(3, bool)
    merged = merge_greedily(ends, np.array([4, 4]), np.zeros(2, int), histogram, free, 0, 32768)
    assert merged.pairs[0].tolist() == [0, 1]
    assert 240 << 16 <= merged.scores[0] <= 255 << 16
    alone = merge_greedily(ends[1:], np.array([4]), np.zeros(1, int), histogram[1:], free, 0, 32768)
    assert alone.scores[0] == round((32 + 16 * 2 / 3) * 65536 - 0.5)


def test_the_graph_of_a_volume_is_the_sum_of_the_graphs_of_its_parts():
    affinities = noise((3, 12, 13, 14), 9)
    labels = supervoxels(affinities, Height(reach_px=3))
    offsets = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    whole = region_graph(labels, affinities, offsets, histogram=True)
    from teasel.agglomeration.region_graph import graph_of_piece

    ids, numbers = np.unique(np.concatenate([np.zeros(1, np.uint64), labels.ravel()]), return_inverse=True)
    numbers = numbers[1:].reshape(labels.shape).astype(np.int32)
    parts = [
        graph_of_piece(numbers, ids, affinities, offsets, ((a, b), (0, 13), (0, 14)), histogram=True)
        for a, b in ((0, 5), (5, 6), (6, 12))
    ]
    assert_same_graph(add_graphs([parts[2], add_graphs(parts[:2])]), whole)
    assert whole.sizes.sum() == labels.size


def assert_same_graph(a: RegionGraph, b: RegionGraph) -> None:
    for name in ("ids", "sizes", "edges", "count", "total", "histogram", "far_count", "far_total"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype


def test_small_segments_join_their_best_neighbour_or_are_dropped():
    labels = np.array([[[1, 1, 1, 4, 5, 5, 5, 0, 9]]], np.uint64)
    affinities = np.zeros((1, *labels.shape), np.uint8)
    affinities[0, 0, 0] = [255, 255, 60, 70, 255, 255, 0, 0, 0]
    graph = region_graph(labels, affinities, [(0, 0, 1)])
    method = Agglomeration(min_voxels=2)
    tree = method.build(graph)
    assert method.segments(graph, tree, 0.9).tolist() == [1, 2, 2, 0]
    assert Agglomeration().segments(graph, tree, 0.9).tolist() == [1, 2, 3, 4]
    assert method.segments(graph, tree, 0.2).tolist() == [1, 1, 1, 0]
