from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from teasel.errors import AxesError, DataError, FormatError, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images import list_scenes, open_image, save_image
from teasel.images.formats import ome_zarr
from teasel.images.lazy import LazyArray
from teasel.images.multiscale import add_labels, write_multiscale

RNG = np.random.default_rng(0)
VALUES = RNG.integers(0, 60000, (2, 3, 300, 411), dtype=np.uint16)
SIZE = VoxelSize(2.0, 0.5, 0.25)
VERSIONS = ["0.4", "0.5"]


@pytest.fixture(params=VERSIONS)
def written(request, tmp_path):
    path = tmp_path / "a.ome.zarr"
    write_multiscale(
        path, VALUES, axes="czyx", voxel_size_um=SIZE, channel_names=("DAPI", "actin"), version=request.param
    )
    return path


def test_is_read_again(written):
    image = open_image(written)
    assert (image.axes, image.format) == ("czyx", "OME-Zarr")
    assert image.voxel_size_um == SIZE
    assert image.channel_names == ("DAPI", "actin")
    np.testing.assert_array_equal(image.read(), VALUES)
    np.testing.assert_array_equal(image.read(c=1, y=slice(100, 290), x=3), VALUES[1, :, 100:290, 3])


def test_levels_are_means(written):
    image = open_image(written, level=1)
    assert image.levels == ((2, 3, 300, 411), (2, 3, 150, 206))
    assert image.voxel_size_um == VoxelSize(2.0, 1.0, 0.5)
    even = VALUES[..., :410].astype(float).reshape(2, 3, 150, 2, 205, 2).mean((3, 5))
    np.testing.assert_array_equal(image.read(x=slice(0, 205)), np.rint(even))
    assert image.read().dtype == VALUES.dtype


def test_metadata_is_valid(written):
    from ome_zarr_models import open_ome_zarr

    model = open_ome_zarr(zarr.open_group(written, mode="r"))
    assert "Image" in type(model).__name__


@pytest.mark.parametrize("version", VERSIONS)
def test_labels_beside_the_image(tmp_path, version):
    from ome_zarr_models import open_ome_zarr

    path = tmp_path / "a.zarr"
    labels = RNG.integers(0, 70000, (300, 411)).astype(np.uint32)
    write_multiscale(path, VALUES[0, 0], axes="yx", version=version)
    add_labels(path, "nuclei", labels, axes="yx", voxel_size_um=VoxelSize(y=0.5, x=0.5))
    assert list_scenes(path) == ("image", "labels/nuclei")
    np.testing.assert_array_equal(open_image(path, scene="labels/nuclei").read(), labels)
    np.testing.assert_array_equal(open_image(path / "labels" / "nuclei").read(), labels)
    np.testing.assert_array_equal(open_image(path, scene="labels/nuclei", level=1).read(), labels[::2, ::2])
    open_ome_zarr(zarr.open_group(path / "labels" / "nuclei", mode="r"))
    open_ome_zarr(zarr.open_group(path, mode="r"))
    with pytest.raises(ParameterError, match="already"):
        add_labels(path, "nuclei", labels, axes="yx")
    with pytest.raises(ShapeError, match="do not lie on the pixels"):
        add_labels(path, "cells", labels[1:], axes="yx")
    with pytest.raises(DataError, match="integers"):
        add_labels(path, "cells", labels > 3, axes="yx")


def test_shards(tmp_path):
    write_multiscale(tmp_path / "a.zarr", VALUES, axes="czyx", chunk_px=64, shard_px=256)
    assert zarr.open_group(tmp_path / "a.zarr", mode="r")["0"].shards == (1, 1, 256, 256)
    np.testing.assert_array_equal(open_image(tmp_path / "a.zarr").read(), VALUES)
    with pytest.raises(ParameterError, match="shards"):
        write_multiscale(tmp_path / "b.zarr", VALUES, axes="czyx", version="0.4", shard_px=1024)


@pytest.mark.parametrize("dtype", ["?", "u1", "i4", "u8", "f2", "f8"])
def test_types(tmp_path, dtype):
    values = RNG.integers(0, 2, (20, 30)).astype(dtype)
    save_image(tmp_path / "a.zarr", values, axes="yx")
    read = open_image(tmp_path / "a.zarr").read()
    assert read.dtype == values.dtype
    np.testing.assert_array_equal(read, values)


def test_replaces_what_stands_there(tmp_path):
    save_image(tmp_path / "a.zarr", np.zeros((20, 30), np.uint8), axes="yx")
    save_image(tmp_path / "a.zarr", np.ones((5, 6), np.uint8), axes="yx")
    assert open_image(tmp_path / "a.zarr").read().sum() == 30


class Endless(LazyArray):
    """Larger than memory; remembers the largest block it was asked for."""

    largest = 0

    def read_block(self, block):
        shape = [s.stop - s.start for s in block]
        self.largest = max(self.largest, int(np.prod(shape)))
        return np.zeros(shape, self.dtype)


def test_writing_takes_one_chunk_at_a_time(tmp_path):
    array = Endless((3, 2048, 2048), np.uint8)
    write_multiscale(tmp_path / "a.zarr", array, axes="zyx", chunk_px=256)
    assert array.largest == 256 * 256


def test_crop_reads_only_its_chunks(tmp_path):
    path = tmp_path / "a.zarr"
    write_multiscale(path, VALUES, axes="czyx", chunk_px=64)
    kept = {path / "0/c/1/2/1/3", path / "0/c/1/2/1/4"}
    for chunk in (path / "0/c").rglob("*"):
        if chunk.is_file() and chunk not in kept:
            chunk.write_bytes(b"not to be read")
    crop = open_image(path).read(c=1, z=2, y=slice(70, 120), x=slice(200, 300))
    np.testing.assert_array_equal(crop, VALUES[1, 2, 70:120, 200:300])
    with pytest.raises(FormatError, match="corrupt"):
        open_image(path).read()


def test_length_one_is_dropped_and_its_channel_named(tmp_path):
    write_multiscale(
        tmp_path / "a.zarr", VALUES[None, :1, :1], axes="tczyx", channel_names=("DAPI",), voxel_size_um=SIZE
    )
    image = open_image(tmp_path / "a.zarr")
    assert image.axes == "yx"
    assert "the one channel is called 'DAPI'" in image.notes
    assert open_image(tmp_path / "a.zarr", axes="tczyx").shape == (1, 1, 1, 300, 411)


@pytest.mark.parametrize("version", VERSIONS)
def test_series_of_a_converted_file(tmp_path, version):
    root = zarr.create_group(tmp_path / "a.zarr", zarr_format=3 if version == "0.5" else 2)
    layout = {"bioformats2raw.layout": 3}
    root.attrs.update({"ome": {"version": "0.5", **layout}} if version == "0.5" else layout)
    for name in ("0", "1", "10"):
        write_multiscale(tmp_path / "a.zarr" / name, VALUES[0, 0] + int(name), axes="yx", version=version)
    assert list_scenes(tmp_path / "a.zarr") == ("0", "1", "10")
    np.testing.assert_array_equal(open_image(tmp_path / "a.zarr", scene="10").read(), VALUES[0, 0] + 10)


def test_fields_of_a_plate(tmp_path):
    root = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    root.attrs["plate"] = {"wells": [{"path": "A/1"}, {"path": "B/2"}]}
    for well in ("A/1", "B/2"):
        root.create_group(well).attrs["well"] = {"images": [{"path": "0"}, {"path": "1"}]}
        for field in ("0", "1"):
            write_multiscale(tmp_path / "a.zarr" / well / field, VALUES[0, 0], axes="yx", version="0.4")
    assert list_scenes(tmp_path / "a.zarr") == ("A/1/0", "A/1/1", "B/2/0", "B/2/1")
    assert list_scenes(tmp_path / "a.zarr" / "A" / "1") == ("0", "1")
    assert open_image(tmp_path / "a.zarr", scene="B/2/1").scene == "B/2/1"


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_plain_arrays_need_axes(tmp_path, zarr_format):
    zarr.save_array(tmp_path / "a.zarr", VALUES, zarr_format=zarr_format)
    with pytest.raises(AxesError, match="--axes"):
        open_image(tmp_path / "a.zarr")
    np.testing.assert_array_equal(open_image(tmp_path / "a.zarr", axes="czyx").read(), VALUES)


def test_named_dimensions_of_a_plain_array(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", data=VALUES[0], dimension_names=["z", "y", "x"])
    assert array.ndim == 3
    assert open_image(tmp_path / "a.zarr").axes == "zyx"


@pytest.mark.parametrize("damage", ["json", "level", "no image", "no axes"])
def test_broken(written, damage):
    mark = written / ("zarr.json" if (written / "zarr.json").exists() else ".zattrs")
    meta = json.loads(mark.read_text())
    attributes = meta.get("attributes", meta)
    ome = attributes.get("ome", attributes)
    if damage == "json":
        mark.write_text(mark.read_text()[:50])
    elif damage == "level":
        level = written / "1"
        level.rename(written / "other")
    elif damage == "no image":
        del ome["multiscales"]
        mark.write_text(json.dumps(meta))
    else:
        del ome["multiscales"][0]["datasets"]
        mark.write_text(json.dumps(meta))
    with pytest.raises(FormatError):
        open_image(written)


def test_old_versions_without_axes():
    assert ome_zarr._axes({}, 5) == "tczyx"
    assert ome_zarr._axes({"axes": ["z", "y", "x"]}, 3) == "zyx"
