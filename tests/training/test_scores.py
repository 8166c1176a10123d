import numpy as np
import pytest

from teasel.training.scores import fit_logistic


def test_a_logistic_model_is_recovered():
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, (20000, 2))
    chance = 1 / (1 + np.exp(-(0.5 + 1.5 * x[:, 0] - x[:, 1])))
    assert fit_logistic(x, rng.random(20000) < chance) == pytest.approx([0.5, 1.5, -1.0], abs=0.1)


def test_all_right_is_no_error():
    weights = fit_logistic(np.random.default_rng(0).normal(size=(50, 3)), np.ones(50, bool))
    assert np.isfinite(weights).all()
