"""Parts of a graph merged apart and then together: the merges of the whole graph, and their order."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.agglomeration import Agglomeration, region_graph
from teasel.agglomeration.part import add_parts, part_of, tree_of
from teasel.agglomeration.region_graph import graph_of_piece

OFFSETS = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
METHODS = {
    "mean": Agglomeration(),
    "down to nothing": Agglomeration(lowest=0),
    "quantile": Agglomeration("quantile", 0.6),
    "highest": Agglomeration("quantile", 1.0, lowest=0.2),
    "peaks": Agglomeration("quantile", 0.5, peaks=True),
}


def make_volume(seed):
    """Columns of small supervoxels, and affinities of few values, so that many borders are alike."""
    rng = np.random.default_rng(seed)
    labels = 1 + np.arange(6 * 5 * 8).reshape(6, 5, 8).astype(np.uint64)
    labels = labels.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    labels[:, 4:6, :] = labels[:, 4:6, :1]  # long ones, which many parts see
    affinities = rng.choice(np.array([0, 40, 90, 90, 140, 200, 255], np.uint8), (3, *labels.shape))
    for axis in range(3):
        last: list[slice | int] = [slice(None)] * 3
        last[axis] = -1
        affinities[(axis, *last)] = 0
    return labels, affinities


def cut(labels, affinities, histogram):
    """Cut along z and x into six parts; with each, the supervoxels that also lie in others."""
    ids, places = np.unique(np.concatenate([[np.uint64(0)], labels.ravel()]), return_inverse=True)
    places = places[1:].reshape(labels.shape).astype(np.int32)
    boxes = [((a, b), (0, 10), (c, d)) for a, b in ((0, 5), (5, 12)) for c, d in ((0, 3), (3, 9), (9, 16))]
    inside = [np.unique(labels[tuple(slice(a, b) for a, b in box)]) for box in boxes]
    graphs = [graph_of_piece(places, ids, affinities, OFFSETS, box, histogram=histogram) for box in boxes]
    return graphs, inside


def frozen_in(part, group, inside):
    """Say which supervoxels of a part have voxels outside a group of boxes."""
    outside = [labels for i, labels in enumerate(inside) if i not in group]
    return np.isin(part.ids, np.concatenate([*outside, np.zeros(0, np.uint64)]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_parts_merge_as_the_whole(method, seed):
    labels, affinities = make_volume(seed)
    histogram = method.needs_histogram
    whole = region_graph(labels, affinities, OFFSETS, histogram=histogram)
    expected = method.build(whole)
    graphs, inside = cut(labels, affinities, histogram)
    merges, rest = [], []
    for i, graph in enumerate(graphs):
        part = part_of(graph)
        found, left = method.merge(part, frozen_in(part, {i}, inside))
        merges.append(found)
        rest.append(left)
    early = sum(len(m.scores) for m in merges)
    for group in ((0, 1, 2), (3, 4, 5)):
        part = add_parts([rest[i] for i in group])
        found, left = method.merge(part, frozen_in(part, set(group), inside))
        merges.append(found)
        rest.append(left)
    part = add_parts(rest[-2:])
    found, left = method.merge(part, np.zeros(len(part.ids), bool))
    tree = tree_of(whole.ids, [*merges, found])
    assert len(left.ends) == 0
    assert early > 5
    np.testing.assert_array_equal(tree.pairs, expected.pairs)
    np.testing.assert_array_equal(tree.scores, expected.scores)
    assert (np.diff(tree.scores) <= 0).all()
