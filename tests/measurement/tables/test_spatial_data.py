"""SpatialData stores: opened by spatialdata itself, unchanged."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import DataError, ShapeError
from teasel.geometry import VoxelSize
from teasel.measurement import Measurements
from teasel.measurement.tables import is_table_path, read_table, write_spatialdata
from tests.measurement.tables.test_contract import FEATURES
from tests.synthetic import random_labels

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the libraries beneath spatialdata
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def table_of(labels: np.ndarray) -> Measurements:
    ids = np.unique(labels[labels > 0]).astype(np.int64)
    places = np.array([np.argwhere(labels == one).mean(0) for one in ids]).reshape(len(ids), labels.ndim)
    values = np.array([(labels == one).sum() for one in ids], float).reshape(-1, 1)
    objects = {"label": ids, "image": np.full(len(ids), "a.tif")}
    return Measurements(values, FEATURES[:1], objects, places, "px", {"model": "nuclei"})


@pytest.fixture(scope="module")
def spatialdata():
    return pytest.importorskip("spatialdata", reason="needs spatialdata (and pkg_resources, of setuptools below 81)")


@pytest.mark.parametrize("ndim", [2, 3])
def test_spatialdata_opens_it(tmp_path, spatialdata, ndim):
    from spatialdata.transformations import get_transformation

    labels = random_labels((4, 30, 41)[3 - ndim :], 6, 0)
    image = np.arange(2 * labels.size, dtype=np.uint16).reshape(2, *labels.shape)
    size = VoxelSize(z=2.0 if ndim == 3 else None, y=0.5, x=0.25)
    table = table_of(labels)
    write_spatialdata(
        tmp_path / "a.zarr", labels, table, voxel_size_um=size, image=image, channel_names=("DAPI", "actin")
    )
    found = spatialdata.read_zarr(tmp_path / "a.zarr")
    np.testing.assert_array_equal(found["cells"].values, labels)
    np.testing.assert_array_equal(found["image"].values, image)
    assert found["image"].c.values.tolist() == ["DAPI", "actin"]
    assert get_transformation(found["cells"]).to_affine_matrix(("x", "y"), ("x", "y"))[0, 0] == 0.25
    joined = spatialdata.match_table_to_element(found, "cells")
    assert joined.obs["label"].tolist() == table.objects["label"].tolist()
    assert joined.uns["spatialdata_attrs"]["instance_key"] == "label"
    if ndim == 2:
        outlines = found["cells_outlines"]
        assert outlines.geometry.is_valid.all()
        assert outlines.geometry.area.tolist() == [(labels == one).sum() for one in outlines.index]
    back = read_table(tmp_path / "a.zarr")
    assert back.features == table.features
    assert list(back.objects) == ["label", "image"]
    np.testing.assert_array_equal(back.values, table.values)
    assert is_table_path(tmp_path / "a.zarr")
    assert [one.name for one in tmp_path.iterdir()] == ["a.zarr"]


def test_no_objects(tmp_path, spatialdata):
    labels = np.zeros((5, 6), np.uint8)
    write_spatialdata(tmp_path / "a.zarr", labels, table_of(labels))
    found = spatialdata.read_zarr(tmp_path / "a.zarr")
    assert list(found.labels) == ["cells"]
    assert not list(found.tables)


def test_more_than_65535_objects(tmp_path, spatialdata):
    labels = np.arange(1, 256 * 257 + 1).reshape(256, 257)
    ids = labels.ravel().astype(np.int64)
    table = Measurements(np.ones((len(ids), 1)), FEATURES[:1], {"label": ids}, np.argwhere(labels > 0).astype(float))
    write_spatialdata(tmp_path / "a.zarr", labels[:, None].repeat(2, 1), table)
    found = spatialdata.read_zarr(tmp_path / "a.zarr")
    assert found["cells"].values.max() == len(ids)
    assert len(found["table"]) == len(ids)


def test_errors(tmp_path):
    labels = np.ones((4, 5), int)
    table = table_of(labels)
    with pytest.raises(DataError, match="label 1, which the label image lacks"):
        write_spatialdata(tmp_path / "a.zarr", labels * 2, table)
    with pytest.raises(ShapeError, match="the image has shape"):
        write_spatialdata(tmp_path / "a.zarr", labels, table, image=np.zeros((1, 4, 6)))
    with pytest.raises(ShapeError, match="SpatialData takes"):
        write_spatialdata(tmp_path / "a.zarr", labels[0], table)
    with pytest.raises(DataError, match="twice"):
        write_spatialdata(tmp_path / "a.zarr", labels, Measurements.concatenate([table, table]))
    assert not list(tmp_path.iterdir())
