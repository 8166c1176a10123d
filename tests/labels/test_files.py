"""Label images to files and back; what ImageJ and napari read off the TIFF."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from teasel.errors import DataError, FormatError, InputNotFound, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images import open_image, save_image
from teasel.labels import read_labels, write_labels
from tests.synthetic import random_labels

SIZE = VoxelSize(z=2.0, y=0.25, x=0.5)


@pytest.mark.parametrize("suffix", [".tif", ".TIFF", ".png", ".npy"])
@pytest.mark.parametrize(("largest", "dtype"), [(200, np.uint8), (300, np.uint16)])
def test_round_trip_in_a_plane(tmp_path, suffix, largest, dtype) -> None:
    labels = random_labels((33, 41), 9, 0)
    labels[0, 0] = largest
    write_labels(tmp_path / f"a{suffix}", labels)
    back = read_labels(tmp_path / f"a{suffix}")
    assert np.array_equal(back, labels)
    assert back.dtype == (labels.dtype if suffix == ".npy" else dtype)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("shape", [(33, 41), (5, 20, 21), (3, 4, 20, 21), (2, 1, 8, 9), (3, 8, 9), (4, 8, 9)])
@pytest.mark.parametrize("largest", [200, 300, 70_000])
def test_tiff_keeps_labels_and_calibration(tmp_path, shape, largest) -> None:
    labels = random_labels(shape, 8, 0)
    labels.flat[0] = largest
    write_labels(tmp_path / "a.tif", labels, SIZE)
    assert np.array_equal(read_labels(tmp_path / "a.tif"), labels.squeeze())
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_imagej
        metadata = file.imagej_metadata
        assert metadata["unit"] == "um"
        assert metadata["spacing"] == 2.0
        assert metadata["max"] == labels.max()
        assert metadata["images"] == int(np.prod(shape[:-2]))
        assert metadata.get("slices", 1) * metadata.get("frames", 1) == metadata["images"]
        page = file.pages[0]
        assert file.series[0].axes == {2: "YX", 3: "ZYX", 4: "TZYX" if shape[1] > 1 else "TYX"}[len(shape)]
        x, y = (page.tags[name].value for name in ("XResolution", "YResolution"))
        assert (x[0] / x[1], y[0] / y[1]) == (2.0, 4.0)
        assert page.predictor == 1  # ImageJ reads Deflate with a predictor as zeros


def test_tiff_without_calibration_claims_none(tmp_path) -> None:
    write_labels(tmp_path / "a.tif", np.ones((4, 5), int))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert "unit" not in file.imagej_metadata
        assert "spacing" not in file.imagej_metadata
        assert file.pages[0].tags["ResolutionUnit"].value == 1


def test_tiff_reads_what_imagej_writes_for_many_objects(tmp_path) -> None:
    labels = np.arange(70_000, dtype=np.float32).reshape(200, 350)
    tifffile.imwrite(tmp_path / "a.tif", labels, imagej=True)
    assert read_labels(tmp_path / "a.tif").dtype == np.int32
    assert np.array_equal(read_labels(tmp_path / "a.tif"), labels)


def test_an_empty_label_image_is_one(tmp_path) -> None:
    write_labels(tmp_path / "a.tif", np.zeros((4, 5), int))
    assert read_labels(tmp_path / "a.tif").tolist() == np.zeros((4, 5)).tolist()


@pytest.mark.parametrize(
    ("name", "labels", "size", "error", "words"),
    [
        ("a.jpg", np.ones((4, 4), int), None, FormatError, "jpg"),
        ("a.png", np.full((4, 4), 70_000), None, DataError, "65535"),
        ("a.png", np.ones((2, 4, 4), int), None, ShapeError, "PNG takes"),
        ("a.tif", np.full((4, 4), -1), None, DataError, "hold -1"),
        ("a.tif", np.ones(4, int), None, ShapeError, "TIFF takes"),
        ("a.tif", np.ones((0, 4), int), None, ShapeError, "TIFF takes"),
        ("a.tif", np.ones((4, 4), int), VoxelSize(y=1.0), ParameterError, "both or neither"),
        ("a.tif", np.full((4, 4), 2**32), None, DataError, "beyond uint32"),
        ("b/a.tif", np.ones((4, 4), int), None, InputNotFound, "does not exist"),
    ],
)
def test_what_cannot_be_written_says_why_and_leaves_nothing(tmp_path, name, labels, size, error, words) -> None:
    with pytest.raises(error, match=words):
        write_labels(tmp_path / name, labels, size)
    assert list(tmp_path.iterdir()) == []


def test_masks_are_refused_unless_pieces_are_asked_for(tmp_path) -> None:
    mask = np.zeros((6, 9), bool)
    mask[1:3, 1:3] = mask[4:, 5:] = True
    np.save(tmp_path / "a.npy", mask)
    Image.fromarray(mask).save(tmp_path / "a.png")
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "b.png")
    tifffile.imwrite(tmp_path / "a.tif", mask)
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(FormatError, match="connect=True"):
            read_labels(path)
        assert read_labels(path, connect=True).max() == 2


def test_palette_indices_are_the_labels(tmp_path) -> None:
    palette = Image.new("P", (2, 2))
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    palette.putdata([0, 1, 2, 2])
    palette.save(tmp_path / "a.png")
    assert read_labels(tmp_path / "a.png").tolist() == [[0, 1], [2, 2]]


def test_zarr_is_read_through_the_images_room(tmp_path) -> None:
    labels = random_labels((1, 5, 20, 21), 8, 0)
    save_image(tmp_path / "a.ome.zarr", labels, axes="czyx")
    assert np.array_equal(read_labels(tmp_path / "a.ome.zarr"), labels[0])
    save_image(tmp_path / "b.ome.zarr", np.repeat(labels, 2, axis=0), axes="czyx")
    with pytest.raises(FormatError, match="2 channels"):
        read_labels(tmp_path / "b.ome.zarr")


def test_the_images_room_reads_the_same_labels_and_calibration(tmp_path) -> None:
    labels = random_labels((3, 4, 20, 21), 8, 0)
    write_labels(tmp_path / "a.tif", labels, SIZE)
    image = open_image(tmp_path / "a.tif")
    assert image.axes == "tzyx"
    assert image.voxel_size_um == SIZE
    assert np.array_equal(image.read(), labels)


def test_broken_and_foreign_files_are_named(tmp_path) -> None:
    write_labels(tmp_path / "a.tif", random_labels((64, 64), 9, 0))
    write_labels(tmp_path / "a.png", random_labels((64, 64), 9, 0))
    np.save(tmp_path / "a.npy", random_labels((64, 64), 9, 0))
    for name in ("a.tif", "a.png", "a.npy"):
        whole = (tmp_path / name).read_bytes()
        for length in (0, 10, len(whole) // 2):
            (tmp_path / name).write_bytes(whole[:length])
            with pytest.raises(FormatError, match=name):
                read_labels(tmp_path / name)
    np.save(tmp_path / "a.npy", np.array([{"masks": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match="plain NumPy"):
        read_labels(tmp_path / "a.npy")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match="colours"):
        read_labels(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5, 3), np.uint8), photometric="rgb")
    with pytest.raises(FormatError, match="one label per pixel"):
        read_labels(tmp_path / "a.tif")
    np.save(tmp_path / "a.npy", np.array([[0.5]]))
    with pytest.raises(DataError, match=r"a\.npy.*not whole"):
        read_labels(tmp_path / "a.npy")
    with pytest.raises(InputNotFound, match="none"):
        read_labels(tmp_path / "none.tif")
