import json

import numpy as np
import pytest

from teasel.appraisal.observation import FEATURES
from teasel.appraisal.predictor import Predictor, fit_predictor, monotone
from teasel.appraisal.style import STYLE
from teasel.appraisal.trusting import GENERAL, find_predictor, light_of, read_predictor
from teasel.errors import ModelError
from teasel.models import list_models, load_model


def noisy_images(n=400, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 1, n)
    observed = np.column_stack([truth + 0.1 * rng.standard_normal(n), rng.standard_normal(n)])
    return observed, truth


def test_the_expected_score_follows_the_truth():
    observed, truth = noisy_images()
    predictor = fit_predictor(("sure", "noise"), observed, truth, np.arange(len(truth)))
    fresh, wanted = noisy_images(seed=1)
    assert np.corrcoef(predictor.expect(fresh), wanted)[0, 1] > 0.9
    assert np.abs(predictor.expect(fresh) - wanted).mean() < 0.12


def test_four_in_five_images_lie_in_the_interval():
    observed, truth = noisy_images(1000)
    predictor = fit_predictor(("sure", "noise"), observed, truth, np.arange(len(truth)))
    fresh, wanted = noisy_images(1000, seed=1)
    ranges = [predictor.interval(one) for one in predictor.expect(fresh)]
    inside = np.mean([low <= value <= high for (low, high), value in zip(ranges, wanted, strict=True)])
    assert 0.72 < inside < 0.9


def test_what_was_never_seen_is_not_extrapolated():
    observed, truth = noisy_images()
    predictor = fit_predictor(("sure", "noise"), observed, truth, np.arange(len(truth)))
    values = predictor.expect(np.array([[50.0, 0], [-50.0, 0], [0.5, 1e6]]))
    assert (values >= 0).all()
    assert (values <= 1).all()


def test_parameters_survive_json():
    observed, truth = noisy_images()
    predictor = fit_predictor(("sure", "noise"), observed, truth, np.arange(len(truth)))
    again = Predictor.from_dict(json.loads(json.dumps(predictor.to_dict())))
    assert again == predictor
    with pytest.raises(ModelError, match="broken"):
        Predictor.from_dict({"features": ["a"]})


def test_a_monotone_curve_never_falls_and_keeps_the_mean():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 300)
    y = x**2 + 0.2 * rng.standard_normal(300)
    knots, values = monotone(x, y)
    assert (np.diff(values) >= 0).all()
    assert (np.diff(knots) > 0).all()
    assert abs(np.interp(x, knots, values).mean() - y.mean()) < 0.03


def test_shipped_parameters_fit_the_observations():
    installed = [name for name in (GENERAL, *(spec.name for spec in list_models())) if read_predictor(name) is not None]
    assert {GENERAL, "nuclei-fast"} <= set(installed)
    for name in installed:
        predictor = read_predictor(name)
        assert predictor.features == FEATURES
        assert len(predictor.weights) == len(FEATURES) + 1
        assert len(predictor.errors) == len(predictor.edges) + 1
        if predictor.centres:
            assert {len(centre) for centre in predictor.centres} == {len(STYLE)}


def test_a_model_without_parameters_of_its_own_gets_the_general_ones():
    assert find_predictor(load_model("nuclei-fast", threads=1))[0] == "nuclei-fast"
    assert read_predictor("no-such-model") is None


@pytest.mark.parametrize(("expected", "light"), [(1.0, "green"), (0.7, "green"), (0.69, "amber"), (0.49, "red")])
def test_lights(expected, light):
    assert light_of(expected) == light
