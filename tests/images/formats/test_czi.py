from __future__ import annotations

import gc
import sys

import numpy as np
import pytest

from teasel.errors import FormatError, MissingDependency, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import list_scenes, open_image

czi = pytest.importorskip("pylibCZIrw.czi")
RNG = np.random.default_rng(0)


def write(path, planes, *, scenes=(0,), shape=(60, 80), dtype="u2", samples=1, **metadata):
    """Write planes {(t, c, z)} of random values, per scene, and return them."""
    written = {}
    with czi.create_czi(str(path)) as document:
        for scene in scenes:
            for t, c, z in planes:
                values = RNG.integers(0, 250, (*shape, samples)).astype(dtype)
                where = (scene * 500, 0)
                document.write(values, location=where, plane={"T": t, "C": c, "Z": z}, scene=scene)
                written[scene, t, c, z] = values
        document.write_metadata("test", **metadata)
    return written


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_planes_and_calibration(tmp_path, dtype):
    path = tmp_path / "größe 1.czi"
    planes = [(t, c, z) for t in range(2) for c in range(2) for z in range(3)]
    written = write(
        path, planes, dtype=dtype, channel_names={0: "DAPI", 1: "actin"}, scale_x=0.25e-6, scale_y=0.5e-6, scale_z=2e-6
    )
    image = open_image(path)
    assert (image.axes, image.shape, image.dtype) == ("tczyx", (2, 2, 3, 60, 80), np.dtype(dtype))
    assert image.channel_names == ("DAPI", "actin")
    assert image.voxel_size_um.along("zyx") == pytest.approx((2.0, 0.5, 0.25))
    for (_, t, c, z), values in written.items():
        np.testing.assert_array_equal(image.read(t=t, c=c, z=z), values[..., 0])
    crop = image.read(t=1, c=1, z=slice(1, 3), y=slice(10, 31), x=7)
    np.testing.assert_array_equal(crop, np.stack([written[0, 1, 1, z][10:31, 7, 0] for z in (1, 2)]))


def test_no_calibration(tmp_path):
    write(tmp_path / "a.czi", [(0, 0, 0)])
    image = open_image(tmp_path / "a.czi")
    assert image.axes == "yx"
    assert image.voxel_size_um == VoxelSize()
    assert "pixel size: not in the file" in image.notes


def test_scenes(tmp_path):
    written = write(tmp_path / "a.czi", [(0, 0, 0)], scenes=(0, 1, 2))
    assert list_scenes(tmp_path / "a.czi") == ("scene 0", "scene 1", "scene 2")
    for scene in range(3):
        image = open_image(tmp_path / "a.czi", scene=scene)
        np.testing.assert_array_equal(image.read(), written[scene, 0, 0, 0][..., 0])


def test_colours(tmp_path):
    written = write(tmp_path / "a.czi", [(0, 0, 0)], dtype="u1", samples=3)
    image = open_image(tmp_path / "a.czi")
    assert image.is_rgb
    stored = written[0, 0, 0, 0]  # the writer takes blue, green, red
    np.testing.assert_array_equal(image.read(), stored[..., ::-1].transpose(2, 0, 1))
    np.testing.assert_array_equal(image.read(c=0, y=slice(3, 9)), stored[3:9, :, 2])


def test_stays_open_while_in_use_and_closes_after(tmp_path):
    write(tmp_path / "a.czi", [(0, 0, 0)])
    image = open_image(tmp_path / "a.czi")
    data = image.data
    del image
    gc.collect()
    assert data[...].shape == (60, 80)


@pytest.mark.parametrize("keep", [0.5, 0.05, 0.005])
def test_truncated(tmp_path, keep):
    write(tmp_path / "a.czi", [(0, 0, z) for z in range(5)])
    content = (tmp_path / "a.czi").read_bytes()
    (tmp_path / "a.czi").write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(FormatError, match="corrupt or truncated"):
        open_image(tmp_path / "a.czi").read()


def test_without_the_package(tmp_path, monkeypatch):
    (tmp_path / "a.czi").write_bytes(b"ZISRAWFILE" + bytes(100))
    monkeypatch.setitem(sys.modules, "pylibCZIrw.czi", None)
    with pytest.raises(MissingDependency, match=r'\.czi needs the package pylibCZIrw; .*"teasel\[formats\]"'):
        open_image(tmp_path / "a.czi")


def test_unknown_scene_and_level(tmp_path):
    write(tmp_path / "a.czi", [(0, 0, 0)])
    with pytest.raises(ParameterError, match="no scene 'B'"):
        open_image(tmp_path / "a.czi", scene="B")
    with pytest.raises(ParameterError, match="no level 3"):
        open_image(tmp_path / "a.czi", level=3)
