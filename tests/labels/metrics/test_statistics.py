"""Intervals by bootstrap, and calibration of scores."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.labels.metrics import (
    Matching,
    auroc,
    bootstrap_difference,
    bootstrap_interval,
    brier_score,
    expected_calibration_error,
    reliability,
)
from teasel.labels.metrics.bootstrap import resample_sums


def _images(n: int, rate: float, seed: int) -> list[Matching]:
    rng = np.random.default_rng(seed)
    found = rng.binomial(20, rate, n)
    return [Matching(int(k), int(20 - k), int(20 - k), float(k)) for k in found]


def test_interval_covers_the_true_rate_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(200):
        interval = bootstrap_interval(_images(40, 0.7, seed), lambda t: t.precision, 400, seed=seed)
        hits += interval.low <= 0.7 <= interval.high
    assert 0.88 <= hits / 200 <= 0.99


def test_interval_is_that_of_drawing_images_one_by_one() -> None:
    images = _images(15, 0.6, 3)
    rng = np.random.default_rng(0)
    slow = [Matching.pool(images[k] for k in rng.integers(15, size=15)).f1 for _ in range(4000)]
    fast = bootstrap_interval(images, lambda t: t.f1, 4000)
    assert (fast.low, fast.high) == pytest.approx(np.percentile(slow, [2.5, 97.5]), abs=0.006)
    assert fast.value == Matching.pool(images).f1


def test_same_seed_same_interval() -> None:
    images = _images(10, 0.5, 0)
    assert bootstrap_interval(images, lambda t: t.f1) == bootstrap_interval(images, lambda t: t.f1)
    sums = np.arange(10)[:, None]
    assert not np.array_equal(resample_sums(sums, 20, 0), resample_sums(sums, 20, 1))


def test_pairing_cancels_what_is_hard_for_both() -> None:
    rng = np.random.default_rng(0)
    found = rng.integers(2, 18, 30)
    worse = [Matching(int(k), int(20 - k), int(20 - k), float(k)) for k in found]
    better = [Matching(t.tp + 1, t.fp - 1, t.fn - 1, t.iou_sum + 1) for t in worse]
    paired = bootstrap_difference(better, worse, lambda t: t.precision)
    assert paired.value == pytest.approx(0.05)
    assert (paired.low, paired.high) == pytest.approx((0.05, 0.05))
    alone = bootstrap_interval(better, lambda t: t.precision)
    assert alone.high - alone.low > 0.1


def test_one_image_has_no_interval() -> None:
    interval = bootstrap_interval(_images(1, 0.5, 0), lambda t: t.f1)
    assert np.isnan([interval.low, interval.high]).all()
    assert not np.isnan(interval.value)


def test_draws_in_blocks_are_whole() -> None:
    drawn = resample_sums(np.ones((3000, 2)), 1500, 0)
    assert drawn.shape == (1500, 2)
    assert np.all(drawn == 3000)


def test_bootstrap_errors() -> None:
    with pytest.raises(ShapeError, match="no images"):
        bootstrap_interval([], lambda t: t.f1)
    with pytest.raises(ShapeError, match="2 and 1"):
        bootstrap_difference(_images(2, 0.5, 0), _images(1, 0.5, 0), lambda t: t.f1)
    with pytest.raises(ParameterError, match="0 bootstrap draws"):
        bootstrap_interval(_images(2, 0.5, 0), lambda t: t.f1, 0)


def test_calibrated_scores_have_little_error() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(size=20_000)
    right = rng.uniform(size=20_000) < scores
    for binning in ("width", "count"):
        assert expected_calibration_error(scores, right, binning=binning) < 0.015
        assert expected_calibration_error(scores**3, right, binning=binning) > 0.15
    assert brier_score(scores, right) == pytest.approx(1 / 6, abs=0.01)
    assert auroc(scores, right) == auroc(scores**3, right)


def test_bins() -> None:
    bins = reliability([0.0, 0.1, 0.95, 1.0], [False, False, True, True])
    assert bins.n.tolist() == [1, 1, 2]  # closed on the left; 1.0 is in the last
    assert reliability([0.1, 0.2, 0.3, 0.4], [True] * 4, 2, binning="count").n.tolist() == [2, 2]


def test_ece_of_a_worked_case() -> None:
    assert expected_calibration_error([0.75, 0.75, 0.25], [True, False, False], 2) == pytest.approx(
        2 / 3 * 0.25 + 1 / 3 * 0.25
    )


def test_auroc_equals_comparing_all_pairs() -> None:
    rng = np.random.default_rng(1)
    scores, right = rng.integers(0, 5, 60) / 5, rng.random(60) < 0.4
    higher = scores[right][:, None] - scores[~right][None, :]
    assert auroc(scores, right) == pytest.approx(np.mean((higher > 0) + 0.5 * (higher == 0)))


def test_without_objects_calibration_is_undefined() -> None:
    assert np.isnan(expected_calibration_error([], []))
    assert np.isnan(brier_score([], []))
    assert np.isnan(auroc([0.5], [True]))


@pytest.mark.parametrize(
    ("scores", "right", "options", "error"),
    [
        ([1.2], [True], {}, DataError),
        ([np.nan], [True], {}, DataError),
        ([0.5], [True, False], {}, ShapeError),
        ([0.5], [True], {"n_bins": 0}, ParameterError),
        ([0.5], [True], {"binning": "depth"}, ParameterError),
    ],
)
def test_calibration_errors(scores, right, options, error) -> None:
    with pytest.raises(error):
        reliability(scores, right, **options)
