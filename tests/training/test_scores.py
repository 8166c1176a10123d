from dataclasses import replace

import numpy as np
import pytest

from teasel.errors import DataError
from teasel.training.config import TrainingConfig
from teasel.training.loop import Trained
from teasel.training.scores import fit_logistic, fit_score
from teasel.training.start import build_representation, make_network
from tests.training.test_crops import item


def test_a_logistic_model_is_recovered():
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, (20000, 2))
    chance = 1 / (1 + np.exp(-(0.5 + 1.5 * x[:, 0] - x[:, 1])))
    assert fit_logistic(x, rng.random(20000) < chance) == pytest.approx([0.5, 1.5, -1.0], abs=0.1)


def test_all_right_is_no_error():
    weights = fit_logistic(np.random.default_rng(0).normal(size=(50, 3)), np.ones(50, bool))
    assert np.isfinite(weights).all()


def test_a_network_that_finds_nothing_is_said_to():
    config = TrainingConfig(widths=(8, 16, 24, 32), steps=1)
    representation = build_representation(config)
    network = make_network(config, representation, 2).eval()
    blind = Trained(network, replace(representation, foreground_threshold=0.999), config, [])
    with pytest.raises(DataError, match="finds no object in 1 validation images"):
        fit_score(blind, [item(0)])
