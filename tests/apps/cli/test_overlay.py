"""The picture of outlines over an image."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.apps.cli.overlay import draw_overlay, stretch_contrast
from teasel.images import Image, open_image


def squares(shape: tuple[int, int]) -> np.ndarray:
    labels = np.zeros(shape, np.uint32)
    labels[shape[0] // 4 : shape[0] // 2, shape[1] // 4 : shape[1] // 2] = 1
    labels[shape[0] // 4 : shape[0] // 2, shape[1] // 2 : 3 * shape[1] // 4] = 2
    return labels


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((600, 700), (600, 700)), ((100, 80), (1000, 800)), ((30, 4100), (10, 1367)), ((1, 1), (1024, 1024))],
)
def test_size_of_the_picture(shape, expected):
    labels = np.zeros(shape, np.uint32)
    image = open_image(np.zeros(shape, np.uint16), axes="yx")
    assert draw_overlay(image, labels).shape == (*expected, 3)


def test_outlines_lie_on_the_objects_border():
    labels = squares((600, 600))
    image = open_image(np.where(labels > 0, 500, 100).astype(np.uint16), axes="yx")
    picture = draw_overlay(image, labels)
    coloured = picture[..., 0] != picture[..., 2]
    assert coloured.any()
    assert (labels[coloured] > 0).all()
    assert coloured[200, 150]
    assert not coloured[200, 200]
    assert coloured[200, 299]
    assert coloured[200, 300]


def test_reduced_pictures_are_means_strip_by_strip(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1000, (4097, 50)).astype(np.float32)
    image = open_image(values, axes="yx")
    whole = draw_overlay(image, np.zeros(values.shape, np.uint32))
    monkeypatch.setattr("teasel.apps.cli.overlay._STRIP_BYTES", 10_000)
    assert np.array_equal(draw_overlay(image, np.zeros(values.shape, np.uint32)), whole)
    assert whole.shape == (1366, 17, 3)


def test_a_large_image_is_never_read_whole():
    read = []

    class Recorder:
        shape, dtype, ndim = (20_000, 3000), np.dtype(np.uint16), 2

        def __getitem__(self, key):
            rows = len(range(*key[0].indices(20_000)))
            read.append(rows)
            return np.zeros((rows, 3000), np.uint16)

    labels = np.broadcast_to(np.zeros((), np.uint32), (20_000, 3000))
    draw_overlay(Image(Recorder(), "yx"), labels)
    assert sum(read) == 20_000
    assert max(read) * 3000 * 8 <= 2**26 + 3000 * 8 * 10


def test_the_fullest_plane_of_a_stack_is_shown():
    stack = np.zeros((3, 600, 600), np.uint16)
    stack[1, 300:] = 50_000
    labels = np.zeros(stack.shape, np.uint32)
    labels[1, 100:200, 100:200] = 1
    picture = draw_overlay(open_image(stack, axes="zyx"), labels)
    assert (picture[300:] == 255).all()
    assert picture[100, 100].tolist() != [255, 255, 255]


def test_colour_images_keep_their_colours():
    image = np.zeros((600, 600, 3), np.uint8)
    image[..., 1] = 77
    opened = open_image(image)
    assert opened.is_rgb
    assert (draw_overlay(opened, np.zeros((600, 600), np.uint32)) == image).all()


@pytest.mark.parametrize("value", [0, 7, np.nan, np.inf])
def test_constant_and_not_finite_images(value):
    picture = stretch_contrast(np.full((4, 4, 1), value, np.float32))
    assert picture.shape == (4, 4, 3)
    assert (picture == picture[0, 0]).all()


def test_input_is_left_alone():
    view = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    before = view.copy()
    stretch_contrast(view)[:] = 0
    assert np.array_equal(view, before)


@pytest.mark.parametrize(("z", "bright"), [(0, False), (1, True), ("max", True)])
def test_labels_of_one_plane_or_projection_of_a_stack(z, bright):
    stack = np.zeros((3, 600, 600), np.uint16)
    stack[1, 300:] = 50_000
    picture = draw_overlay(open_image(stack, axes="zyx"), np.zeros((600, 600), np.uint32), z=z)
    assert (picture[300:] == 255).all() == bright


def test_series_of_stacks_with_labels_of_one_plane():
    series = np.zeros((4, 2, 600, 600), np.uint16)
    series[2, 1, 300:] = 50_000
    labels = np.zeros((4, 600, 600), np.uint32)
    labels[2, 100:200, 100:200] = 1
    picture = draw_overlay(open_image(series, axes="tzyx"), labels, z="1")
    assert (picture[300:] == 255).all()


@pytest.mark.parametrize("channel", [1, "1", "DAPI"])
def test_the_channel_that_was_segmented_is_shown(channel):
    planes = np.zeros((2, 600, 600), np.uint16)
    planes[1, 300:] = 50_000
    image = Image(planes, "cyx", channel_names=("actin", "DAPI"))
    assert (draw_overlay(image, np.zeros((600, 600), np.uint32), channel=channel)[300:] == 255).all()


def test_nuclei_are_outlined_in_a_colour_of_their_own():
    labels = squares((600, 600))
    nuclei = np.zeros_like(labels)
    nuclei[180:220, 180:220] = 1
    image = open_image(np.full((600, 600), 100, np.uint16), axes="yx")
    cells, both = draw_overlay(image, labels), draw_overlay(image, labels, nuclei=nuclei)
    changed = (cells != both).any(-1)
    assert set(nuclei[changed]) == {1}
    assert changed[180, 200]
    assert not changed[200, 200]
    assert len({tuple(colour) for colour in both.reshape(-1, 3)}) == 3
