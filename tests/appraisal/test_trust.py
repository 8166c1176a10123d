from dataclasses import replace

import numpy as np
import pytest

from teasel.appraisal import rank_models, trust
from teasel.appraisal.observation import FEATURES, observe
from teasel.appraisal.opinions import star_opinion, watershed_opinion
from teasel.appraisal.windows import grid, liveliest, plane_of
from teasel.errors import ModelError, ParameterError
from teasel.images import open_image
from teasel.inference import Plane
from teasel.inference.consistency import look
from teasel.labels.metrics.matching import match
from teasel.models import load_model
from teasel.representations import build
from teasel.training.data import normalise
from teasel.training.simulation.nuclei_scenes import simulate_nuclei


@pytest.fixture(scope="module")
def model():
    return load_model("nuclei-fast", threads=1)


def clear(seed=2, size=192):
    image, labels = simulate_nuclei("culture", size_px=size, seed=seed)
    return (200 + 4000 * normalise(image)[0].clip(0, 2)).astype(np.uint16), labels


def test_a_clear_image_is_trusted_more_than_a_ruined_one(model):
    image, _ = clear()
    ruined = (image + np.random.default_rng(0).normal(0, 4000, image.shape)).clip(0).astype(np.uint16)
    good, bad = trust(image, model), trust(ruined, model)
    assert good.light == "green"
    assert good.low <= good.expected <= good.high
    assert bad.expected < good.expected
    assert bad.reasons
    assert good.model == "nuclei-fast"


def test_an_empty_image_says_so(model):
    found = trust(np.random.default_rng(0).integers(90, 110, (128, 128)).astype(np.uint16), model)
    assert found.observation.objects == 0 or found.light != "green"
    if found.observation.objects == 0:
        assert found.reasons == ("no object was found",)


def test_observations_have_the_stated_order_and_do_not_depend_on_intensity_units(model):
    image, _ = clear()
    plane = Plane.of_array(image[None], model.spec.normalisation)
    seen = observe(model, plane)
    assert seen.features.shape == (len(FEATURES),)
    assert 0.5 < seen["score_mean"] <= 1
    assert seen["objects"] == pytest.approx(np.log2(1 + seen.objects))
    other = observe(model, Plane.of_array(3.0 * image[None].astype(np.float32) + 50, model.spec.normalisation))
    assert np.allclose(seen.features, other.features, atol=0.05)


def test_decoders_agree_about_a_perfect_prediction(model):
    _, labels = clear(size=128)
    fields = build("hybrid", {}).encode(labels)
    fields = {name: np.nan_to_num(value) for name, value in fields.items()}
    for opinion in (watershed_opinion(fields), star_opinion(fields, model)):
        assert match(labels, opinion).accuracy > 0.85


def test_ranking_puts_the_better_model_first(model):
    spoiled = replace(model, name="spoiled", opened=lambda batch: _without_flow(model.run(batch)))
    ranked = rank_models([clear(1)[0], clear(2)[0]], [spoiled, model])
    assert list(ranked) == ["nuclei-fast", "spoiled"]
    assert [len(rows) for rows in ranked.values()] == [2, 2]


def _without_flow(fields):
    return fields | {"flow": np.random.default_rng(0).normal(size=fields["flow"].shape).astype(np.float32)}


def test_a_model_without_the_heads_is_refused(model):
    blind = replace(model, spec=replace(model.spec, representation=build("star", {})))
    with pytest.raises(ModelError, match="'hybrid'"):
        trust(clear()[0], blind)


def test_stacks_and_channels_are_chosen_not_guessed(model):
    stack = open_image(np.zeros((4, 64, 64), np.uint8), axes="zyx")
    with pytest.raises(ParameterError, match="stack of 4 planes"):
        plane_of(stack, model, channel=None, asked=None, z=None)
    assert plane_of(stack, model, channel=None, asked=None, z="2").fixed == {"z": 2}
    with pytest.raises(ParameterError, match="'9'"):
        plane_of(stack, model, channel=None, asked=None, z="9")
    with pytest.raises(ParameterError, match="2 channels"):
        plane_of(open_image(np.zeros((2, 64, 64)), axes="cyx"), model, channel=None, asked=None, z=None)


def test_windows_cover_the_plane_and_the_liveliest_win():
    covered = np.zeros((300, 500), int)
    for window in grid((300, 500), 128):
        covered[window] += 1
        assert covered[window].shape == (128, 128)
    assert covered.min() >= 1
    image = np.zeros((256, 512), np.float32)
    image[:, 300:] = np.random.default_rng(0).random((256, 212))
    (window,) = liveliest(Plane.of_array(image[None], (1, 99.8)), grid((256, 512), 256), 1)
    assert window[1].start == 256


def test_a_look_returns_what_is_segmented(model):
    image, labels = clear(size=128)
    seen = look(model, normalise(image[None].astype(np.float32)))
    assert match(labels, seen.labels).accuracy > 0.7
