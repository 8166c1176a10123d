"""Choosing what to look at, reading it in pieces, measuring in it."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import ParameterError
from teasel.images import open_image
from teasel.spatial import Spots, find_spots
from teasel.spatial.measure import measure_spots
from teasel.spatial.scale import estimate_sigmas
from teasel.spatial.simulation import Scene, simulate
from teasel.spatial.source import Source


def test_tiles_cover_the_image_once():
    source = Source.of(np.zeros((37, 53), np.uint8))
    seen = np.zeros(source.shape, int)
    for tile in source.tiles((16, 20), (5, 7)):
        seen[tile.inner] += 1
        assert np.zeros(source.shape)[tile.outer][tile.inside].shape == np.zeros(source.shape)[tile.inner].shape
    assert (seen == 1).all()


def test_channel_plane_and_time_must_be_said():
    image = open_image(np.zeros((2, 3, 4, 20, 30), np.uint8), axes="tczyx")
    with pytest.raises(ParameterError, match="channel"):
        Source.of(image, t=0)
    with pytest.raises(ParameterError, match="time"):
        Source.of(image, channel=0)
    with pytest.raises(ParameterError, match="expected 0 to 2"):
        Source.of(image, channel=3, t=0)
    with pytest.raises(ParameterError, match="plane"):
        Source.of(image, channel=1, t=0, z="top")
    assert Source.of(image, channel="2", t=1).shape == (4, 20, 30)
    assert Source.of(image, channel=2, t=1, z="max").shape == (20, 30)
    assert Source.of(image, channel=2, t=1, z="3").shape == (20, 30)


def test_projection_is_the_maximum():
    stack = np.random.default_rng(0).integers(0, 99, (5, 20, 30)).astype(np.uint16)
    read = Source.of(open_image(stack, axes="zyx"), z="max").read([slice(2, 9), slice(0, 30)])
    np.testing.assert_array_equal(read, stack.max(0)[2:9])


@pytest.mark.parametrize(("sigma", "sigma_z"), [(1.0, 0.9), (1.6, 1.2), (2.2, 2.5)])
def test_widths_are_found_in_volumes(sigma, sigma_z):
    scene = Scene(sigma_px=sigma, sigma_z_px=sigma_z, sigma_spread=0.02, density=0.0002, detectability=80)
    found = estimate_sigmas([simulate((24, 110, 110), scene, seed=2).image])
    assert found is not None
    assert found[1] == pytest.approx(sigma, rel=0.12)
    assert found[0] == pytest.approx(sigma_z, rel=0.25)


def test_nothing_that_stands_out_has_no_width():
    assert estimate_sigmas([np.zeros((60, 60), np.float32)]) is None


def test_intensity_background_and_snr_are_those_of_the_simulation():
    scene = Scene(sigma_px=1.5, sigma_spread=0, density=0.0004, detectability=60, photons=400, read_noise=10)
    made = simulate((400, 400), scene, seed=1)
    measured = measure_spots(Source.of(made.image), made.spots, sigma_px=1.5, tile_px=64)
    np.testing.assert_allclose(np.median(measured["background"]), 400, rtol=0.02)
    np.testing.assert_allclose(measured["intensity"] / made.spots["height"], 1, atol=0.35)
    assert np.median(measured["intensity"] / made.spots["height"]) == pytest.approx(1, abs=0.04)
    noise = measured["intensity"] / measured["snr"]
    assert np.median(noise) == pytest.approx(np.sqrt(500), rel=0.1)
    for tile_px in (100, 1000):
        again = measure_spots(Source.of(made.image), made.spots, sigma_px=1.5, tile_px=tile_px)
        np.testing.assert_array_equal(again["snr"], measured["snr"])


def test_spots_at_the_border_and_none_at_all_are_measured():
    image = np.random.default_rng(0).normal(100, 5, (40, 40)).astype(np.float32)
    corner = measure_spots(Source.of(image), Spots(np.array([[0.0, 0.0], [39.4, -0.4]])))
    assert np.isfinite(corner["background"]).all()
    assert len(measure_spots(Source.of(image), Spots(np.zeros((0, 2))))) == 0


def test_values_that_are_no_numbers_are_black():
    made = simulate((80, 80), Scene(detectability=50), seed=4)
    broken = made.image.copy()
    broken[:4, :4] = np.nan
    assert len(find_spots(broken, "log")) > 3
