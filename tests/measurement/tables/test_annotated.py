"""Tables as AnnData: what a user of scanpy or squidpy finds where."""

from __future__ import annotations

import anndata
import numpy as np
import pytest

from teasel.errors import FormatError
from teasel.measurement import Measurements
from teasel.measurement.tables import from_anndata, read_table, to_anndata, write_table
from tests.measurement.tables.test_contract import FEATURES, make_table


def test_where_things_are(tmp_path):
    table = make_table(6, 3)
    write_table(table, tmp_path / "a.h5ad")
    found = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert found.X.dtype == np.float32
    np.testing.assert_array_equal(found.X, table.values.astype(np.float32))
    np.testing.assert_array_equal(found.obsm["spatial"], table.spatial_um[:, ::-1])  # x first
    assert found.obs["label"].tolist() == table.objects["label"].tolist()
    assert found.obs["score"].tolist() == table.objects["score"].tolist()
    assert list(found.var.columns) == ["channel", "compartment", "unit", "definition", "family"]
    assert found.var.loc["Intensity_MeanIntensity_DAPI", "compartment"] == "nucleus"
    assert found.uns["teasel"]["spatial_unit"] == "um"
    assert found.uns["teasel"]["version"]


def test_rows_have_names_that_differ():
    table = make_table(4)
    assert to_anndata(table).obs_names[0] == f"{table.objects['image'][0]}:3"
    same = {"label": np.array([1, 1])}
    twice = Measurements(np.ones((2, 1)), FEATURES[:1], same, np.zeros((2, 2)))
    assert to_anndata(twice).obs_names.tolist() == ["1#0", "1#1"]


def test_anndata_of_others(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    other = anndata.AnnData(sparse.csr_matrix(np.eye(3, dtype=np.float32)))
    with pytest.raises(FormatError, match="'label'"):
        from_anndata(other)
    other.obs["label"] = [1, 2, 3]
    table = from_anndata(other)
    np.testing.assert_array_equal(table.values, np.eye(3))
    assert table.spatial_unit == "px"
    assert table.features[0].unit == ""
    other.write_h5ad(tmp_path / "a.h5ad")
    assert len(read_table(tmp_path / "a.h5ad")) == 3


def test_subsets_of_the_written_table_are_read(tmp_path):
    write_table(make_table(9), tmp_path / "a.h5ad")
    found = anndata.read_h5ad(tmp_path / "a.h5ad")
    found[found.obs["touches_border"].to_numpy(), :2].copy().write_h5ad(tmp_path / "b.h5ad")
    table = read_table(tmp_path / "b.h5ad")
    assert len(table) == int(make_table(9).objects["touches_border"].sum())
    assert table.features == FEATURES[:2]
