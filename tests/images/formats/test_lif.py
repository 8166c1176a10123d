"""The files are made here, after the layout that the reader documents; no microscope wrote them."""

from __future__ import annotations

import struct
import sys

import numpy as np
import pytest

from teasel.errors import FormatError, MissingDependency, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import list_scenes, open_image

pytest.importorskip("liffile")
VALUES = np.random.default_rng(0).integers(0, 60000, (2, 3, 40, 50), dtype=np.uint16)  # c z y x


def element(name: str, number: int, values: np.ndarray, unit: str) -> str:
    c, z, y, x = values.shape
    item = values.itemsize
    channels = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="16" NameOfMeasuredQuantity="" Min="0" Max="1" '
        f'Unit="" LUTName="{lut}" IsLUTInverted="0" BytesInc="{i * z * y * x * item}" BitInc="0"/>'
        for i, lut in zip(range(c), ("Green", "Red"), strict=False)
    )
    rows = [(1, x, 12.25e-6, item), (2, y, 19.5e-6, x * item), (3, z, 4e-6, y * x * item)]
    dimensions = "".join(
        f'<DimensionDescription DimID="{d}" NumberOfElements="{n}" Origin="0" Length="{length}" Unit="{unit}" '
        f'BitInc="0" BytesInc="{step}"/>'
        for d, n, length, step in rows
    )
    return (
        f'<Element Name="{name}" Visibility="1" UniqueID="u{number}"><Data><Image><ImageDescription>'
        f"<Channels>{channels}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription></Image></Data>"
        f'<Memory Size="{values.nbytes}" MemoryBlockID="MemBlock_{number}"/><Children/></Element>'
    )


@pytest.fixture
def project(tmp_path):
    """A LIF with two images, the second inverted, without a unit of length."""
    images = [("first", VALUES, "m"), ("second", ~VALUES, "")]
    elements = "".join(element(name, i, values, unit) for i, (name, values, unit) in enumerate(images))
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="project"><Data><Experiment/></Data>'
        f"<Children>{elements}</Children></Element></LMSDataContainerHeader>"
    ).encode("utf-16-le")
    content = struct.pack("<IIBI", 0x70, len(xml) + 5, 0x2A, len(xml) // 2) + xml
    for i, (_, values, _) in enumerate(images):
        name = f"MemBlock_{i}".encode("utf-16-le")
        content += struct.pack("<IIBQBI", 0x70, 0, 0x2A, values.nbytes, 0x2A, len(name) // 2) + name
        content += values.tobytes()
    (tmp_path / "a.lif").write_bytes(content)
    return tmp_path / "a.lif"


def test_pixels_and_calibration(project):
    image = open_image(project, scene="first")
    assert (image.axes, image.format, image.scene) == ("czyx", "LIF", "first")
    assert image.voxel_size_um.along("zyx") == pytest.approx((2.0, 0.5, 0.25))
    assert image.channel_names == ("Green", "Red")
    np.testing.assert_array_equal(image.read(), VALUES)
    np.testing.assert_array_equal(image.read(c=1, z=2, y=slice(5, 9)), VALUES[1, 2, 5:9])


def test_scenes(project):
    assert list_scenes(project) == ("first", "second")
    image = open_image(project, scene="second")
    assert image.voxel_size_um == VoxelSize()
    np.testing.assert_array_equal(image.read(), ~VALUES)


@pytest.mark.parametrize("keep", [0.9, 0.4, 0.002])
def test_truncated(project, keep):
    content = project.read_bytes()
    project.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(FormatError, match="corrupt or truncated"):
        open_image(project, scene="second").read()


def test_without_the_package(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "liffile", None)
    with pytest.raises(MissingDependency, match=r'\.lif needs the package liffile; .*"teasel\[formats\]"'):
        open_image(project)


def test_unknown_scene_and_level(project):
    with pytest.raises(ParameterError, match="no scene 'B'"):
        open_image(project, scene="B")
    with pytest.raises(ParameterError, match="no level 3"):
        open_image(project, level=3)
