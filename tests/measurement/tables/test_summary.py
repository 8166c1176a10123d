"""Counts, means and medians per image and well."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import ParameterError
from teasel.measurement import Feature, Measurements
from teasel.measurement.tables import summarise, summarise_wells


def make_table(images, values):
    objects = {"label": np.arange(len(images)), "image": np.array(images, str)}
    return Measurements(np.array(values, float).reshape(-1, 1), (Feature("a"),), objects, np.zeros((len(images), 2)))


def test_against_pandas():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    values = np.where(rng.random(200) < 0.2, np.nan, rng.normal(size=200))
    images = rng.choice(["c", "a", "b"], 200)
    found = summarise(make_table(images, values))
    expected = pandas.DataFrame({"image": images, "a": values}).groupby("image")["a"]
    assert found["image"].tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(found["n_objects"], expected.size())
    np.testing.assert_allclose(found["mean_a"], expected.mean())
    np.testing.assert_allclose(found["median_a"], expected.median())


def test_wells_and_wells_without_objects():
    table = make_table(["p1_A01_s1.tif", "p1_A01_s2.tif", "p1_A01_s2.tif", "p2_A01_s1.tif"], [1, 2, np.nan, 9])
    found = summarise_wells(table)
    assert found["plate"].tolist() == ["p1", "p2"]
    assert found["n_images"].tolist() == [2, 1]
    assert found["n_objects"].tolist() == [3, 1]
    assert found["mean_a"].tolist() == [1.5, 9]
    looked_at = [*table.objects["image"].tolist(), "p1_A01_s3.tif", "p1_B07_s1.tif"]
    found = summarise_wells(table, looked_at)
    assert found["well"].tolist() == ["A01", "B07", "A01"]
    assert found["n_images"].tolist() == [3, 1, 1]
    assert found["n_objects"].tolist() == [3, 0, 1]
    assert np.isnan(found["mean_a"][1])
    with pytest.raises(ParameterError, match=r"'odd\.tif' says no well"):
        summarise_wells(table, ["odd.tif"])


def test_no_objects_and_no_groups():
    empty = make_table([], [])
    assert summarise(empty)["n_objects"].tolist() == []
    assert summarise(empty, ())["n_objects"].tolist() == [0]
    assert summarise(empty, groups=[["a"]])["n_objects"].tolist() == [0]
    with pytest.raises(ParameterError, match="no column 'well'"):
        summarise(empty, ("well",))
