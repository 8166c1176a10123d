from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.representations.calibration import Calibration, _pool


def test_default_changes_nothing():
    scores = np.linspace(0, 1, 11)
    assert np.allclose(Calibration()(scores), scores)


def test_constant_beyond_the_ends():
    assert Calibration(((0.2, 0.1), (0.6, 0.9)))([0.0, 1.0]).tolist() == pytest.approx([0.1, 0.9])


@pytest.mark.parametrize(
    "knots",
    [
        ((0.0, 0.0),),
        ((0.5, 0.1), (0.2, 0.4)),
        ((0.0, 0.9), (1.0, 0.1)),
        ((0.0, 0.0), (1.0, 1.5)),
        ((0.0, float("nan")), (1.0, 1.0)),
    ],
)
def test_knots_that_do_not_rise_are_refused(knots):
    with pytest.raises(ParameterError, match="knots"):
        Calibration(knots)


def test_learns_a_distorted_probability():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 1, 20_000)
    matched = rng.uniform(0, 1, truth.size) < truth
    fitted = Calibration.fit(truth**2, matched)
    assert np.abs(fitted(truth**2) - truth).max() < 0.08


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.integers(2, 15))
def test_fit_always_rises_and_keeps_the_mean(objects, n_knots):
    raw, matched = np.array(objects, float).T
    fitted = Calibration.fit(raw, matched, n_knots)
    assert len(fitted.knots) <= max(n_knots, 2)
    inside = fitted(np.sort(raw))
    assert (np.diff(inside) >= 0).all()
    assert ((inside >= 0) & (inside <= 1)).all()


@given(st.lists(st.tuples(st.floats(0.1, 5), st.floats(0, 1)), min_size=1, max_size=8))
def test_pooling_is_the_nearest_rising_sequence(pairs):
    weight, y = np.array(pairs).T
    w, _, means = _pool(weight, np.arange(len(y), dtype=float), y)
    assert (np.diff(means) >= 0).all()
    assert w.sum() == pytest.approx(weight.sum())
    assert (w * means).sum() == pytest.approx((weight * y).sum())
    best = [max(min(_mean(weight, y, i, j) for j in range(k, len(y))) for i in range(k + 1)) for k in range(len(y))]
    assert np.allclose(_distinct(means), _distinct(best), atol=1e-6)


def _distinct(values):
    kept = [values[0]]
    for value in values[1:]:
        if value > kept[-1] + 1e-9:
            kept.append(value)
    return kept


def _mean(weight, y, i, j):
    """Weighted mean of y[i..j]: isotonic regression is max over i of min over j of it."""
    return (weight[i : j + 1] * y[i : j + 1]).sum() / weight[i : j + 1].sum()


def test_wrong_input_is_refused():
    with pytest.raises(ShapeError):
        Calibration.fit([0.1, 0.2], [True])
    with pytest.raises(DataError):
        Calibration.fit([], [])
    with pytest.raises(DataError):
        Calibration.fit([float("nan")], [True])
    with pytest.raises(ParameterError):
        Calibration.fit([0.1], [True], n_knots=1)
