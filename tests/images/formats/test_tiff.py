from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import tifffile

from teasel.errors import AxesError, DataError, FormatError
from teasel.geometry import VoxelSize
from teasel.images import list_scenes, open_image, save_image
from teasel.images.formats import _tiff_planes

RNG = np.random.default_rng(0)
STACK = RNG.integers(0, 60000, (5, 70, 90), dtype=np.uint16)


def pages(path, planes, **options):
    """Write a plain TIFF, one directory per plane, without metadata."""
    with tifffile.TiffWriter(path, **{k: options.pop(k) for k in ("byteorder", "bigtiff") if k in options}) as tif:
        for plane in planes:
            tif.write(plane, metadata=None, contiguous=False, **options)
    return path


LAYOUTS = {
    "plain": {},
    "big-endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True},
    "strips": {"rowsperstrip": 16},
    "deflate strips": {"rowsperstrip": 16, "compression": "zlib", "predictor": True},
    "lzw one strip": {"rowsperstrip": 70, "compression": "lzw"},
    "tiles": {"tile": (32, 48)},
    "lzw tiles": {"tile": (32, 48), "compression": "lzw"},
    "zstd big-endian tiles": {"tile": (32, 32), "compression": "zstd", "byteorder": ">"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_crops_are_the_crops_of_the_whole(tmp_path, layout):
    path = pages(tmp_path / "a.tif", STACK, **LAYOUTS[layout])
    image = open_image(path, axes="zyx")
    np.testing.assert_array_equal(image.read(), STACK)
    for block in [(slice(1, 4), slice(13, 50), slice(40, 41)), (2, slice(60, 70), slice(None)), (4, 69, 89)]:
        z, y, x = block
        np.testing.assert_array_equal(image.read(z=z, y=y, x=x), STACK[block])


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
def test_types(tmp_path, dtype):
    values = (STACK[0] % 100).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", compression="zlib")
    read = open_image(tmp_path / "a.tif").read()
    assert read.dtype == values.dtype
    np.testing.assert_array_equal(read, values)


def test_one_bit(tmp_path):
    values = STACK[0] > 30000
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").read(y=slice(3, 9)), values[3:9])


def test_complex(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK[0].astype(np.complex64))
    with pytest.raises(DataError, match="complex"):
        open_image(tmp_path / "a.tif")


def test_not_finite(tmp_path):
    values = np.array([[np.nan, 1], [np.inf, -np.inf]], np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values)
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").read(), values)


@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("dtype", ["?", "u1", "u2"])
def test_inverted_is_turned(tmp_path, dtype, compression):
    stored = (STACK[0] % 2 if dtype == "?" else STACK[0] % 200).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite", compression=compression)
    image = open_image(tmp_path / "a.tif")
    assert any("inverted" in note for note in image.notes)
    np.testing.assert_array_equal(image.read(), ~stored)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("samples", [3, 4])
def test_colours(tmp_path, samples, planar):
    values = RNG.integers(0, 255, (40, 50, samples), dtype=np.uint8)
    stored = values if planar == "contig" else values.transpose(2, 0, 1)
    options = {"extrasamples": ["unassalpha"]} if samples == 4 else {}
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, metadata=None, tile=(16, 16), **options
    )
    image = open_image(tmp_path / "a.tif")
    assert image.is_rgb
    assert image.axes == "cyx"
    np.testing.assert_array_equal(image.read(), values[..., :3].transpose(2, 0, 1))
    assert ("alpha channel dropped" in image.notes) == (samples == 4)


def test_jpeg_tiles(tmp_path):
    values = np.full((64, 64, 3), (200, 100, 50), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", compression="jpeg", tile=(32, 32))
    read = open_image(tmp_path / "a.tif").read(y=slice(30, 40), x=5).astype(int)
    assert np.abs(read - np.array([[200], [100], [50]])).max() <= 3


def test_palette_becomes_colours(tmp_path):
    colours = RNG.integers(0, 255, (3, 256)).astype(np.uint16) * 257
    indices = RNG.integers(0, 255, (20, 30), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=colours)
    image = open_image(tmp_path / "a.tif")
    assert image.is_rgb
    np.testing.assert_array_equal(image.read(), (colours // 257)[:, indices])


@pytest.mark.parametrize("writer", ["pages", "tifffile"])
def test_stack_without_axes_is_ambiguous(tmp_path, writer):
    path = tmp_path / "a.tif"
    if writer == "pages":
        pages(path, STACK)
    else:
        tifffile.imwrite(path, STACK)
    with pytest.raises(AxesError, match=r"--axes zyx   \(5 planes in z, 70 rows, 90 columns\)"):
        open_image(path)
    assert open_image(path, axes="tyx").axes == "tyx"


def test_planes_that_a_writer_called_colours_are_ambiguous(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(STACK[:4], photometric="rgb", planarconfig="separate", extrasamples=[0])
    with pytest.raises(AxesError, match="--axes zyx"):
        open_image(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("unit", "factor"), [("um", 1), ("micron", 1), ("\\u00B5m", 1), ("nm", 1e-3), ("mm", 1e3), ("pixel", None)]
)
def test_imagej_calibration(tmp_path, unit, factor):
    tifffile.imwrite(
        tmp_path / "a.tif", STACK, imagej=True, resolution=(4, 2), metadata={"axes": "ZYX", "unit": unit, "spacing": 3}
    )
    size = open_image(tmp_path / "a.tif").voxel_size_um
    expected = VoxelSize() if factor is None else VoxelSize(3 * factor, 0.5 * factor, 0.25 * factor)
    assert size == expected


def test_imagej_without_unit_is_not_calibrated(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, resolution=(4, 4), metadata={"axes": "ZYX"})
    image = open_image(tmp_path / "a.tif")
    assert image.voxel_size_um == VoxelSize()
    assert "pixel size: not in the file" in image.notes


def test_imagej_hyperstack(tmp_path):
    values = RNG.integers(0, 255, (2, 3, 4, 20, 30), dtype=np.uint8)  # t z c y x
    tifffile.imwrite(tmp_path / "a.tif", values, imagej=True, metadata={"axes": "TZCYX"})
    image = open_image(tmp_path / "a.tif")
    assert image.axes == "tczyx"
    np.testing.assert_array_equal(image.read(), values.transpose(0, 2, 1, 3, 4))


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"), [((20000, 20000), 3, 0.5), ((300, 300), 2, None), ((1, 1), 1, None)]
)
def test_resolution_tags(tmp_path, resolution, unit, expected):
    pages(tmp_path / "a.tif", STACK[:1], resolution=resolution, resolutionunit=unit)
    image = open_image(tmp_path / "a.tif")
    assert image.voxel_size_um.x == (None if expected is None else pytest.approx(expected))
    if expected:
        assert any("resolution tag" in note for note in image.notes)


def test_ome(tmp_path):
    values = RNG.integers(0, 255, (2, 3, 20, 30), dtype=np.uint8)
    metadata = {
        "axes": "CZYX", "PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2,
        "Channel": {"Name": ["DAPI", "actin"]},
    }  # fmt: skip
    tifffile.imwrite(tmp_path / "a.ome.tif", values, metadata=metadata)
    image = open_image(tmp_path / "a.ome.tif")
    assert image.axes == "czyx"
    assert image.channel_names == ("DAPI", "actin")
    assert image.voxel_size_um == VoxelSize(2, 0.5, 0.25)
    np.testing.assert_array_equal(image.read(c=1, z=slice(0, 2)), values[1, :2])


def test_series_are_scenes(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tif:
        tif.write(STACK[0], metadata={"Name": "first", "PhysicalSizeX": 1, "PhysicalSizeY": 1})
        tif.write(STACK[1, :40], metadata={"Name": "second", "PhysicalSizeX": 2, "PhysicalSizeY": 2})
    assert list_scenes(tmp_path / "a.ome.tif") == ("first", "second")
    image = open_image(tmp_path / "a.ome.tif")
    assert any("first of 2 scenes" in note for note in image.notes)
    for scene in ("second", 1, "1"):
        image = open_image(tmp_path / "a.ome.tif", scene=scene)
        assert image.scene == "second"
        assert image.voxel_size_um.x == 2
        np.testing.assert_array_equal(image.read(), STACK[1, :40])


def test_pyramid_levels(tmp_path):
    big = RNG.integers(0, 255, (512, 640), dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tif:
        tif.write(big, subifds=2, tile=(64, 64), metadata={"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5})
        tif.write(big[::2, ::2], subfiletype=1, tile=(64, 64))
        tif.write(big[::4, ::4], subfiletype=1, tile=(64, 64))
    image = open_image(tmp_path / "a.ome.tif", level=2)
    assert image.levels == ((512, 640), (256, 320), (128, 160))
    assert image.voxel_size_um == VoxelSize(None, 2.0, 2.0)
    np.testing.assert_array_equal(image.read(), big[::4, ::4])
    assert open_image(tmp_path / "a.ome.tif", level=1, voxel_size_um=VoxelSize(y=1, x=1)).voxel_size_um.x == 2


def test_crop_of_a_big_tiled_file_reads_only_its_tiles(tmp_path, monkeypatch):
    values = RNG.integers(0, 255, (4096, 4096), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, tile=(256, 256), compression="zlib")
    image, decoded = open_image(tmp_path / "a.tif"), []
    original = _tiff_planes._Grid.decode
    monkeypatch.setattr(_tiff_planes._Grid, "decode", lambda *args: decoded.append(args[2]) or original(*args))
    tracemalloc.start()
    crop = image.read(y=slice(1000, 1300), x=slice(300, 500))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(crop, values[1000:1300, 300:500])
    assert len(decoded) == 3  # rows 768 to 1535, one column of tiles
    assert peak < 3 * 256 * 256 * 4
    image.read(y=slice(1000, 1300), x=slice(300, 500))
    assert len(decoded) == 3  # kept for neighbouring crops


def test_crop_of_a_plain_file_is_mapped(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 1024, 1024), np.uint16), metadata={"axes": "ZYX"})
    tracemalloc.start()
    assert open_image(tmp_path / "a.tif").read(z=3, y=slice(0, 16)).shape == (16, 1024)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1024 * 1024


@pytest.mark.parametrize("layout", ["plain", "deflate strips", "lzw tiles"])
@pytest.mark.parametrize("keep", [0.995, 0.95, 0.8, 0.65, 0.5, 0.35, 0.2, 0.01])
def test_truncated(tmp_path, layout, keep):
    path = pages(tmp_path / "a.tif", STACK, **LAYOUTS[layout])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(FormatError, match=r"truncated|corrupt"):
        open_image(path, axes="zyx").read()


@pytest.mark.parametrize("keep", [0.99, 0.7, 0.5, 0.3])
def test_truncated_imagej_and_ome(tmp_path, keep):
    for name, options in [("a.tif", {"imagej": True}), ("b.ome.tif", {}), ("c.ome.tif", {"tile": (32, 32)})]:
        tifffile.imwrite(tmp_path / name, STACK, metadata={"axes": "ZYX"}, **options)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(len(content) * keep)])
        with pytest.raises(FormatError, match=r"truncated|corrupt"):
            open_image(tmp_path / name, axes="zyx").read()


def test_corrupt_pixels(tmp_path):
    path = pages(tmp_path / "a.tif", STACK[:1], compression="zlib", rowsperstrip=70)
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages[0].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(FormatError, match="corrupt"):
        open_image(path).read()


@pytest.mark.parametrize("content", [b"II*\0", b"II*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff", b"II*\0" + bytes(100)])
def test_corrupt_header(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(FormatError, match=r"corrupt|without an image"):
        open_image(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", ["?", "u1", "u2", "f4", "i2", "u4", "f8"])
@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_saved_is_read_again(tmp_path, name, dtype):
    values = RNG.integers(0, 2, (2, 3, 4, 20, 30)).astype(dtype)
    size = VoxelSize(1.5, 0.5, 0.25)
    save_image(tmp_path / name, values, axes="tczyx", voxel_size_um=size, channel_names=("a", "b", "c"))
    image = open_image(tmp_path / name)
    assert image.axes == "tczyx"
    np.testing.assert_array_equal(image.read(), values)
    assert image.voxel_size_um.along("zyx") == pytest.approx((1.5, 0.5, 0.25))


def test_saved_colours(tmp_path):
    values = RNG.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    for name in ("a.tif", "a.ome.tif"):
        save_image(tmp_path / name, values, axes="yxc")
        image = open_image(tmp_path / name)
        assert image.is_rgb
        np.testing.assert_array_equal(image.read(), values.transpose(2, 0, 1))


@pytest.mark.parametrize("dtype", ["i8", "f2", "c8"])
def test_types_that_tiff_programs_do_not_open(tmp_path, dtype):
    with pytest.raises(DataError, match="convert"):
        save_image(tmp_path / "a.tif", np.zeros((4, 4), dtype), axes="yx")
    assert not list(tmp_path.iterdir())


def test_display_table_of_imagej_is_no_colour(tmp_path):
    colours = np.zeros((3, 256), np.uint16)
    colours[1] = np.arange(256) * 257  # "Green"
    values = STACK[0].astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, imagej=True, colormap=colours, photometric="palette")
    image = open_image(tmp_path / "a.tif")
    assert image.axes == "yx"
    np.testing.assert_array_equal(image.read(), values)


def test_positions_are_scenes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, metadata={"axes": "PYX"}, compression="zlib")
    scenes = list_scenes(tmp_path / "a.tif")
    assert len(scenes) == 5
    for i, scene in enumerate(scenes):
        np.testing.assert_array_equal(open_image(tmp_path / "a.tif", scene=scene).read(), STACK[i])


def test_grey_samples_are_channels(tmp_path):
    values = RNG.integers(0, 60000, (40, 50, 5), dtype=np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric="minisblack", planarconfig="contig", extrasamples=[0] * 4, metadata=None
    )
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.is_rgb) == ("cyx", False)
    np.testing.assert_array_equal(image.read(c=3), values[..., 3])


def test_missing_page_of_ome_is_said(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK[:3], metadata={"axes": "ZYX"}, compression="zlib")
    xml = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    tifffile.tiffcomment(tmp_path / "a.ome.tif", xml.replace('SizeZ="3"', 'SizeZ="4"'))
    image = open_image(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(image.read(z=slice(0, 3)), STACK[:3])
    assert not image.read(z=3).any()
    assert "1 of 4 pages are missing in the file; they read as 0" in image.notes
