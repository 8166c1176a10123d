"""Rates of detectors without truth, clusters without chains."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import ParameterError, ShapeError
from teasel.labels.metrics.calibration import expected_calibration_error
from teasel.spatial import Spots
from teasel.spatial.consensus import cluster_detections, combine_detections, estimate_rates

TPR, FPR = np.array([0.92, 0.8, 0.7, 0.85, 0.6]), np.array([0.1, 0.3, 0.2, 0.05, 0.15])


def simulated_votes(n, share, seed, detectors=5):
    random = np.random.default_rng(seed)
    truth = random.random(n) < share
    chances = np.where(truth[:, None], TPR[:detectors], FPR[:detectors])
    return truth, random.random(chances.shape) < chances


@pytest.mark.parametrize("share", [0.4, 0.7])
@pytest.mark.parametrize("complete", [True, False])
def test_rates_are_recovered(share, complete):
    truth, votes = simulated_votes(60_000, share, seed=1)
    kept = votes.any(1) | complete
    rates = estimate_rates(votes[kept])
    assert np.abs(rates.true_positive - TPR).max() < 0.02
    assert np.abs(rates.false_positive - FPR).max() < 0.02
    assert rates.prior == pytest.approx(truth[kept].mean(), abs=0.02)
    assert expected_calibration_error(rates.posterior, truth[kept]) < 0.02


def test_three_detectors_suffice_where_the_unseen_are_listed():
    _, votes = simulated_votes(60_000, 0.6, seed=2, detectors=3)
    rates = estimate_rates(votes)
    assert np.abs(rates.true_positive - TPR[:3]).max() < 0.02


def test_order_of_clusters_and_detectors_does_not_matter():
    _, votes = simulated_votes(5_000, 0.6, seed=3)
    votes = votes[votes.any(1)]
    rates, turned = estimate_rates(votes), estimate_rates(votes[::-1, ::-1])
    np.testing.assert_allclose(turned.true_positive[::-1], rates.true_positive, atol=1e-5)
    np.testing.assert_allclose(turned.posterior[::-1], rates.posterior, atol=1e-5)


def test_clusters_hold_one_detection_of_each_detector():
    random = np.random.default_rng(0)
    truth = random.random((400, 2)) * 300
    sets = [truth + random.normal(0, 0.2, truth.shape) for _ in range(4)]
    positions, votes = cluster_detections(sets)
    assert votes.sum() == 1600
    assert len(positions) < 1.02 * len(truth)
    chain = [np.array([[0.0, 0.0], [0.0, 2.4]]), np.array([[0.0, 1.2], [0.0, 3.6]])]
    positions, votes = cluster_detections(chain, 1.5)
    assert votes.all()
    assert len(votes) == 2


def test_images_are_combined_and_keep_their_own_tables():
    random = np.random.default_rng(5)
    images, truths = [], []
    for _ in range(3):
        truth = random.random((500, 2)) * 500
        spurious = random.random((200, 2)) * 500
        tables = [
            Spots(np.concatenate([truth[random.random(500) < t], spurious[random.random(200) < f]]))
            for t, f in zip(TPR, FPR, strict=True)
        ]
        images.append(tables)
        truths.append(truth)
    found = combine_detections(images, detectors=tuple("abcde"))
    assert np.abs(found.rates.true_positive - TPR).max() < 0.06
    assert [len(table) for table in found.spots] == [len({tuple(p) for t in i for p in t.positions_px}) for i in images]
    likely = found.spots[0].take(found.spots[0]["score"] > 0.5)
    real = {tuple(p) for p in truths[0]}
    assert np.mean([tuple(p) in real for p in likely.positions_px.round(12)]) > 0.9 or len(likely) > 400
    assert found.notes == ()
    assert "start values" in combine_detections([i[:2] for i in images]).notes[0]


def test_wrong_input_is_refused():
    with pytest.raises(ShapeError):
        estimate_rates(np.ones((3, 3)))
    with pytest.raises(ParameterError):
        estimate_rates(np.ones((3, 1), bool))
    with pytest.raises(ParameterError):
        cluster_detections([np.zeros((1, 2))], 0)
    with pytest.raises(ParameterError):
        combine_detections([[Spots(np.zeros((1, 2)))], []])
    assert cluster_detections([np.zeros((0, 2)), np.zeros((0, 2))])[1].shape == (0, 2)
