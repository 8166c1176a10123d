"""Shifts, flips and mixed-up tiles are found, and what fits is left alone."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas
import pytest
from scipy.ndimage import gaussian_filter

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.images import open_image
from teasel.spatial.readers import check_against_image, check_tile_order, read_spots
from teasel.spatial.spots import Spots


def scene(seed=0, shape=(120, 150), n=120):
    rng = np.random.default_rng(seed)
    points = rng.uniform(6, np.array(shape) - 7, (n, 2))
    image = np.zeros(shape)
    for y, x in np.rint(points).astype(int):
        image[y, x] += rng.uniform(50, 200)
    return points, gaussian_filter(image, 1.3) + rng.normal(0, 0.5, shape) + 10


def test_what_fits_is_left_alone():
    points, image = scene()
    fit = check_against_image(Spots(points), image)
    assert fit.fits
    assert fit.shift_px == (0.0, 0.0)
    assert "fit" in fit.words()


@pytest.mark.parametrize("shift", [(2.0, 2.0), (-3.0, 1.0), (0.0, 7.0)])
def test_a_constant_shift_is_found(shift):
    points, image = scene(1)
    fit = check_against_image(Spots(points + shift), image)
    assert not fit.fits
    assert np.abs(np.array(fit.shift_px) + shift).max() < 0.4
    assert not any((fit.flip_x, fit.flip_y, fit.transpose))


@pytest.mark.parametrize("way", list(product((False, True), repeat=3))[1:])
def test_flips_are_found_and_undone(way):
    points, image = scene(2, shape=(150, 150))
    transpose, flip_y, flip_x = way
    wrong = points.copy()
    if flip_y:
        wrong[:, 0] = 149 - wrong[:, 0]
    if flip_x:
        wrong[:, 1] = 149 - wrong[:, 1]
    if transpose:
        wrong = wrong[:, ::-1].copy()
    fit = check_against_image(Spots(wrong), image)
    assert not fit.fits
    assert np.abs(fit.apply(wrong, image.shape) - points).max() < 0.5


def test_spots_that_have_nothing_to_do_with_the_image_are_not_moved():
    other = np.random.default_rng(9).uniform(0, 119, (60, 2))
    fit = check_against_image(Spots(other), np.random.default_rng(1).normal(size=(120, 120)), max_shift_px=3)
    assert fit.fits


def test_labels_can_be_checked_against():
    rng = np.random.default_rng(0)
    yy, xx = np.indices((200, 200))
    labels = ((yy // 20 + 2 * (xx // 33)) % 3 == 0) & (yy % 20 < 14)
    inside = np.argwhere(labels)
    spots = inside[rng.integers(len(inside), size=500)].astype(float)
    flipped = spots.copy()
    flipped[:, 0] = 199 - flipped[:, 0]
    fit = check_against_image(Spots(flipped), labels, band=False)
    assert fit.flip_y
    assert not fit.fits


def test_the_order_of_tiles_and_copies_are_found():
    scenes = [scene(seed) for seed in range(4)]
    points, images = [one[0] for one in scenes], [one[1] for one in scenes]
    assert check_tile_order(points, images).fits
    found = check_tile_order(points, [images[k] for k in (1, 0, 2, 3)])
    assert found.order == (1, 0, 2, 3)
    assert found.words() == "tiles are not in the order of the fields: field 0: tile 1, field 1: tile 0"
    copied = check_tile_order(points, [images[0], images[1], images[2], images[2]])
    assert copied.repeated == ((2, 3),)
    assert "tile 3 is a copy of tile 2" in copied.words()
    with pytest.raises(ShapeError):
        check_tile_order(points, images[:2])


def test_too_little_to_judge_by_is_said():
    points, image = scene()
    with pytest.raises(DataError, match="3 spots lie inside"):
        check_against_image(Spots(points[:3]), image)
    with pytest.raises(DataError, match="constant"):
        check_against_image(Spots(points), np.ones((120, 150)))


def test_reading_with_an_image_reports_and_corrects(tmp_path):
    points, image = scene(4)
    table = pandas.DataFrame({"gene": "a", "y": points[:, 0] + 2, "x": points[:, 1] + 2})
    table.to_csv(tmp_path / "spots.csv", index=False)
    spots = read_spots(tmp_path / "spots.csv", image=image)
    assert "off by a constant" in spots.notes[-1]
    assert np.allclose(spots.positions_px, points + 2)
    right = read_spots(tmp_path / "spots.csv", image=image, correct=True)
    assert np.abs(right.positions_px - points).max() < 0.5
    with pytest.raises(ParameterError, match="needs the image"):
        read_spots(tmp_path / "spots.csv", correct=True)


@pytest.mark.parametrize(("name", "shift"), [("smfish_293T_TFRC", 2.0), ("beads_300", 1.0)])
def test_the_known_fault_of_published_annotations_is_found(shared_data, name, shift):
    folder = shared_data / "insta_spots"
    table = pandas.read_csv(folder / "points" / f"{name}.csv")
    image = open_image(folder / "images" / f"{name}.tif").read()
    raw = ("y_fit_raw", "x_fit_raw") if name == "beads_300" else ("y_raw", "x_raw")
    fit = check_against_image(Spots(table[list(raw)].to_numpy()), image)
    assert not fit.fits
    assert np.abs(np.array(fit.shift_px) + shift).max() < 0.5
    assert not any((fit.flip_x, fit.flip_y, fit.transpose))
    assert check_against_image(Spots(table[["y", "x"]].to_numpy()), image).fits
