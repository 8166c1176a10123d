"""A full disk and a folder that may not be written to: a clear error, whole files only, nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess

import numpy as np
import pytest

from teasel.errors import StorageError
from teasel.labels import read_labels, write_labels
from teasel.measurement import Feature, Measurements
from teasel.measurement.tables import read_table, write_spatialdata, write_table

LABELS = (".tif", ".npy", ".zarr", ".zip", ".geojson", ".coco.json", ".stardist.npz", "_cp_outlines.txt", "_RES")
TABLES = (".csv", ".parquet", ".xlsx", ".h5ad", ".zarr")


@pytest.fixture
def mount(tmp_path):
    """Mount a small file system in memory, full or read-only as asked for."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = []

    def make(*options: str) -> object:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(place)]
        if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("mount"):
            pytest.skip("a small file system can only be mounted as root")
        if not mounted and subprocess.run(command, capture_output=True).returncode:
            pytest.skip("this machine does not let a file system be mounted")
        mounted.append(place)
        return place

    yield make
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def make_labels(n: int) -> np.ndarray:
    """Objects of one pixel each, in no order: nothing that packs well."""
    labels = np.zeros((2 * n, 2 * n), np.uint32)
    labels[::2, ::2] = np.random.default_rng(0).permutation(np.arange(1, n * n + 1)).reshape(n, n)
    return labels


def make_table(n: int) -> Measurements:
    rng = np.random.default_rng(0)
    features = tuple(Feature(f"f{i}") for i in range(9))
    return Measurements(rng.random((n, 9)), features, {"label": np.arange(n)}, rng.random((n, 2)))


@pytest.mark.parametrize("suffix", LABELS)
def test_full_disk_and_labels(teasel, tmp_path, mount, suffix):
    disk = mount("size=96k")
    labels = make_labels(200)
    if suffix == "_RES":
        labels = labels[None]
    np.save(tmp_path / "source.npy", labels)
    write_labels(disk / f"a{suffix}", np.ones((1, 2, 2) if suffix == "_RES" else (2, 2), np.uint8))
    before = read_labels(disk / f"a{suffix}", shape=(2, 2))
    result = teasel("convert", tmp_path / "source.npy", disk / f"a{suffix}", "--overwrite")
    assert result.exit_code == 1, result.output
    assert f"cannot write {disk / f'a{suffix}'}: the disk is full" in result.stderr
    assert ".part-" not in result.stderr
    assert [one.name for one in disk.iterdir()] == [f"a{suffix}"]
    np.testing.assert_array_equal(read_labels(disk / f"a{suffix}", shape=(2, 2)), before)


@pytest.mark.parametrize("suffix", TABLES)
def test_full_disk_and_tables(teasel, tmp_path, mount, suffix):
    disk = mount("size=480k")
    write_table(make_table(14_000), tmp_path / "source.csv")
    write_table(make_table(3), disk / f"a{suffix}")
    names = sorted(one.name for one in disk.iterdir())
    result = teasel("convert", tmp_path / "source.csv", disk / f"a{suffix}", "--overwrite")
    assert result.exit_code == 1, result.output
    assert "the disk is full" in result.stderr
    assert ".part-" not in result.stderr
    assert sorted(one.name for one in disk.iterdir()) == names
    assert len(read_table(disk / f"a{suffix}")) == 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_full_disk_and_spatialdata(mount):
    pytest.importorskip("spatialdata", reason="needs spatialdata (and pkg_resources, of setuptools below 81)")
    disk = mount("size=160k")
    labels = make_labels(100)
    table = Measurements(
        np.random.default_rng(0).random((10_000, 9)), make_table(1).features, {"label": np.arange(1, 10_001)},
        np.zeros((10_000, 2)),
    )  # fmt: skip
    with pytest.raises(StorageError, match=r"a\.zarr: the disk is full"):
        write_spatialdata(disk / "a.zarr", labels, table)
    assert not list(disk.iterdir())


@pytest.mark.parametrize("suffix", LABELS)
def test_read_only_folder_and_labels(teasel, tmp_path, mount, suffix):
    disk = mount("size=96k", "ro")
    np.save(tmp_path / "source.npy", np.ones((1, 4, 4) if suffix == "_RES" else (4, 4), np.uint8))
    result = teasel("convert", tmp_path / "source.npy", disk / f"a{suffix}")
    assert result.exit_code == 1, result.output
    assert f"cannot write {disk / f'a{suffix}'}: the folder {disk}: it is read-only" in result.stderr
    assert not list(disk.iterdir())


@pytest.mark.parametrize("suffix", TABLES)
def test_read_only_folder_and_tables(teasel, tmp_path, mount, suffix):
    disk = mount("size=96k", "ro")
    write_table(make_table(3), tmp_path / "source.csv")
    result = teasel("convert", tmp_path / "source.csv", disk / f"a{suffix}")
    assert result.exit_code == 1, result.output
    assert f"the folder {disk}: it is read-only; nothing is left behind" in result.stderr
    assert not list(disk.iterdir())


def test_a_folder_without_permission(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    try:
        (folder / "probe").touch()
    except PermissionError:
        with pytest.raises(StorageError, match="may not be written to"):
            write_labels(folder / "a.tif", [[1]])
        with pytest.raises(StorageError, match="may not be written to"):
            write_table(make_table(1), folder / "a.csv")
    else:
        pytest.skip("root may write everywhere")
    finally:
        folder.chmod(0o700)
