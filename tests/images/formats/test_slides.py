from __future__ import annotations

import sys

import numpy as np
import pytest
import tifffile

from teasel.errors import FormatError, MissingDependency, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import list_scenes, open_image

pytest.importorskip("tiffslide")
PIXELS = np.random.default_rng(0).integers(0, 255, (1024, 1280, 3), dtype=np.uint8)
APERIO = "Aperio Image Library v11.2.1\r\n1280x1024 [0,0 1280x1024] (256x256) JPEG/RGB Q=30|AppMag = 20|MPP = 0.4990"


@pytest.fixture
def slide(tmp_path):
    """A pyramid of three levels with a thumbnail, label and description as Aperio's scanners write them."""
    path = tmp_path / "a.svs"
    options = {"photometric": "rgb", "metadata": None, "software": ""}
    with tifffile.TiffWriter(path) as tif:
        tif.write(PIXELS, tile=(256, 256), compression="zlib", description=APERIO, **options)
        tif.write(PIXELS[::8, ::8], description=APERIO, rowsperstrip=16, **options)
        for step in (4, 16):
            tif.write(PIXELS[::step, ::step], tile=(256, 256), compression="zlib", description=APERIO, **options)
        tif.write(PIXELS[:50, :60], description="Aperio\r\nlabel 60x50", subfiletype=1, **options)
    return path


def test_pixels_and_calibration(slide):
    image = open_image(slide)
    assert (image.format, image.axes, image.is_rgb) == ("whole slide", "cyx", True)
    assert image.voxel_size_um == VoxelSize(None, 0.499, 0.499)
    crop = image.read(y=slice(200, 300), x=slice(1000, 1280))
    np.testing.assert_array_equal(crop, PIXELS[200:300, 1000:].transpose(2, 0, 1))
    assert list_scenes(slide) == ("slide",)


def test_levels(slide):
    image = open_image(slide, level=1)
    assert image.levels == ((3, 1024, 1280), (3, 256, 320), (3, 64, 80))
    assert image.voxel_size_um.x == pytest.approx(4 * 0.499)
    np.testing.assert_array_equal(image.read(), PIXELS[::4, ::4].transpose(2, 0, 1))


def test_content_counts(slide):
    other = slide.rename(slide.with_suffix(".tif"))
    image = open_image(other)
    assert image.format == "whole slide"
    assert any("the content is whole slide" in note for note in image.notes)


def test_truncated(slide):
    slide.write_bytes(slide.read_bytes()[:100_000])
    with pytest.raises(FormatError, match=r"truncated|corrupt"):
        open_image(slide).read()


def test_without_the_package(slide, monkeypatch):
    monkeypatch.setitem(sys.modules, "tiffslide", None)
    with pytest.raises(MissingDependency, match=r'whole slides needs the package tiffslide.*"teasel\[formats\]"'):
        open_image(slide)


def test_unknown_scene_and_level(slide):
    with pytest.raises(ParameterError, match="no scene 'B'"):
        open_image(slide, scene="B")
    with pytest.raises(ParameterError, match="no level 3"):
        open_image(slide, level=3)
