from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow

from teasel.errors import DataError, FormatError
from teasel.images import open_image, save_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 255, (20, 30), dtype=np.uint8)
COLOUR = RNG.integers(0, 255, (20, 30, 4), dtype=np.uint8)


@pytest.mark.parametrize("dtype", ["?", "u1", "u2"])
def test_grey_png(tmp_path, dtype):
    values = (GREY > 100) if dtype == "?" else GREY.astype(dtype) * (257 if dtype == "u2" else 1)
    save_image(tmp_path / "a.png", values, axes="yx")
    read = open_image(tmp_path / "a.png").read()
    assert read.dtype == values.dtype
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize("samples", [3, 4])
def test_colour_png(tmp_path, samples):
    save_image(tmp_path / "a.png", COLOUR[..., :samples], axes="yxc")
    image = open_image(tmp_path / "a.png")
    assert image.is_rgb
    assert ("alpha channel dropped" in image.notes) == (samples == 4)
    np.testing.assert_array_equal(image.read(), COLOUR[..., :3].transpose(2, 0, 1))


def test_grey_with_alpha(tmp_path):
    Pillow.fromarray(GREY).convert("LA").save(tmp_path / "a.png")
    image = open_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.read(), GREY)
    assert "alpha channel dropped" in image.notes


def test_palette(tmp_path):
    picture = Pillow.fromarray(GREY // 8)
    picture.putpalette(RNG.integers(0, 255, 768).tolist())
    picture.save(tmp_path / "a.png")
    image = open_image(tmp_path / "a.png")
    assert image.is_rgb
    assert any("palette" in note for note in image.notes)
    np.testing.assert_array_equal(image.read(), np.asarray(picture.convert("RGB")).transpose(2, 0, 1))


def test_palette_of_greys(tmp_path):
    Pillow.fromarray(GREY).quantize(256).save(tmp_path / "a.png")
    assert open_image(tmp_path / "a.png").axes == "yx"


@pytest.mark.parametrize(("name", "tolerance"), [("a.bmp", 0), ("a.jpg", 12)])
def test_other_pictures(tmp_path, name, tolerance):
    smooth = np.add.outer(np.arange(20), np.arange(30)).astype(np.uint8)
    Pillow.fromarray(smooth).save(tmp_path / name)
    assert np.abs(open_image(tmp_path / name).read().astype(int) - smooth).max() <= tolerance


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp"])
@pytest.mark.parametrize("keep", [0.7, 0.1])
def test_truncated(tmp_path, name, keep):
    Pillow.fromarray(np.tile(GREY, (10, 10))).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(FormatError, match="corrupt or truncated"):
        open_image(tmp_path / name)


def test_cmyk_is_refused(tmp_path):
    Pillow.new("CMYK", (5, 5)).save(tmp_path / "a.jpg")
    with pytest.raises(FormatError, match="CMYK"):
        open_image(tmp_path / "a.jpg")


@pytest.mark.parametrize(("shape", "dtype", "axes"), [((3, 4, 5), "u1", "zyx"), ((4, 5), "f4", "yx")])
def test_what_a_png_cannot_hold(tmp_path, shape, dtype, axes):
    with pytest.raises(DataError, match=r"save as \.tif"):
        save_image(tmp_path / "a.png", np.zeros(shape, dtype), axes=axes)
