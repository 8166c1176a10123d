"""What every detector promises, asked of each one that is found, in two and three dimensions."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import ParameterError
from teasel.images import Image
from teasel.images.lazy import LazyArray
from teasel.models import list_models
from teasel.spatial import Spots, find_spots
from teasel.spatial.detectors import build, names
from teasel.spatial.matching import match_spots
from teasel.spatial.simulation import Scene, simulate

SCENES = {
    2: ((150, 170), Scene(sigma_px=1.5, density=0.002, detectability=40, texture=0.05, cells=2)),
    3: ((18, 70, 64), Scene(sigma_px=1.4, sigma_z_px=1.1, density=0.0006, detectability=40)),
}


class Recorded(LazyArray):
    """An array that remembers the largest block asked of it."""

    def __init__(self, array):
        super().__init__(array.shape, array.dtype)
        self.array, self.largest = array, 0

    def read_block(self, block):
        part = self.array[block]
        self.largest = max(self.largest, part.size)
        return part.copy()


@pytest.fixture(params=names())
def detector(request):
    if request.param == "spots" and "spots" not in {model.name for model in list_models()}:
        pytest.skip("the model 'spots' is not installed")
    return build(request.param)


@pytest.fixture(params=[2, 3])
def made(request):
    shape, scene = SCENES[request.param]
    return simulate(shape, scene, seed=8)


def as_image(array: np.ndarray) -> Image:
    return Image(array, "zyx"[-array.ndim :])


def same(one: Spots, two: Spots) -> None:
    np.testing.assert_array_equal(one.positions_px, two.positions_px)
    assert list(one.columns) == list(two.columns)
    for name, values in one.columns.items():
        np.testing.assert_array_equal(values, two[name])


def test_plain_spots_are_found_where_they_are(detector, made):
    kept = made.image.copy()
    found = find_spots(as_image(made.image), detector)
    np.testing.assert_array_equal(made.image, kept)
    agreement = match_spots(made.visible.positions_px, found.positions_px)
    assert agreement.f1 > 0.9
    assert np.median(agreement.distances_px) < 0.5
    assert (np.diff(found["score"]) <= 0).all()
    assert ((found["score"] >= 0) & (found["score"] <= 1)).all()
    assert {"score", "intensity", "background", "snr"} <= set(found.columns)


def test_tiles_give_what_the_whole_gives_bit_for_bit(detector, made):
    whole = find_spots(as_image(made.image), detector, tile_px=4096)
    assert len(whole) > 10
    for tile_px in (40, 64):
        same(find_spots(as_image(made.image), detector, tile_px=tile_px), whole)


def test_same_input_same_output_and_lazy_gives_what_memory_gives(detector, made):
    lazy = Recorded(made.image)
    same(find_spots(Image(lazy, "zyx"[-made.image.ndim :]), detector), find_spots(as_image(made.image), detector))


@pytest.mark.parametrize("shape", [(40, 50), (8, 30, 30)])
@pytest.mark.parametrize("value", [0, 7])
def test_an_image_without_anything_has_no_spots(detector, shape, value):
    assert len(find_spots(as_image(np.full(shape, value, np.uint16)), detector)) == 0


def test_noise_alone_has_hardly_any_spots(detector):
    image = simulate((200, 200), Scene(density=0), seed=3).image
    assert len(find_spots(image, detector)) <= 4


def test_brightness_and_offset_do_not_matter(detector, made):
    found = find_spots(as_image(made.image), detector)
    other = find_spots(as_image(made.image * np.float32(8) + np.float32(1024)), detector)
    assert match_spots(found.positions_px, other.positions_px, distance_px=0.1).f1 > 0.97


def test_a_flipped_image_has_flipped_spots(detector, made):
    found = find_spots(as_image(made.image), detector)
    flipped = find_spots(as_image(np.ascontiguousarray(made.image[..., ::-1])), detector)
    back = flipped.positions_px.copy()
    back[:, -1] = made.image.shape[-1] - 1 - back[:, -1]
    near = (
        0.6 if made.image.ndim == 2 else 1.0
    )  # planes are wider apart than pixels, and the network sees one at a time
    assert match_spots(found.positions_px, back, distance_px=near).f1 > 0.93


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match="did you mean 'log'"):
        build("lgo")
    with pytest.raises(ParameterError, match="has no parameter"):
        build("log", {"sigma": 1})
    with pytest.raises(ParameterError):
        build("log", {"sigma_px": -1.0})
    with pytest.raises(ParameterError):
        build("dog", {"score_threshold": 2.0})
