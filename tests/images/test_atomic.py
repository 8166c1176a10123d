from __future__ import annotations

import pytest

from teasel.errors import FormatError, InputNotFound
from teasel.images.atomic import atomic_path, is_partial


@pytest.mark.parametrize("name", ["a.csv", "zellen µ 3.ome.tif", "x" * 250 + ".tif"])
def test_file_appears_whole_and_replaces(tmp_path, name):
    target = tmp_path / name
    target.write_text("old")
    with atomic_path(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(target.suffix)
        assert is_partial(temporary)
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_folder_replaces_folder_and_file(tmp_path):
    target = tmp_path / "image.zarr"
    for content in ("one", "two"):
        with atomic_path(target) as temporary:
            temporary.mkdir()
            (temporary / content).write_text(content)
    assert [p.name for p in target.iterdir()] == ["two"]
    with atomic_path(target) as temporary:
        temporary.write_text("file")
    assert target.read_text() == "file"
    with atomic_path(target) as temporary:
        temporary.mkdir()
    assert target.is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ["image.zarr"]


@pytest.mark.parametrize("folder", [False, True])
def test_failure_leaves_what_was_there(tmp_path, folder):
    target = tmp_path / "a.tif"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:  # noqa: PT012
        if folder:
            temporary.mkdir()
            (temporary / "half").write_text("half")
        else:
            temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_nothing_written_and_no_folder_are_errors(tmp_path):
    with pytest.raises(FormatError, match="nothing was written"), atomic_path(tmp_path / "a.tif"):
        pass
    with pytest.raises(InputNotFound, match="does not exist"), atomic_path(tmp_path / "no" / "a.tif"):
        pass
