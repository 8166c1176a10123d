"""`teasel convert`: labels from one file format to another."""

from __future__ import annotations

import numpy as np

from teasel.labels import read_labels, write_labels
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
