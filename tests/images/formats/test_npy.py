from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from teasel.errors import AxesError, DataError, FormatError, ShapeError
from teasel.images import open_image, save_image


def test_is_mapped(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((32, 1024, 1024), np.uint8))
    image = open_image(tmp_path / "a.npy", axes="zyx")
    tracemalloc.start()
    assert image.read(z=5, y=slice(0, 9)).shape == (9, 1024)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_fortran_and_big_endian(tmp_path):
    values = np.asfortranarray(np.arange(12, dtype=">i8").reshape(3, 4))
    np.save(tmp_path / "a.npy", values)
    read = open_image(tmp_path / "a.npy").read()
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, values)


def test_axes_are_asked_for(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 4, 5)))
    with pytest.raises(AxesError, match=r"a\.npy .*\n.*--axes zyx"):
        open_image(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("array", "error"),
    [(np.zeros((2, 2), "c8"), DataError), (np.zeros((0, 3)), ShapeError), (np.float64(1), ShapeError),
     (np.zeros(3), ShapeError)],
)  # fmt: skip
def test_arrays_that_are_no_images(tmp_path, array, error):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(error):
        open_image(tmp_path / "a.npy")


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]]))
    with pytest.raises(FormatError, match="can run code"):
        open_image(tmp_path / "a.npy")


def test_archives_are_refused_with_the_way_out(tmp_path):
    np.savez(tmp_path / "a.npz", image=np.zeros((3, 3)))
    with pytest.raises(FormatError, match="archive of arrays; take the image out"):
        open_image(tmp_path / "a.npz")


@pytest.mark.parametrize("length", [9, 60, 150])
def test_truncated(tmp_path, length):
    np.save(tmp_path / "a.npy", np.zeros((30, 30)))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:length])
    with pytest.raises(FormatError, match="corrupt or truncated"):
        open_image(tmp_path / "a.npy")


@pytest.mark.parametrize("dtype", ["?", "u1", "i8", "f2", "f8"])
def test_saved_is_read_again(tmp_path, dtype):
    values = (np.arange(12).reshape(3, 4) % 2).astype(dtype)
    save_image(tmp_path / "a.npy", values, axes="yx")
    np.testing.assert_array_equal(open_image(tmp_path / "a.npy").read(), values)
