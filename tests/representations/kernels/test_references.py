"""Every kernel against its slow, obvious version."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from teasel.representations.kernels import edt, mutex, peaks, raycasting, rendering, suppression, watershed
from teasel.representations.rays import spread_rays
from tests.synthetic import random_labels, touching

SHAPES = [(23, 31), (7, 12, 10)]


@pytest.fixture(params=range(4))
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(request.param)


@pytest.fixture(params=SHAPES, ids=["2D", "3D"])
def shape(request: pytest.FixtureRequest) -> tuple[int, ...]:
    return request.param


def landscape(rng: np.random.Generator, shape: tuple[int, ...], levels: int) -> np.ndarray:
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), rng.uniform(0.3, 1.5))
    return ((smooth - smooth.min()) / np.ptp(smooth) * levels).astype(np.uint8)


def test_distance(rng, shape):
    labels = random_labels(shape, 6, seed=int(rng.integers(100)))
    spacing = tuple(rng.uniform(0.5, 3, len(shape)))
    assert np.allclose(edt.distance_to_border(labels, spacing), edt._distance_reference(labels, spacing), rtol=1e-5)


@pytest.mark.parametrize("levels", [3, 30, 255])
def test_peaks(rng, shape, levels):
    height = landscape(rng, shape, levels)
    for depth in (1, levels // 3, levels):
        threshold = int(rng.integers(1, levels))
        found = peaks.find_peaks(height, threshold, depth)
        assert np.array_equal(found, peaks._peaks_reference(height, threshold, depth))


@pytest.mark.parametrize("levels", [1, 30, 255])
def test_watershed(rng, shape, levels):
    height = landscape(rng, shape, levels)
    seeds = np.zeros(shape, np.int32)
    seeds.ravel()[rng.choice(seeds.size, 9, replace=False)] = np.arange(1, 10)
    mask = rng.random(shape) < 0.85
    assert np.array_equal(watershed.flood(height, seeds, mask), watershed._flood_reference(height, seeds, mask))


@pytest.mark.parametrize("levels", [2, 255])
def test_mutex(rng, shape, levels):
    small = tuple(min(n, 7) for n in shape)
    ndim = len(shape)
    offsets = [*np.eye(ndim, dtype=int), *(3 * np.eye(ndim, dtype=int)), np.array([2] * (ndim - 1) + [-2])]
    strength = rng.integers(0, levels, (len(offsets), *small)).astype(np.uint8)
    strength[ndim:] = strength[ndim:] * rng.uniform(0.2, 1)
    mask = rng.random(small) < 0.9
    fast = mutex.partition(strength, offsets, mask, n_attractive=ndim)
    slow = mutex._partition_reference(strength, offsets, mask, n_attractive=ndim)
    pairs = np.unique(np.stack([fast.ravel(), slow.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(fast)) == len(np.unique(slow))
    assert np.array_equal(fast > 0, mask)


def test_ray_lengths(rng, shape):
    labels = touching(shape, int(rng.integers(100)), n=3)
    spacing = tuple(rng.uniform(0.7, 2, len(shape)))
    points = np.argwhere(labels > 0)[::37] + rng.uniform(-0.3, 0.3, (1, len(shape)))
    directions = spread_rays(11, len(shape)).directions
    fast = raycasting.ray_lengths(labels, points, directions, spacing)
    slow = raycasting._lengths_reference(labels, points, directions, spacing, step=0.02)
    apart = np.abs(fast - slow)
    assert np.median(apart) < 0.021
    assert (apart < 0.021).mean() > 0.99  # a creeping ray may step over the corner of a pixel


def test_rays_that_leave_the_image_can_be_marked():
    labels = np.ones((9, 9), np.int32)
    labels[:, 6:] = 0
    directions = spread_rays(4, 2).directions  # right, down, left, up
    cut = raycasting.ray_lengths(labels, np.array([[4.0, 4.0]]), directions, (1.0, 1.0), cut_is_nan=True)
    assert np.allclose(cut, [[1.5, np.nan, np.nan, np.nan]], equal_nan=True)
    whole = raycasting.ray_lengths(labels, np.array([[4.0, 4.0]]), directions, (1.0, 1.0))
    assert np.allclose(whole, [[1.5, 4.5, 4.5, 4.5]])


def stars(rng, shape, n):
    rays = spread_rays(16 if len(shape) == 2 else 24, len(shape))
    centres = rng.uniform(-1, np.array(shape), (n, len(shape)))
    lengths = rng.uniform(1, 4, (n, 1)) + rng.uniform(0, 2, (n, len(rays.directions)))
    return centres, lengths.astype(np.float32), rays


def test_rendering(rng, shape):
    centres, lengths, rays = stars(rng, shape, 6)
    spacing = tuple(rng.uniform(0.7, 2, len(shape)))
    fast = rendering.render_stars(centres, lengths, rays, shape, spacing)
    assert np.array_equal(fast, rendering._render_reference(centres, lengths, rays, shape, spacing))


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.8])
def test_suppression(rng, shape, threshold):
    centres, lengths, rays = stars(rng, shape, 25)
    lengths[3] *= 3  # one giant among them
    fast = suppression.suppress(centres, lengths, rays, threshold)
    assert np.array_equal(fast, suppression._suppress_reference(centres, lengths, rays, threshold))


def test_overlap_of_discs_is_what_geometry_says():
    rays = spread_rays(64, 2)
    lengths = np.full((2, 64), 10.0, np.float32)
    for apart in (4.0, 8.0, 12.0):
        half = apart / 20
        true = 2 / np.pi * (np.arccos(half) - half * np.sqrt(1 - half**2))
        centres = np.array([[0.0, 0.0], [0.0, apart]])
        assert len(suppression.suppress(centres, lengths, rays, true + 0.05)) == 2
        assert len(suppression.suppress(centres, lengths, rays, true - 0.05)) == 1
