"""What every file format promises."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile

import teasel.images
from teasel.errors import AxesError, FormatError, InputNotFound, ParameterError, ShapeError
from teasel.images import is_image_path, list_scenes, open_image, save_image
from teasel.images.formats import formats

FORMATS = formats()
ENDINGS = sorted({ending for f in FORMATS for ending in f.saves} | {".ome.tif", ".ome.zarr"})
DOCS = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
VALUES = np.random.default_rng(0).integers(0, 255, (300, 200), dtype=np.uint8)


@pytest.mark.parametrize("format_", FORMATS, ids=lambda f: f.name)
def test_is_told_apart_and_documented(format_, tmp_path):
    assert [f.name for f in FORMATS].count(format_.name) == 1
    assert set(format_.saves) <= set(format_.suffixes)
    assert all(s == s.lower() and s.startswith(".") and is_image_path("a" + s) for s in format_.suffixes)
    (tmp_path / "a").write_bytes(b"nothing that a microscope writes")
    assert not format_.sniff(tmp_path / "a", b"nothing that a microscope writes")
    assert not format_.sniff(tmp_path, b"")
    for suffix in format_.suffixes:
        assert f"`{suffix}`" in DOCS.read_text(), f"docs/formats.md does not name {suffix}"


@pytest.mark.parametrize("ending", ENDINGS)
def test_saved_is_read_again(tmp_path, ending):
    before = VALUES.copy()
    save_image(tmp_path / f"a{ending}", VALUES, axes="yx")
    image = open_image(tmp_path / f"a{ending}")
    assert image.axes == "yx"
    np.testing.assert_array_equal(image.read(), VALUES)
    np.testing.assert_array_equal(image.read(y=slice(250, 290), x=7), VALUES[250:290, 7])
    np.testing.assert_array_equal(VALUES, before)
    assert len(list_scenes(tmp_path / f"a{ending}")) == 1
    assert [p.name for p in tmp_path.iterdir()] == [f"a{ending}"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_known_by_content_under_any_name(tmp_path, ending):
    save_image(tmp_path / f"a{ending}", VALUES, axes="yx")
    (tmp_path / f"a{ending}").rename(tmp_path / "a.dat")
    image = open_image(tmp_path / "a.dat")
    np.testing.assert_array_equal(image.read(), VALUES)
    assert any(note.startswith("the name ends in '.dat'") for note in image.notes)


@pytest.mark.parametrize("ending", ENDINGS)
def test_threads_read_the_same(tmp_path, ending):
    save_image(tmp_path / f"a{ending}", VALUES, axes="yx")
    image, wrong = open_image(tmp_path / f"a{ending}"), []

    def read():
        for y in range(0, 300, 10):
            if not np.array_equal(image.read(y=slice(y, y + 10)), VALUES[y : y + 10]):
                wrong.append(y)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_unknown_scene_and_level(tmp_path, ending):
    save_image(tmp_path / f"a{ending}", VALUES, axes="yx")
    with pytest.raises(ParameterError, match=r"has no scene 'B'; there are 1"):
        open_image(tmp_path / f"a{ending}", scene="B")
    with pytest.raises(ParameterError, match="has no level 9"):
        open_image(tmp_path / f"a{ending}", level=9)


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_not_saved(tmp_path, ending):
    with pytest.raises(ShapeError, match="nothing in it to save"):
        save_image(tmp_path / f"a{ending}", np.zeros((0, 5), np.uint8), axes="yx")
    assert not list(tmp_path.iterdir())


def test_saving_elsewhere_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"no format writes 'a\.xyz'; use one of \.npy, \.png, \.tif"):
        save_image(tmp_path / "a.xyz", VALUES, axes="yx")
    with pytest.raises(InputNotFound, match="folder"):
        save_image(tmp_path / "no" / "a.tif", VALUES, axes="yx")
    with pytest.raises(AxesError, match="channel names"):
        save_image(tmp_path / "a.tif", VALUES, axes="yx", channel_names=("DAPI",))


def test_names_are_exported():
    assert teasel.images.__all__ == sorted(teasel.images.__all__)
    assert all(hasattr(teasel.images, name) for name in teasel.images.__all__)


def test_heavy_libraries_come_late():
    code = (
        "import sys, teasel.images; "
        "print([m for m in ('tifffile', 'zarr', 'PIL', 'nd2', 'liffile', 'tiffslide', 'scipy', 'torch') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_real_images_equal_other_readers(shared_data):
    """Pixels come out as tifffile and Pillow give them, whatever the microscope and the program."""
    from PIL import Image as Pillow

    paths = [p for ending in ("tif", "png") for p in sorted(shared_data.rglob(f"*.{ending}"))[::97]][:40]
    assert paths
    for path in paths:
        expected = tifffile.imread(path) if path.suffix == ".tif" else np.asarray(Pillow.open(path))
        if expected.ndim != 2:
            continue
        np.testing.assert_array_equal(open_image(path).read(), expected, err_msg=path.name)
