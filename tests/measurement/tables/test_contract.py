"""What every format for tables promises."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from teasel.errors import FormatError, InputNotFound
from teasel.geometry import VoxelSize
from teasel.measurement import Feature, Measurements, Relation
from teasel.measurement.tables import is_table_path, read_table, write_table

SUFFIXES = (".h5ad", ".zarr", ".csv", ".parquet", ".xlsx")
FEATURES = (
    Feature("AreaShape_Area", unit="um2", definition='Area, in µm²; "all" pixels.', family="size_shape"),
    Feature("Intensity_MeanIntensity_DAPI", "DAPI", "nucleus", "grey value", "Mean, of\nthe nucleus.", "intensity"),
    Feature("Neighbors_NumberOfNeighbors"),
)


def make_table(n: int = 5, ndim: int = 2, **more: object) -> Measurements:
    rng = np.random.default_rng(n)
    values = rng.lognormal(size=(n, 3)) * [1, 1e6, 1e-9]
    values[1::3, 1] = np.nan
    names = np.array([f'plate, 1/{"=A"[i % 2]}0{i % 4 + 1}_µ "x".tif' for i in range(n)], str)
    objects = {
        "label": np.arange(1, n + 1) * 3,
        "image": names,
        "score": rng.random(n),
        "touches_border": rng.random(n) > 0.5,
    }
    relations = (
        Relation("cell", "nucleus", np.array([[3, 1], [3, 2]]), "a.tif"),
        Relation("cell", "nucleus", np.zeros((0, 2), np.int64), "b.tif"),
    )
    settings = {"voxel_size_um": VoxelSize(y=0.5, x=0.5), "families": {"texture": {"scales": (1, 3)}}, "z": None}
    table = Measurements(values, FEATURES, objects, rng.random((n, ndim)) * 100, "um", settings, relations)
    return replace(table, **more)


CASES = {
    "plane": make_table(),
    "volume": make_table(7, 3),
    "pixels": make_table(spatial_unit="px"),
    "one": make_table(1),
    "none": make_table(0),
    "labels only": make_table(values=np.zeros((5, 0)), features=(), objects={"label": np.arange(5)}, relations=()),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("table", CASES.values(), ids=CASES)
def test_round_trip(tmp_path, suffix, table):
    path = tmp_path / f"a{suffix}"
    before = table.values.copy()
    write_table(table, path, settings={"more": [1, 2.5, "=x"]})
    back = read_table(path)
    digits = {".h5ad": 1e-7, ".zarr": 1e-7, ".xlsx": 1e-15}.get(suffix, 0)
    np.testing.assert_allclose(back.values, table.values, rtol=digits, atol=0)
    np.testing.assert_allclose(back.spatial_um, table.spatial_um, rtol=min(digits, 1e-15), atol=0)
    assert back.spatial_unit == table.spatial_unit
    assert back.features == table.features
    assert list(back.objects) == list(table.objects)
    for name, column in table.objects.items():
        assert back.objects[name].dtype.kind == column.dtype.kind
        if column.dtype.kind == "f":
            np.testing.assert_allclose(back.objects[name], column, rtol=1e-15)
        else:
            assert back.objects[name].tolist() == column.tolist()
    assert back.settings["more"] == [1, 2.5, "=x"]
    assert back.settings["families"] == {"texture": {"scales": [1, 3]}}
    assert back.settings["voxel_size_um"] == {"z": None, "y": 0.5, "x": 0.5}
    assert set(back.settings) == {"teasel", "more", "voxel_size_um", "families", "z"}
    found = [(one.parent, one.child, one.image, one.pairs.tolist()) for one in back.relations]
    assert found == [(one.parent, one.child, one.image, one.pairs.tolist()) for one in table.relations]
    np.testing.assert_array_equal(table.values, before)
    beside = ["a.csv-metadata.json"] if suffix == ".csv" else []
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"a{suffix}", *beside]


@pytest.mark.parametrize("suffix", [one for one in SUFFIXES if one != ".zarr"])
def test_the_same_table_gives_the_same_bytes(tmp_path, suffix):
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    for folder in "12":
        write_table(make_table(), tmp_path / folder / f"a{suffix}")
    assert (tmp_path / f"1/a{suffix}").read_bytes() == (tmp_path / f"2/a{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_than_65535_objects(tmp_path, suffix):
    n = 65_600
    table = make_table(3)
    table = Measurements(np.ones((n, 1)), table.features[:1], {"label": np.arange(1, n + 1)}, np.zeros((n, 2)))
    write_table(table, tmp_path / f"a{suffix}")
    assert read_table(tmp_path / f"a{suffix}").objects["label"].tolist() == list(range(1, n + 1))


@pytest.mark.parametrize("suffix", [one for one in SUFFIXES if one != ".zarr"])
@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\nbroken", b"PK\x03\x04broken", b"PAR1broken"])
def test_broken_files_are_named(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"cannot be read|has no column 'label'"):
        read_table(path)


def test_broken_folders_are_named(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(FormatError, match="0 tables"):
        read_table(tmp_path / "a.zarr")
    assert not is_table_path(tmp_path / "a.zarr")


def test_errors(tmp_path):
    with pytest.raises(FormatError, match=r"expected \.h5ad.*\.xlsx"):
        write_table(make_table(), tmp_path / "a.txt")
    with pytest.raises(InputNotFound, match="no file"):
        read_table(tmp_path / "a.csv")
    with pytest.raises(InputNotFound, match="does not exist"):
        write_table(make_table(), tmp_path / "none/a.csv")
    with pytest.raises(TypeError, match="cannot be written"):
        write_table(make_table(), tmp_path / "a.csv", settings={"a": object()})
    assert not list(tmp_path.iterdir())
    for suffix in SUFFIXES:
        write_table(make_table(), tmp_path / f"a{suffix}")
        assert is_table_path(tmp_path / f"a{suffix}")


def test_csv_without_description_is_known_by_its_names(tmp_path):
    """As ``teasel segment`` writes it, or another program."""
    path = Path(tmp_path / "a.csv")
    path.write_text(
        "label,centroid_y_px,centroid_x_px,area_px,score,touches_border,centroid_y_um,centroid_x_um,group\n"
        "1,3,4,12,0.5,true,1.5,2,a\n2,5,6,,0.25,false,2.5,3,b\n"
    )
    table = read_table(path)
    assert list(table.objects) == ["label", "score", "touches_border", "group"]
    assert table.objects["touches_border"].tolist() == [True, False]
    assert table.names == ("centroid_y_px", "centroid_x_px", "area_px")
    assert table.spatial_unit == "um"
    assert table.spatial_um.tolist() == [[1.5, 2], [2.5, 3]]
    assert np.isnan(table.column("area_px")[1])
    path.write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match="'label'"):
        read_table(path)
    path.write_text("a,b\n1\n")
    with pytest.raises(FormatError, match="differ in length"):
        read_table(path)


def test_the_description_of_a_csv_is_csv_on_the_web(tmp_path):
    write_table(make_table(), tmp_path / "a.csv")
    about = json.loads((tmp_path / "a.csv-metadata.json").read_text("utf-8"))
    assert about["@context"][0] == "http://www.w3.org/ns/csvw"
    assert about["url"] == "a.csv"
    header = (tmp_path / "a.csv").read_text("utf-8").splitlines()[0].split(",")
    assert [one["name"] for one in about["tableSchema"]["columns"]] == header
    assert {one["datatype"] for one in about["tableSchema"]["columns"]} == {"integer", "string", "number", "boolean"}
    (tmp_path / "a.csv").write_text("label\n1\n")
    with pytest.raises(FormatError, match=r"does not describe a\.csv"):
        read_table(tmp_path / "a.csv")


def test_parquet_opens_in_pandas_with_types(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    write_table(make_table(), tmp_path / "a.parquet")
    frame = pandas.read_parquet(tmp_path / "a.parquet")
    assert frame["label"].dtype == np.int64
    assert frame["touches_border"].dtype == bool
    np.testing.assert_array_equal(frame["AreaShape_Area"], make_table().values[:, 0])
    frame.to_parquet(tmp_path / "b.parquet")  # as other programs write it
    back = read_table(tmp_path / "b.parquet")
    assert back.names == tuple(feature.name for feature in FEATURES)
    assert back.objects["image"].tolist() == make_table().objects["image"].tolist()
