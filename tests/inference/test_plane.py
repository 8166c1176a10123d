import numpy as np
import pytest

from teasel.errors import DataError
from teasel.images import open_image
from teasel.inference import Plane


def test_percentiles_become_zero_and_one():
    values = np.arange(10000, dtype=np.uint16).reshape(1, 100, 100)
    plane = Plane.of_array(values, (1, 99))
    read = plane.read(slice(None), slice(None))
    assert np.percentile(read, (1, 99)) == pytest.approx([0, 1], abs=1e-3)
    assert read.dtype == np.float32


def test_what_is_not_finite_is_black_and_said():
    values = np.random.default_rng(0).random((1, 50, 50)).astype(np.float32)
    values[0, 0, :5] = np.nan
    values[0, 1, 0] = np.inf
    before = values.copy()
    plane = Plane.of_array(values, (1, 99.8))
    assert "NaN" in plane.notes[0]
    assert np.isfinite(plane.read(slice(None), slice(None))).all()
    np.testing.assert_array_equal(values, before)


def test_nothing_finite_is_an_error():
    with pytest.raises(DataError, match="no finite number"):
        Plane.of_array(np.full((1, 8, 8), np.nan, np.float32), (1, 99.8))


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_plane_is_black_and_said(value):
    plane = Plane.of_array(np.full((1, 8, 8), value, np.uint8), (1, 99.8))
    assert plane.notes == ("every pixel has the same value",)
    assert not plane.read(slice(None), slice(None)).any()


def test_a_few_bright_pixels_on_black_are_not_lost():
    values = np.zeros((1, 100, 100), np.uint8)
    values[0, 5, 5] = 200
    assert Plane.of_array(values, (1, 99.8)).read(slice(None), slice(None)).max() == 1


def test_the_maximum_projection_reads_all_planes():
    values = np.random.default_rng(0).integers(0, 255, (5, 30, 40)).astype(np.uint8)
    image = open_image(values, axes="zyx")
    plane = Plane.of(image, {"z": "max"}, (), (0, 100))
    np.testing.assert_array_equal(plane.raw(slice(None), slice(None))[0], values.max(0))
