from __future__ import annotations

import re

import numpy as np
import pytest

from teasel.errors import AxesError, DataError, FormatError, InputNotFound, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images import Image, describe, is_image_path, list_scenes, open_image, save_image


def test_two_dimensions_are_rows_and_columns():
    image = open_image(np.zeros((4, 6), np.float32))
    assert (image.axes, image.shape, image.channel_names, image.is_rgb) == ("yx", (4, 6), (), False)
    assert image.notes == ("pixel size: not in the file",)


@pytest.mark.parametrize("samples", [3, 4])
def test_colours_become_channels_without_alpha(samples):
    array = np.arange(4 * 6 * samples, dtype=np.uint8).reshape(4, 6, samples)
    image = open_image(array)
    assert (image.axes, image.shape, image.is_rgb) == ("cyx", (3, 4, 6), True)
    assert image.channel_names == ("red", "green", "blue")
    assert ("alpha channel dropped" in image.notes) == (samples == 4)
    np.testing.assert_array_equal(image.read(), array[..., :3].transpose(2, 0, 1))


def test_ambiguous_axes_show_the_choices():
    with pytest.raises(AxesError) as caught:
        open_image(np.zeros((5, 64, 80)), name="stack.tif")
    message = str(caught.value)
    assert "stack.tif" in message
    assert 'axes="zyx"' in message
    assert "--axes zyx   (5 planes in z, 64 rows, 80 columns)" in message
    assert "--axes tyx" in message
    assert "--axes cyx" in message


def test_every_choice_shown_can_be_typed():
    array = np.zeros((2, 3, 8, 9))
    with pytest.raises(AxesError) as caught:
        open_image(array)
    choices = re.findall(r"--axes (\w+)", str(caught.value))
    assert len(choices) >= 4
    for axes in choices:
        assert set(open_image(array, axes=axes).axes) == set(axes)


@pytest.mark.parametrize("axes", ["yx", "zyxx", "zqx", "zxy?", "tzc"])
def test_axes_that_do_not_fit(axes):
    with pytest.raises(AxesError):
        open_image(np.zeros((5, 6, 7)), axes=axes)


def test_axes_are_put_in_order():
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    image = open_image(array, axes="yxct")
    assert (image.axes, image.shape) == ("tcyx", (5, 4, 2, 3))
    np.testing.assert_array_equal(image.read(t=1, c=slice(1, 3)), array[:, :, 1:3, 1].transpose(2, 0, 1))


def test_axes_may_leave_out_length_one():
    assert open_image(np.zeros((1, 5, 8, 9)), axes="zyx").shape == (5, 8, 9)
    assert open_image(np.zeros((1, 5, 8, 9)), axes="czyx").shape == (1, 5, 8, 9)


def test_source_is_unchanged_and_not_shared():
    array = np.zeros((4, 4))
    open_image(array).read()[:] = 1
    assert not array.any()


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", ">u2", "i4", "u4", "i8", "u8", "f2", "f4", ">f8"])
def test_every_number_type(dtype):
    array = np.array([[0, 1], [1, 0]]).astype(dtype)
    values = open_image(array).read()
    np.testing.assert_array_equal(values, array)
    assert values.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize("value", [0, 7])
def test_constant(value):
    assert (open_image(np.full((4, 4), value)).read() == value).all()


def test_not_finite_is_kept():
    array = np.array([[np.nan, np.inf], [1, -np.inf]])
    np.testing.assert_array_equal(open_image(array).read(), array)


@pytest.mark.parametrize(
    ("array", "error", "words"),
    [
        (np.zeros((4, 4), complex), DataError, "complex"),
        (np.array([["a", "b"]]), DataError, "not numbers"),
        (np.array([[None, None]]), DataError, "not numbers"),
        (np.float32(3), ShapeError, "0 dimensions"),
        (np.zeros(5), ShapeError, "1 dimensions"),
        (np.zeros((0, 5)), ShapeError, "length 0"),
        (np.zeros((3, 5, 0)), ShapeError, "length 0"),
    ],
)
def test_arrays_that_are_no_images(array, error, words):
    with pytest.raises(error, match=words):
        open_image(array)


def test_an_image_passes_through():
    image = open_image(np.zeros((3, 4, 5)), axes="zyx")
    assert open_image(image) is image
    with_size = open_image(image, voxel_size_um=VoxelSize(None, 0.5, 0.5))
    assert with_size.voxel_size_um == VoxelSize(None, 0.5, 0.5)
    assert with_size.notes == ()
    assert open_image(image, axes="tyx").axes == "tyx"


def test_read_by_axis():
    array = np.arange(24).reshape(2, 3, 4)
    image = Image(array, "cyx")
    np.testing.assert_array_equal(image.read(c=1, x=slice(1, 3)), array[1, :, 1:3])
    with pytest.raises(AxesError, match="no axis 'z'"):
        image.read(z=0)
    with pytest.raises(IndexError, match="outside"):
        image.read(c=2)


@pytest.mark.parametrize(("axes", "names"), [("xy", ()), ("yx", ("a",)), ("zyx", ())])
def test_images_are_checked(axes, names):
    with pytest.raises(AxesError):
        Image(np.zeros((3, 4)), axes, channel_names=names)


def test_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "cells.tif").write_bytes(b"x")
    with pytest.raises(InputNotFound, match=r"did you mean 'cells\.tif'"):
        open_image(tmp_path / "cels.tif")
    with pytest.raises(InputNotFound, match=r"folder .* does not exist"):
        open_image(tmp_path / "no" / "a.tif")


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.npy", "a.czi", "a.nd2", "a.lif", "a.svs"])
def test_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(FormatError, match="empty"):
        open_image(tmp_path / name)


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.npy", "a.lif", "a.txt", "noending"])
def test_content_of_no_format(tmp_path, name):
    (tmp_path / name).write_bytes(b"these are not the pixels you are looking for")
    with pytest.raises(FormatError, match=r"no known image format; known are .*\.tif"):
        open_image(tmp_path / name)


def test_folder_is_no_image(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 3)))
    with pytest.raises(FormatError, match="folder, not an image; it holds 1 image file"):
        open_image(tmp_path)


def test_content_counts_not_the_name(tmp_path):
    with (tmp_path / "a.tif").open("wb") as file:
        np.save(file, np.ones((3, 4)))
    image = open_image(tmp_path / "a.tif")
    assert image.format == "NPY"
    assert any("the content is NPY" in note for note in image.notes)


def test_names_with_spaces_and_letters(tmp_path):
    path = tmp_path / "größe µm 細胞.tif"
    save_image(path, np.ones((5, 6), np.uint8), axes="yx")
    assert open_image(str(path)).read().sum() == 30


def test_unknown_scene_and_level(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 4)))
    assert list_scenes(tmp_path / "a.npy") == ("array",)
    assert open_image(tmp_path / "a.npy", scene=0).scene is None
    with pytest.raises(ParameterError, match="no level 1"):
        open_image(tmp_path / "a.npy", level=1)


def test_scenes_unknown(tmp_path):
    save_image(tmp_path / "a.tif", np.zeros((3, 4), np.uint8), axes="yx")
    with pytest.raises(ParameterError, match="no scene 'B'"):
        open_image(tmp_path / "a.tif", scene="B")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.TIF", True), ("a.zarr", True), ("a.czi", True), ("a.svs", True), ("a.csv", False),
     (".hidden.tif", False), (".part-01234567-a.tif", False)],
)  # fmt: skip
def test_image_paths(name, expected):
    assert is_image_path(name) is expected


def test_description(tmp_path):
    array = np.zeros((2, 8, 9), np.uint16)
    save_image(tmp_path / "a.ome.tif", array, axes="cyx", channel_names=("DAPI", "actin"))
    text = describe(open_image(tmp_path / "a.ome.tif"))
    assert "channels 2, y 8, x 9  (cyx)" in text
    assert "not in the file; give --pixel-size" in text
    assert "0 DAPI, 1 actin" in text
    text = describe(open_image(tmp_path / "a.ome.tif", voxel_size_um=VoxelSize(None, 0.5, 0.25)))
    assert "y 0.5, x 0.25 um" in text
