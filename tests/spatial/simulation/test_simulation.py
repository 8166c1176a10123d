"""Simulated images are what their scene says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from teasel.errors import ParameterError, ShapeError
from teasel.representations.spot import Spot
from teasel.spatial import find_spots
from teasel.spatial.detectors import build
from teasel.spatial.matching import match_spots
from teasel.spatial.simulation import Scene, SimulatedCrops, random_scene, real_background, simulate

SHAPES = [(96, 112), (12, 40, 48)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_seed_gives_the_same_image(shape):
    scene = random_scene(np.random.default_rng(4))
    one, two = (simulate(shape, scene, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.spots.positions_px, two.spots.positions_px)
    assert not np.array_equal(one.image, simulate(shape, scene, seed=4).image)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shape", SHAPES)
def test_any_scene_can_be_drawn(shape, seed):
    made = simulate(shape, random_scene(np.random.default_rng(seed)), seed=seed)
    assert made.image.shape == shape
    assert made.image.dtype == np.float32
    assert np.isfinite(made.image).all()
    assert ((made.spots.positions_px >= -0.5) & (made.spots.positions_px < np.array(shape) - 0.5)).all()
    assert len(made.weights) == len(made.spots)


def test_a_spot_is_as_high_wide_and_where_it_should_be():
    scene = Scene(sigma_px=1.6, sigma_spread=0, density=0.0004, detectability=5000, read_noise=0.1, brightness_spread=0)
    made = simulate((300, 300), scene, seed=2)
    y, x = np.mgrid[:300, :300]
    for (cy, cx), height in zip(made.spots.positions_px, made.spots["height"], strict=True):
        others = np.linalg.norm(made.spots.positions_px - (cy, cx), axis=1)
        if np.sort(others)[1] < 25 or min(cy, cx) < 15 or max(cy, cx) > 285:
            continue
        near = np.hypot(y - cy, x - cx) < 9
        signal = (made.image[near] - scene.photons).astype(float)
        assert signal.max() == pytest.approx(height, rel=0.15)
        centre = (signal @ y[near] / signal.sum(), signal @ x[near] / signal.sum())
        np.testing.assert_allclose(centre, (cy, cx), atol=0.1)
        spread = signal @ (y[near] - cy) ** 2 / signal.sum()
        assert spread == pytest.approx(1.6**2, rel=0.1)


def test_noise_is_that_of_the_camera():
    image = simulate((400, 400), Scene(density=0, photons=200, read_noise=5), seed=1).image
    assert image.mean() == pytest.approx(200, rel=0.01)
    assert image.std() == pytest.approx(np.sqrt(200 + 25), rel=0.02)


def test_density_is_what_was_asked_for():
    made = simulate((500, 500), Scene(density=0.002, sigma_px=0.8), seed=6)
    assert len(made.spots) == pytest.approx(500, rel=0.15)


def test_real_backgrounds_lose_what_is_as_small_as_spots():
    random = np.random.default_rng(0)
    plain = np.full((120, 120), 100.0)
    spotted = plain.copy()
    spotted[20::25, 20::25] = 1000
    background = real_background(spotted, (64, 64), 1.5, random)
    assert background.shape == (64, 64)
    assert np.ptp(background) < 0.01
    made = simulate((64, 64), Scene(), background=background, seed=1)
    assert made.image.shape == (64, 64)


def test_crops_come_by_number_and_from_a_pool_turned():
    crops = SimulatedCrops(Spot(), crop_px=48, seed=3)
    for number in (0, 7):
        image, targets = crops(number)
        again = SimulatedCrops(Spot(), crop_px=48, seed=3)(number)
        np.testing.assert_array_equal(image, again[0])
        assert image.shape == (1, 48, 48)
        assert targets["offset"].shape == (2, 48, 48)
    pooled = replace(crops, pool=1)
    images = [pooled(number)[0] for number in range(6)]
    assert len({image.tobytes() for image in images}) == 6
    image, targets = pooled(2)
    bright = np.nan_to_num(targets["heat"][0]) > 0.9
    if bright.any():
        assert image[0][bright].mean() > image.mean()


def test_off_target_puncta_are_drawn_and_are_no_spots():
    plain = Scene(density=0.002, detectability=100, brightness_spread=0, sigma_spread=0)
    made = simulate((300, 300), replace(plain, off_target=4.0), seed=8)
    without = simulate((300, 300), plain, seed=8)
    np.testing.assert_array_equal(made.spots.positions_px, without.spots.positions_px)
    found = [find_spots(one.image, build("log", {"sigma_px": 1.4, "score_threshold": 0.0})) for one in (made, without)]
    counts = [int((spots["snr"] > 6).sum()) for spots in found]
    assert counts[0] - counts[1] > len(made.spots)
    told = find_spots(made.image)
    agreement = match_spots(made.visible.positions_px, told.positions_px)
    assert agreement.precision > 0.9
    assert agreement.recall > 0.9


def test_dimmed_spots_reach_down_to_nothing():
    scene = Scene(density=0.01, brightness_spread=0, sigma_px=0.8)
    plain, dimmed = (simulate((200, 200), replace(scene, dimmed=share), seed=2).spots["height"] for share in (0, 1))
    assert np.ptp(plain) == 0
    assert np.quantile(dimmed, [0.25, 0.75]) / plain[0] == pytest.approx([0.25, 0.75], abs=0.08)


def test_wrong_values_are_refused():
    for wrong in (
        {"density": -1},
        {"sigma_px": 0},
        {"halo": 2},
        {"dimmed": 2},
        {"ellipticity": 0.5},
        {"photons": float("nan")},
    ):
        with pytest.raises(ParameterError):
            Scene(**wrong)
    with pytest.raises(ShapeError):
        simulate((10,))
    with pytest.raises(ShapeError):
        simulate((10, 10), background=np.ones((9, 10)))
