"""Alignment: known shifts, affine maps and fields are found; what cannot be aligned is an error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, shift

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.spatial.register import (
    LocalShifts,
    Registration,
    Transform,
    align,
    bandpass,
    find_shift,
    measure_offsets,
    register_rounds,
    warp,
)


def texture(shape, seed=0, width=2.0):
    image = gaussian_filter(np.random.default_rng(seed).normal(size=shape), width)
    return (1000 * image / image.std() + 5000).astype(np.float32)


@pytest.mark.parametrize("drift", [(0.0, 0.0), (3.0, -4.0), (2.37, -5.81), (-0.4, 0.25)])
def test_a_shift_is_found_to_a_twentieth_of_a_pixel(drift):
    image = texture((120, 128))
    moved = shift(image, drift, order=3, mode="nearest") + np.random.default_rng(1).normal(0, 50, image.shape)
    found = align(image, moved)
    assert np.abs(np.array(found.shift_px) - drift).max() < 0.05
    assert found.residual_px < 0.1


def test_three_dimensions_are_the_same_code():
    image = texture((16, 64, 64))
    found = align(image, shift(image, (1.0, -2.5, 3.25), order=3, mode="nearest"), Registration(patch_px=32))
    assert np.abs(np.array(found.shift_px) - (1.0, -2.5, 3.25)).max() < 0.1


def test_few_beads_in_noise_are_enough_where_whitening_is_not():
    rng = np.random.default_rng(3)
    beads = np.zeros((128, 128))
    beads[tuple(rng.integers(20, 108, (2, 5)))] = 4000
    beads = gaussian_filter(beads, 2.0)
    pictures = [rng.poisson(shift(beads, move, order=1) + 100).astype(float) for move in ((0, 0), (1.5, -3.5))]
    one, other = (bandpass(picture) for picture in pictures)
    assert np.abs(find_shift(one, other) - (1.5, -3.5)).max() < 0.2


def test_affine_and_local_models_find_what_a_shift_leaves():
    image = texture((192, 192), width=2.5)
    truth = Transform(np.array([[1.01, 0.004], [-0.006, 0.992]]), np.array([2.0, -3.0]))
    places = np.linspace(0, 191, 5)
    wave = np.stack(np.meshgrid(np.sin(places / 50), np.cos(places / 60), indexing="ij"))
    bent = Transform(truth.matrix, truth.offset_px, LocalShifts((places, places), wave))
    # warp draws image(T(p)) at p; the picture that shows at T(p) what the image shows at p is its inverse
    grid = np.stack(np.meshgrid(*[np.arange(192.0)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    from scipy.ndimage import map_coordinates

    for model, map_ in (("affine", truth), ("local", bent)):
        moving = map_coordinates(image, map_.undo(grid).T, order=3, mode="reflect").reshape(image.shape)
        found = align(image, moving, Registration(model=model, max_residual_px=2))
        plain = align(image, moving, Registration(max_residual_px=5))
        inner = grid[(grid > 30).all(axis=1) & (grid < 160).all(axis=1)]
        error = np.linalg.norm(found.transform.apply(inner) - map_.apply(inner), axis=1)
        assert np.sqrt((error**2).mean()) < 0.2
        assert found.residual_px < 0.6 * plain.residual_px


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-0.05, 0.05))
@settings(max_examples=25, deadline=None)
def test_undo_undoes_apply(dy, dx, turn):
    nodes = np.array([0.0, 20.0, 40.0])
    local = LocalShifts((nodes, nodes), np.random.default_rng(0).normal(0, 0.5, (2, 3, 3)))
    transform = Transform(np.array([[1, turn], [-turn, 1]]), np.array([dy, dx]), local)
    points = np.random.default_rng(1).uniform(0, 40, (20, 2))
    assert np.abs(transform.undo(transform.apply(points)) - points).max() < 1e-4


def test_warping_leaves_the_input_alone_and_undoes_the_drift():
    image = texture((64, 64))
    before = image.copy()
    moved = shift(image, (2.0, 3.0), order=1, mode="nearest")
    back = warp(moved, Transform.shift((2.0, 3.0)))
    assert np.array_equal(image, before)
    assert np.abs(back[4:-4, 4:-4] - image[4:-4, 4:-4]).max() < 1e-2


def test_drift_beyond_the_bound_is_an_error_that_names_the_round():
    image = texture((128, 128))
    rounds = [image, np.roll(image, 1, axis=0), np.roll(image, 12, axis=1)]
    with pytest.raises(DataError, match=r"round 2 .*drifted by \(.*12.0\) px, the bound is 5"):
        register_rounds(rounds, Registration(max_drift_px=5))


def test_images_of_different_places_are_an_error():
    with pytest.raises(DataError, match=r"show different things|drifted"):
        align(texture((96, 96), 0), texture((96, 96), 1), Registration(max_drift_px=100))


def test_a_residual_beyond_the_bound_is_an_error():
    image = texture((192, 192))
    grid = np.stack(np.meshgrid(*[np.arange(192.0)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    from scipy.ndimage import map_coordinates

    stretched = Transform(np.diag([1.03, 1.0]), np.zeros(2))
    moving = map_coordinates(image, stretched.undo(grid).T, order=3, mode="reflect").reshape(image.shape)
    with pytest.raises(DataError, match=r"px are left"):
        align(image, moving, Registration(max_residual_px=0.5))


def test_nothing_to_align_by_is_said():
    with pytest.raises(DataError, match="constant"):
        align(np.zeros((32, 32)), np.zeros((32, 32)))
    with pytest.raises(ShapeError, match="must be the same"):
        align(np.zeros((32, 32)), np.zeros((32, 31)))
    with pytest.raises(ParameterError, match="no registration model 'shfit'"):
        Registration(model="shfit")


def test_progress_counts_rounds():
    seen = []
    image = texture((64, 64))
    register_rounds([image, image], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_offsets_of_colours_and_rounds_are_told_from_spots():
    rng = np.random.default_rng(0)
    rounds, colours = np.arange(8) // 2, np.arange(8) % 2
    drift = np.array([[0, 0], [0.3, -0.2], [-0.25, 0.1], [0.1, 0.3]])
    chromatic = np.array([[-0.2, 0.15], [0.2, -0.15]])
    truth = drift[rounds] + chromatic[colours]
    points = rng.uniform(10, 190, (150, 2))
    shows = rng.random((150, 8)) < 0.5
    yy, xx = np.indices((200, 200))
    stack = np.zeros((8, 200, 200))
    for b in range(8):
        for y, x in points[shows[:, b]] + truth[b]:
            stack[b] += np.exp(-((yy - y) ** 2 + (xx - x) ** 2) / (2 * 1.2**2))
    found = measure_offsets(stack, points, shows, rounds=rounds, colours=colours)
    assert np.abs(found.bit_px - (truth - truth.mean(axis=0))).max() < 0.08
    assert np.abs(found.colour_px - chromatic).max() < 0.06
    assert 0.2 < found.rms_px() < 0.5
