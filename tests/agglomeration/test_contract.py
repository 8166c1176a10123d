"""What every way from affinities to segments promises."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.agglomeration import (
    UNIT_OFFSETS,
    Agglomeration,
    Height,
    MutexWatershed,
    affinities_of_boundaries,
    quantise,
    region_graph,
    supervoxels,
)
from teasel.errors import DataError, ParameterError, ShapeError

OFFSETS = (*UNIT_OFFSETS, (0, 0, 5), (0, 5, 0))
METHODS = [Agglomeration(), Agglomeration(score="quantile"), Agglomeration(min_voxels=5), MutexWatershed()]


def segments_of(method, graph):
    if isinstance(method, MutexWatershed):
        return method.segments(graph)
    return method.segments(graph, method.build(graph), 0.5)


@pytest.fixture(
    params=METHODS, ids=lambda m: f"{type(m).__name__}-{getattr(m, 'score', '')}{getattr(m, 'min_voxels', '')}"
)
def method(request):
    return request.param


@pytest.fixture
def graph():
    affinities = np.random.default_rng(0).integers(0, 256, (5, 9, 20, 22), dtype=np.uint8)
    return region_graph(supervoxels(affinities[:3]), affinities, OFFSETS, histogram=True)


def test_segments_are_numbered_by_their_first_supervoxel(method, graph):
    found = segments_of(method, graph)
    assert found.shape == graph.ids.shape
    _, first = np.unique(found[found > 0], return_index=True)
    assert (np.diff(first) > 0).all()
    assert set(found[found > 0]) == set(range(1, found.max() + 1))
    np.testing.assert_array_equal(found, segments_of(method, graph))


def test_the_graph_is_left_alone(method, graph):
    before = {name: getattr(graph, name).copy() for name in ("edges", "count", "total", "histogram", "far_total")}
    for name in before:
        getattr(graph, name).setflags(write=False)
    segments_of(method, graph)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(graph, name), value)


def test_no_supervoxel_and_one_supervoxel(method):
    for shape, value in (((2, 3, 4), 0), ((1, 1, 7), 9)):
        labels = np.full(shape, value, np.uint64)
        graph = region_graph(labels, np.full((5, *shape), 255, np.uint8), OFFSETS, histogram=True)
        assert segments_of(method, graph).tolist() == [1] * (value > 0)


def test_two_halves_with_a_wall_between_are_two_segments(method):
    affinities = np.full((5, 8, 16, 24), 255, np.uint8)
    affinities[2, :, :, 11] = 0
    affinities[3, :, :, 7:12] = 0
    labels = supervoxels(affinities[:3], Height(reach_px=4))
    graph = region_graph(labels, affinities, OFFSETS, histogram=True)
    found = segments_of(method, graph)[np.searchsorted(graph.ids, labels)]
    assert (found == np.where(np.arange(24) < 12, 1, 2)).all()


def test_a_lower_threshold_only_merges(graph):
    tree = Agglomeration().build(graph)
    coarse = None
    for threshold in (0.9, 0.6, 0.5, 0.4, 0.1):
        cut = tree.cut(threshold)
        if coarse is not None:
            pairs = np.unique(np.stack([coarse, cut]), axis=1)
            assert len(np.unique(pairs[0])) == pairs.shape[1]  # each segment before lies in one of now
        coarse = cut
    with pytest.raises(ParameterError, match="from 0 to 1"):
        tree.cut(1.5)


def test_what_cannot_be_is_refused(graph):
    for wrong in (
        lambda: Height(reach_px=41),
        lambda: Height(spacing=(1, 0, 1)),
        lambda: Agglomeration(score="best"),
        lambda: Agglomeration(quantile=0),
        lambda: MutexWatershed(bias=2),
    ):
        with pytest.raises(ParameterError):
            wrong()
    with pytest.raises(ShapeError, match="expected uint8"):
        supervoxels(np.zeros((3, 4, 5, 6), np.float32))
    with pytest.raises(ShapeError, match="2 offsets"):
        region_graph(np.zeros((2, 3, 4), np.uint64), np.zeros((3, 2, 3, 4), np.uint8), OFFSETS[:2])
    with pytest.raises(DataError, match=r"from 0 to 7"):
        quantise(np.array([0.0, 7.0]))
    with pytest.raises(DataError, match="int32"):
        quantise(np.array([1], np.int32))
    near = region_graph(np.array([[[1, 2]]], np.uint64), np.zeros((3, 1, 1, 2), np.uint8), UNIT_OFFSETS)
    with pytest.raises(ParameterError, match="longer than one voxel"):
        MutexWatershed().segments(near)
    with pytest.raises(ParameterError, match="histogram=True"):
        Agglomeration(score="quantile").build(near)


def test_probabilities_round_to_nearest_and_boundaries_lower_both_sides():
    assert quantise(np.array([0, 0.5, 1, np.nan])).tolist() == [0, 128, 255, 0]
    assert quantise(np.array([True, False])).tolist() == [255, 0]
    found = affinities_of_boundaries(np.array([[[0, 10, 255, 0]]], np.uint8))
    assert found[2].tolist() == [[[245, 0, 0, 0]]]
    assert not found[:2].any()
