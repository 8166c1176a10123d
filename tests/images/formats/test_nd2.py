"""The files are made here, after the layout that the reader documents; no microscope wrote them."""

from __future__ import annotations

import struct
import sys

import numpy as np
import pytest

from teasel.errors import FormatError, MissingDependency, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import open_image

pytest.importorskip("nd2")
VALUES = np.random.default_rng(0).integers(0, 60000, (2, 40, 50), dtype=np.uint16)  # c y x


def xml(tag: str, content: str) -> bytes:
    return f'<variant version="1.0"><no_name runtype="CLxListVariant">{content}</no_name></variant>'.encode()


def number(name: str, value: float, kind: str = "lx_uint32") -> str:
    return f'<{name} runtype="{kind}" value="{value}"/>'


PROBE = f'<pFluorescentProbe runtype="CLxListVariant">{number("uiColor", 0)}</pFluorescentProbe>'


def chunks(calibrated: bool, probe: str) -> dict[bytes, bytes]:
    c, y, x = VALUES.shape
    attributes = "".join(
        number(k, v)
        for k, v in [
            ("uiWidth", x), ("uiWidthBytes", 2 * c * x), ("uiHeight", y), ("uiComp", c), ("uiBpcInMemory", 16),
            ("uiBpcSignificant", 16), ("uiSequenceCount", 1), ("eCompression", 2),
        ]
    )  # fmt: skip
    planes = "".join(
        f'<a{i} runtype="CLxListVariant">{number("uiCompCount", 1)}{number("uiSampleIndex", i)}'
        f'<sDescription runtype="CLxStringW" value="{name}"/>{probe}</a{i}>'
        for i, name in enumerate(("DAPI", "FITC"))
    )
    metadata = (
        f'<sPicturePlanes runtype="CLxListVariant">{number("uiCount", c)}{number("uiCompCount", c)}'
        f'<sPlaneNew runtype="CLxListVariant">{planes}</sPlaneNew></sPicturePlanes>'
        + number("dCalibration", 0.325, "double")
        + number("dAspect", 1.0, "double")
        + number("bCalibrated", str(calibrated).lower(), "bool")
    )
    pixels = np.ascontiguousarray(VALUES.transpose(1, 2, 0)).tobytes()
    return {
        b"ImageAttributes!": xml("attributes", attributes),
        b"ImageMetadataSeq|0!": xml("metadata", metadata),
        b"ImageDataSeq|0!": struct.pack("<d", 0.0) + pixels,
    }


def write(path, calibrated=True, probe=PROBE):
    """Write the chunks, the map of where they lie, and at the very end where the map lies."""
    magic, content, listed = 0x0ABECEDA, b"", b""
    content += struct.pack("<IIQ32s64s", magic, 32, 64, b"ND2 FILE SIGNATURE CHUNK NAME01!", b"Ver2.1")
    for name, data in chunks(calibrated, probe).items():
        content += bytes(-len(content) % 4096)
        listed += name + struct.pack("<QQ", len(content), len(data))
        header = struct.pack("<IIQ", magic, 4072, len(data)) + name
        content += header + bytes(16 + 4072 - len(header)) + data
    content += bytes(-len(content) % 4096)
    listed += b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", len(content))
    name = b"ND2 FILEMAP SIGNATURE NAME 0001!"
    content += struct.pack("<IIQ", magic, len(name), len(listed)) + name + listed
    path.write_bytes(content)
    return path


def test_pixels_and_calibration(tmp_path):
    image = open_image(write(tmp_path / "a.nd2"))
    assert (image.axes, image.format) == ("cyx", "ND2")
    assert image.channel_names == ("DAPI", "FITC")
    assert image.voxel_size_um == VoxelSize(None, 0.325, 0.325)
    np.testing.assert_array_equal(image.read(), VALUES)
    np.testing.assert_array_equal(image.read(c=1, y=slice(3, 9), x=4), VALUES[1, 3:9, 4])


def test_not_calibrated(tmp_path):
    image = open_image(write(tmp_path / "a.nd2", calibrated=False))
    assert image.voxel_size_um == VoxelSize()
    assert "pixel size: not in the file" in image.notes


def test_channels_without_a_dye(tmp_path):
    image = open_image(write(tmp_path / "a.nd2", probe=""))
    np.testing.assert_array_equal(image.read(), VALUES)
    assert any("could not read channel names" in note for note in image.notes)


@pytest.mark.parametrize("keep", [0.99, 0.5, 0.002])
def test_truncated(tmp_path, keep):
    path = write(tmp_path / "a.nd2")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(FormatError, match="corrupt or truncated"):
        open_image(path)


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nd2", None)
    with pytest.raises(MissingDependency, match=r'\.nd2 needs the package nd2; .*"teasel\[formats\]"'):
        open_image(write(tmp_path / "a.nd2"))


def test_unknown_scene_and_level(tmp_path):
    with pytest.raises(ParameterError, match="no scene 'B'"):
        open_image(write(tmp_path / "a.nd2"), scene="B")
    with pytest.raises(ParameterError, match="no level 3"):
        open_image(write(tmp_path / "a.nd2"), level=3)
