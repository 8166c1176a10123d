"""A network of stacks, run in tiles: what it finds does not depend on them."""

import tracemalloc

import numpy as np
import pytest
from scipy import ndimage

from teasel.errors import ModelError, ParameterError
from teasel.images import open_image
from teasel.inference.part import check_kind, find_diameter, open_part
from teasel.inference.resample import resample_part, resize
from teasel.inference.stack import Stack
from teasel.inference.stars import draw_stars, find_stars, segment_stars
from teasel.labels.metrics.matching import average_precision
from teasel.models import Model, ModelSpec
from teasel.representations import build
from tests.oracle import oracle
from tests.synthetic import discs


def star_oracle(halo_px=32, diameter_px=20.0):
    """A star model whose "network" thresholds the image at 0.5 and is surer where the image is brighter."""
    star = build("star", {"stride": 2, "prob_threshold": 0.3})
    spec = ModelSpec(
        "star-oracle",
        "Bright connected regions.",
        star,
        {"name": "unet", "params": {}},
        ndim=3,
        in_channels=1,
        object_diameter_px=diameter_px,
        divisor=8,
        halo_px=halo_px,
        normalisation=(0, 100),
    )

    def run(batch):
        fields = star.encode(ndimage.label(batch[0, 0] > 0.5)[0].astype(np.int32))
        light = batch[:1, 0, 1::2, 1::2, 1::2]
        surer = 0.1 * fields["prob"] + 0.9 * light  # many peaks in each object
        fields["prob"] = np.where(np.isfinite(fields["rays"][:1]), surer, 0)
        return {name: np.nan_to_num(field, nan=1)[None].clip(0) for name, field in fields.items()}

    return Model("star-oracle", spec, "0" * 64, "onnx", "f32", 1, run)


@pytest.fixture(scope="module")
def balls():
    return discs((64, 72, 90), 16, 9, seed=2)


def stack_of(labels, anisotropy=1.0, seed=0):
    """Objects of uneven brightness, 0.6 to 1, on black."""
    noise = np.random.default_rng(seed).uniform(0.6, 1, labels.shape)
    image = (255 * np.where(labels > 0, noise, 0)).astype(np.uint8)
    return Stack.of(open_image(image, axes="zyx"), {}, (), (0, 100), anisotropy)


@pytest.mark.parametrize("every", [1, 3])
def test_objects_are_found_whatever_the_distance_of_planes(balls, every):
    labels = balls[every // 2 :: every]
    found = segment_stars(star_oracle(), stack_of(labels, every), 1.0)
    assert found.labels.shape == labels.shape
    assert found.labels.dtype == np.uint32
    assert len(found.scores) == found.labels.max()
    assert (np.diff(found.scores) <= 0).all()
    assert average_precision([labels], [found.labels], [0.7])[0] > 0.9


@pytest.mark.parametrize(("scale", "anisotropy"), [(1.0, 1.0), (0.8, 1.7)])
def test_tiles_give_the_objects_of_the_whole(balls, scale, anisotropy):
    model, stack = star_oracle(), stack_of(balls, anisotropy)
    whole = segment_stars(model, stack, scale, tile_px=256)
    ticks = []
    pieces = segment_stars(model, stack, scale, tile_px=80, progress=lambda done, total: ticks.append(done / total))
    assert len(ticks) > 1
    assert ticks == sorted(ticks)
    assert ticks[-1] == 1
    assert len(find_stars(model, stack, (scale * anisotropy, scale, scale)).scores) > 2 * len(whole.scores)
    np.testing.assert_array_equal(whole.labels, pieces.labels)
    np.testing.assert_array_equal(whole.scores, pieces.scores)


def test_drawn_on_the_grid_of_the_image_it_is_what_decoding_gives(balls):
    star = build("star", {"stride": 2})
    fields = {name: np.nan_to_num(field, nan=1) for name, field in star.encode(balls).items()}
    decoded = star.decode(fields)
    found = draw_stars(star, star.find_stars(fields), balls.shape, (1.0, 1.0, 1.0))
    assert len(decoded.scores) == len(found.scores)
    assert average_precision([decoded.labels], [found.labels], [0.999])[0] == 1
    twice = draw_stars(star, star.find_stars(fields), tuple(2 * n for n in balls.shape), (0.5, 0.5, 0.5))
    truth = balls.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    assert average_precision([truth], [twice.labels], [0.8])[0] > 0.95


def test_memory_is_bounded_by_tile_and_labels(balls):
    model, balls = star_oracle(halo_px=8), balls[:32, :40, :48]
    small, wide = stack_of(balls), stack_of(np.concatenate([balls] * 6, 1))

    def most(stack):
        tracemalloc.start()
        segment_stars(model, stack, 1.0, tile_px=48)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    grown = most(wide) - most(small)
    assert grown < 20 * (np.prod(wide.shape) - np.prod(small.shape))  # fields alone would be 49 bytes a voxel


@pytest.mark.parametrize("diameter", [10.0, 20.0])
def test_sizes_are_told_by_the_rays(diameter):
    model, small = star_oracle(diameter_px=diameter), discs((36, 44, 48), 9, 6, seed=2)
    part = open_part(open_image((255 * (small > 0)).astype(np.uint8), axes="zyx"), {}, (), model, 1.0)
    assert find_diameter(model, part) == pytest.approx(13, rel=0.25)


@pytest.mark.parametrize("value", [0, 7])
def test_nothing_is_found_in_an_even_stack(value):
    stack = stack_of(np.zeros((20, 40, 40), int))
    found = segment_stars(star_oracle(), stack, 1.0)
    assert found.labels.max() == 0
    assert len(found.scores) == 0


def test_a_part_of_a_resized_image_is_a_part_of_the_whole_resized():
    image = np.random.default_rng(0).random((2, 21, 30, 40), np.float32)
    for scales in ((1.0, 1.0, 1.0), (2.0, 0.7, 0.7), (0.5, 1.4, 0.3)):
        spans = [(0, round(n * s)) for n, s in zip(image.shape[1:], scales, strict=True)]
        whole = resample_part(lambda *box: image[(slice(None), *box)], image.shape[1:], spans, scales)
        inner = [(n // 3, n // 2) for _, n in spans]
        part = resample_part(lambda *box: image[(slice(None), *box)], image.shape[1:], inner, scales)
        np.testing.assert_array_equal(part, whole[(slice(None), *(slice(*s) for s in inner))])
    exact = [(0, 42), (0, 15), (0, 20)]
    halves = resample_part(lambda *box: image[(slice(None), *box)], image.shape[1:], exact, (2.0, 0.5, 0.5))
    np.testing.assert_allclose(halves, resize(image, (42, 15, 20)), atol=1e-5)


def test_wrong_kinds_of_models_and_images_are_refused():
    with pytest.raises(ModelError, match="predicts 'hybrid' in 2 dimensions"):
        segment_stars(oracle(), stack_of(np.zeros((4, 8, 8), int)), 1.0)
    with pytest.raises(ParameterError, match="this is one plane"):
        check_kind(star_oracle(), False)
    with pytest.raises(ParameterError, match="needs more than 64 px"):
        segment_stars(star_oracle(), stack_of(np.zeros((4, 8, 8), int)), 1.0, tile_px=64)
