"""Scores of volumes: edits to truth, and run lengths along skeletons."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import ParameterError, ShapeError
from teasel.labels.metrics import RunLength, edits_to_truth, run_length
from teasel.labels.skeletons import Skeletons, skeletonise


def random_case(seed: int) -> tuple[Skeletons, np.ndarray]:
    """Six random walks of 40 nodes through blocks of segments, some of them background."""
    rng = np.random.default_rng(seed)
    walks = [np.clip(rng.integers(0, 30, 3) + np.cumsum(rng.integers(-1, 2, (40, 3)), 0), 0, 29) for _ in range(6)]
    voxels = np.concatenate(walks).astype(np.int64)
    owner = np.repeat(np.arange(1, 7), 40)
    edges = np.array([(i - 1 - rng.integers(0, min(i % 40, 3)), i) for i in range(240) if i % 40])
    lengths = np.linalg.norm((voxels[edges[:, 0]] - voxels[edges[:, 1]]).astype(float), axis=1)
    blocks = rng.permutation(64).reshape(4, 4, 4) % 50
    segmentation = blocks.repeat(8, 0).repeat(8, 1).repeat(8, 2)[:30, :30, :30]
    return Skeletons(voxels, owner, edges, lengths), segmentation


GOLDEN = {
    (0, 0): 7.028514,
    (0, 3): 7.065967,
    (1, 0): 13.391493,
    (1, 3): 17.429188,
    (2, 0): 11.675187,
    (2, 3): 11.68028,
    (3, 0): 8.109001,
    (3, 3): 8.440145,
    (4, 0): 11.961268,
    (4, 3): 12.172013,
    (5, 0): 14.798848,
    (5, 3): 20.30549,
}
"""By seed and tolerated nodes: ERL as funlib.evaluate (commit b533ea8) computed it."""


@pytest.mark.parametrize(("seed", "tolerated"), GOLDEN)
def test_expected_run_length_is_that_of_funlib_evaluate(seed, tolerated):
    skeletons, segmentation = random_case(seed)
    found = run_length(skeletons, segmentation, tolerated_nodes=tolerated)
    assert found.expected == pytest.approx(GOLDEN[seed, tolerated], rel=1e-5)


def test_runs_end_at_splits_and_vanish_in_merges():
    truth = np.zeros((9, 9, 101), np.uint8)
    truth[2, 4], truth[6, 4] = 1, 2
    skeletons = skeletonise(truth, (0.04, 0.01, 0.01))
    assert skeletons.length == pytest.approx(2.0)
    whole = run_length(skeletons, truth)
    assert whole == RunLength(pytest.approx(2.0), pytest.approx(2.0), 0, 0, 2)
    assert whole.expected == pytest.approx(1.0)
    split = run_length(skeletons, np.where(np.arange(101) < 51, truth, 3 * truth))
    assert split.split_edges == 2
    assert split.splits_per_mm == pytest.approx(1000)
    assert split.expected == pytest.approx((0.5**2 + 0.49**2) / 1)
    merged = run_length(skeletons, (truth > 0).astype(int))
    assert (merged.expected, merged.merges, merged.split_edges) == (0, 1, 0)
    assert merged.merges_per_mm == pytest.approx(500)
    touched = truth.copy()
    touched[6, 4, :2] = 1  # two nodes of the other
    assert run_length(skeletons, touched, tolerated_nodes=2).merges == 0
    assert run_length(skeletons, touched).merges == 1
    assert (split + whole).length == pytest.approx(4.0)


def test_a_skeleton_is_a_tree_inside_its_object():
    rng = np.random.default_rng(0)
    from scipy import ndimage

    blobs = ndimage.gaussian_filter(rng.normal(size=(30, 40, 50)), 3) > 0.02
    truth = ndimage.label(blobs)[0]
    skeletons = skeletonise(truth)
    assert (truth[tuple(skeletons.voxels.T)] == skeletons.owner).all()
    assert (skeletons.owner[skeletons.edges[:, 0]] == skeletons.owner[skeletons.edges[:, 1]]).all()
    for label in np.unique(skeletons.owner):
        n_nodes = (skeletons.owner == label).sum()
        n_edges = (skeletons.owner[skeletons.edges[:, 0]] == label).sum()
        assert n_edges == n_nodes - 1
    assert skeletonise(np.zeros((4, 5, 6), int)).length == 0


def test_edits_are_counted_both_ways():
    rng = np.random.default_rng(1)
    truth, found = rng.integers(0, 6, (2, 400))
    splits = sum(len(set(truth[(found == s) & (truth > 0)])) - 1 for s in range(1, 6))
    merges = sum(len(set(found[(truth == t) & (found > 0)])) - 1 for t in range(1, 6))
    edits = edits_to_truth(truth, found)
    assert (edits.splits, edits.merges, edits.total) == (splits, merges, splits + merges)
    assert edits_to_truth(truth, truth).total == 0
    assert edits_to_truth(truth, found, least_voxels=400).total == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="least_voxels is 0"):
        edits_to_truth([1], [1], least_voxels=0)
    with pytest.raises(ShapeError, match="reach beyond"):
        run_length(skeletonise(np.ones((3, 3, 9), int)), np.ones((3, 3, 5), int))
    with pytest.raises(ShapeError, match="spacing"):
        skeletonise(np.ones((3, 3, 9), int), (1, 1))
