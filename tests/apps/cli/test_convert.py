"""`teasel convert`: labels from one file format to another."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.geometry import VoxelSize
from teasel.images import open_image, save_image, write_multiscale
from teasel.labels import read_labels, read_voxel_size, write_labels
from teasel.labels.formats import ctc, geojson
from teasel.measurement import Feature, Measurements
from teasel.measurement.tables import read_table, write_table
from tests.synthetic import random_labels


def test_there_and_back(teasel, tmp_path):
    labels = random_labels((33, 41), 9, 0)
    write_labels(tmp_path / "a.tif", labels)
    result = teasel("convert", tmp_path / "a.tif", tmp_path / "a.zip")
    assert result.exit_code == 0, result.output
    assert f"{len(np.unique(labels)) - 1} objects" in result.stdout
    assert teasel("convert", tmp_path / "a.zip", tmp_path / "b.tif", "--shape", "33,41").exit_code == 0
    np.testing.assert_array_equal(read_labels(tmp_path / "b.tif"), labels)


def test_what_is_there_stays(teasel, tmp_path):
    write_labels(tmp_path / "a.tif", np.ones((4, 4), int))
    (tmp_path / "a.geojson").write_text("mine")
    result = teasel("convert", tmp_path / "a.tif", tmp_path / "a.geojson")
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert (tmp_path / "a.geojson").read_text() == "mine"
    assert teasel("convert", tmp_path / "a.tif", tmp_path / "a.geojson", "--overwrite").exit_code == 0


def test_wrong_words(teasel, tmp_path):
    write_labels(tmp_path / "a.tif", np.ones((4, 4), int))
    result = teasel("convert", tmp_path / "a.tif", tmp_path / "b.tif", "--shape", "4")
    assert result.exit_code == 2
    assert "1024,1344" in result.stderr
    result = teasel("convert", tmp_path / "a.tif", tmp_path / "b.xyz")
    assert result.exit_code == 1
    assert ".geojson" in result.stderr


def test_the_voxel_size_goes_along(teasel, tmp_path):
    size = VoxelSize(y=0.5, x=0.25)
    write_labels(tmp_path / "a.tif", [[0, 70000]], VoxelSize(y=0.5, x=0.25))
    for source, target, more in (
        ("a.tif", "b.zarr", ("--ngff", "0.4")),
        ("b.zarr", "c.zarr", ()),
        ("c.zarr", "d.tif", ()),
    ):
        result = teasel("convert", tmp_path / source, tmp_path / target, *more)
        assert result.exit_code == 0, result.output
        assert read_voxel_size(tmp_path / target) == size
        assert read_labels(tmp_path / target).tolist() == [[0, 70000]]
    assert (tmp_path / "b.zarr/.zattrs").exists()
    assert (tmp_path / "c.zarr/zarr.json").exists()


def test_labels_go_into_their_image(teasel, tmp_path):
    write_multiscale(tmp_path / "a.zarr", np.zeros((8, 9), np.uint8), axes="yx")
    write_labels(tmp_path / "a.tif", np.eye(8, 9, dtype=int))
    result = teasel("convert", tmp_path / "a.tif", tmp_path / "a.zarr/labels/cells")
    assert result.exit_code == 0, result.output
    assert teasel("convert", tmp_path / "a.zarr", tmp_path / "b.npy").exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), np.eye(8, 9))


def test_time_series_keep_their_frames_and_tracks(teasel, tmp_path):
    labels = np.zeros((3, 8, 9), np.uint8)
    labels[:2, 1:4, 1:4], labels[2, 1:4, 1:3], labels[2, 5:7, 1:3] = 1, 2, 3
    write_labels(tmp_path / "01_GT", labels, parents={2: 1, 3: 1})
    for source, target in (("01_GT", "a.tif"), ("a.tif", "b.zarr"), ("b.zarr", "01_RES"), ("01_GT", "02_RES")):
        result = teasel("convert", tmp_path / source, tmp_path / target)
        assert result.exit_code == 0, result.output
        np.testing.assert_array_equal(read_labels(tmp_path / target), labels)
    assert open_image(tmp_path / "a.tif").sizes["t"] == open_image(tmp_path / "b.zarr").sizes["t"] == 3
    assert ctc.read_tracks(tmp_path / "02_RES").tolist() == [[1, 0, 1, 0], [2, 2, 2, 1], [3, 2, 2, 1]]
    write_labels(tmp_path / "stack.tif", labels)
    result = teasel("convert", tmp_path / "stack.tif", tmp_path / "03_RES")
    assert result.exit_code == 2
    assert "stack of 3 planes" in result.stderr


def test_nuclei_and_new_numbers(teasel, tmp_path):
    cells = np.pad(np.full((5, 5), 9), 2)
    write_labels(tmp_path / "cells.tif", cells)
    write_labels(tmp_path / "nuclei.tif", np.pad(np.full((3, 3), 4), 3))
    result = teasel("convert", tmp_path / "cells.tif", tmp_path / "a.geojson", "--nuclei", tmp_path / "nuclei.tif")
    assert result.exit_code == 0, result.output
    assert geojson.read_nuclei(tmp_path / "a.geojson").sum() == 81
    result = teasel("convert", tmp_path / "cells.tif", tmp_path / "a_cp_outlines.txt")
    assert result.exit_code == 1
    assert "--renumber" in result.stderr
    assert teasel("convert", tmp_path / "cells.tif", tmp_path / "a_cp_outlines.txt", "--renumber").exit_code == 0
    np.testing.assert_array_equal(read_labels(tmp_path / "a_cp_outlines.txt", shape=(9, 9)), cells > 0)
    result = teasel("convert", tmp_path / "cells.tif", tmp_path / "b.tif", "--nuclei", tmp_path / "nuclei.tif")
    assert result.exit_code == 2
    assert "no place for nuclei" in result.stderr


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx", ".zarr"])
def test_tables(teasel, tmp_path, suffix):
    table = Measurements(np.array([[1.5], [2.0]]), (Feature("a", unit="um"),), {"label": np.arange(2)}, np.ones((2, 2)))
    write_table(table, tmp_path / "a.h5ad")
    result = teasel("convert", tmp_path / "a.h5ad", tmp_path / f"b{suffix}")
    assert result.exit_code == 0, result.output
    assert "2 objects, 1 features" in result.stdout
    assert teasel("convert", tmp_path / f"b{suffix}", tmp_path / "c.h5ad").exit_code == 0
    assert read_table(tmp_path / "c.h5ad").features == table.features


def test_a_table_is_no_label_image(teasel, tmp_path):
    write_labels(tmp_path / "a.tif", [[1]])
    (tmp_path / "a.csv").write_text("label,b\n1,2\n")
    result = teasel("convert", tmp_path / "a.csv", tmp_path / "b.tif")
    assert result.exit_code == 1
    assert "tables are not kept in '.tif'" in result.stderr
    result = teasel("convert", tmp_path / "a.tif", tmp_path / "b.csv")
    assert result.exit_code == 1
    assert "labels are not kept in '.csv'" in result.stderr
    result = teasel("convert", tmp_path / "a.csv", tmp_path / "b.xlsx", "--renumber")
    assert result.exit_code == 2
    assert "--renumber means nothing" in result.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_labels_and_table_and_image_as_spatialdata(teasel, tmp_path):
    sd = pytest.importorskip("spatialdata", reason="needs spatialdata (and pkg_resources, of setuptools below 81)")
    labels = np.pad(np.full((5, 5), 3), 2)
    write_labels(tmp_path / "a.tif", labels)
    image = np.arange(81, dtype=np.uint16).reshape(9, 9)
    save_image(tmp_path / "image.tif", image, axes="yx", voxel_size_um=VoxelSize(y=0.5, x=0.5))
    table = Measurements(np.array([[1.5]]), (Feature("a", unit="um"),), {"label": np.array([3])}, np.ones((1, 2)))
    write_table(table, tmp_path / "a.csv")
    more = ("--table", tmp_path / "a.csv", "--image", tmp_path / "image.tif")
    result = teasel("convert", tmp_path / "a.tif", tmp_path / "b.zarr", *more)
    assert result.exit_code == 0, result.output
    found = sd.read_zarr(tmp_path / "b.zarr")
    np.testing.assert_array_equal(found["image"].values[0], image)
    assert sd.transformations.get_transformation(found["cells"]).scale.tolist() == [0.5, 0.5]
    assert found["table"].obs["label"].tolist() == [3]


def test_a_store_needs_its_parts(teasel, tmp_path):
    write_labels(tmp_path / "a.tif", [[1]])
    (tmp_path / "a.csv").write_text("label,b\n1,2\n")
    for words, said in (
        (("b.zarr", "--image", "a.tif"), "--table"),
        (("b.tif", "--table", "a.csv"), "is a .zarr"),
        (("b.zarr", "--table", "a.csv", "--ngff", "0.4"), "--ngff means nothing"),
    ):
        result = teasel("convert", tmp_path / "a.tif", *(tmp_path / w if "." in w and w != "0.4" else w for w in words))
        assert result.exit_code == 2
        assert said in result.stderr
