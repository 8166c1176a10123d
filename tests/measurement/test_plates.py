"""Plate, well and field from names, and from OME-Zarr plates."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import FormatError, ParameterError
from teasel.images import open_image, write_multiscale
from teasel.measurement import Feature, Measurements
from teasel.measurement.plates import NAMINGS, add_wells, find_well, plate_positions

#        name                                            naming         plate      well   field channel z  time
NAMES = [
    ("r02c03f04p05-ch1sk6fk1fl1.tiff", "Operetta", "", "B03", 4, "1", 5, 6),
    ("r16c24f104p01-ch2sk1fk1fl1.tiff", "Operetta", "", "P24", 104, "2", 1, 1),
    ("r02c03f04p05rc1-ch1sk1fk1fl1.tiff", "Operetta", "", "B03", 4, "1", 5, 1),
    (
        "MyPlate__2024-Measurement 1/Images/r01c12f01p01-ch1sk1fk1fl1.tiff",
        "Operetta",
        "MyPlate__2024-Measurement 1",
        "A12",
        1,
        "1",
        1,
        1,
    ),
    ("screen/003012007.flex", "Opera", "screen", "C12", 7, "", None, None),
    ("002003-1-004005006.tif", "Columbus", "", "B03", 4, "006", 5, 1),
    ("Plate1_A01_s1_w1.TIF", "ImageXpress", "Plate1", "A01", 1, "1", None, None),
    ("A01_s1_w1.tif", "ImageXpress", "", "A01", 1, "1", None, None),
    (
        "my_exp_2_H12_s12_w3D1F3A1E5-1234-4C3B-9B7A-0123456789AB.tif",
        "ImageXpress",
        "my_exp_2",
        "H12",
        12,
        "3",
        None,
        None,
    ),
    ("BBBC039/Week1_150607_B02_w1.tif", "ImageXpress", "Week1_150607", "B02", None, "1", None, None),
    ("TimePoint_1/P_A05_s3.tif", "ImageXpress", "P", "A05", 3, "", None, None),
    ("AssayPlate_#655090_D11_T0001F006L01A01Z02C03.tif", "CellVoyager", "AssayPlate_#655090", "D11", 6, "03", 2, 1),
    ("p7/B - 03(fld 4 wv DAPI - DAPI).tif", "InCell", "p7", "B03", 4, "DAPI - DAPI", None, None),
    ("exp/WellC05_ChannelDAPI_Seq0003.nd2", "Nikon", "exp", "C05", None, "DAPI", None, None),
    ("A01.tif", "plain", "", "A01", None, "", None, None),
    ("plate1_B03_2.ome.tif", "plain", "plate1", "B03", 2, "", None, None),
    ("plate1_B03_2.labels.tif", "plain", "plate1", "B03", 2, "", None, None),
    ("plates/plate-7/P24", "plain", "plate-7", "P24", None, "", None, None),
    ("C:\\data\\p1\\B03.tif", "plain", "p1", "B03", None, "", None, None),
    ("p.ome.zarr/AF/48/0", "OME-Zarr", "p", "AF48", 0, "", None, None),
]


@pytest.mark.parametrize(
    ("name", "naming", "plate", "well", "field", "channel", "z", "time"), NAMES, ids=[n[0] for n in NAMES]
)
def test_names(name, naming, plate, well, field, channel, z, time):
    found = find_well(name)
    assert found is not None
    assert (found.naming, found.plate, found.well, found.field) == (naming, plate, well, field)
    assert (found.channel, found.z, found.time) == (channel, z, time)
    assert naming in NAMINGS


@pytest.mark.parametrize(
    "name",
    [
        "cells.tif",
        "C1-cells.tif",
        "H2B.tif",
        "2024-01-02.tif",
        "B30.tif",
        "A00.tif",
        "T01.tif",
        "xA01y.tif",
        "A1B2C3.tif",
        "P_A05_s3_thumb.tif",
        "embryo_stage3.tif",
        "GFP_01.tif",
        "",
        "well.tif",
    ],
)
def test_other_names_say_nothing(name):
    assert find_well(name) is None


def test_every_naming_is_tested():
    assert {row[1] for row in NAMES} == set(NAMINGS)


def test_columns_are_added():
    objects = {"label": np.arange(3), "image": np.array(["p_B03_2.tif", "p_A01.tif", "p_B03_2.tif"])}
    table = Measurements(np.ones((3, 1)), (Feature("a"),), objects, np.zeros((3, 2)))
    found = add_wells(table)
    assert found.objects["plate"].tolist() == ["p", "p", "p"]
    assert found.objects["well"].tolist() == ["B03", "A01", "B03"]
    assert found.objects["field"].tolist() == ["2", "", "2"]
    assert set(table.objects) == {"label", "image"}
    assert add_wells(found, strict=False) is found
    with pytest.raises(ParameterError, match="'image'"):
        add_wells(Measurements(np.ones((1, 1)), (Feature("a"),), {"label": np.ones(1, int)}, np.zeros((1, 2))))
    objects["image"][0] = "odd"
    with pytest.raises(ParameterError, match="'odd'"):
        add_wells(Measurements(np.ones((3, 1)), (Feature("a"),), objects, np.zeros((3, 2))))
    odd = Measurements(np.ones((3, 1)), (Feature("a"),), objects, np.zeros((3, 2)))
    assert add_wells(odd, strict=False) is odd


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_plates(tmp_path, version):
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "screen.zarr"
    group = zarr.create_group(path, zarr_format=2 if version == "0.4" else 3)
    wells = [{"path": "B/03", "rowIndex": 1, "columnIndex": 2}, {"path": "C/11", "rowIndex": 2, "columnIndex": 10}]
    plate = {"plate": {"name": "screen 1", "version": version, "wells": wells}}
    group.attrs.update({"ome": plate} if version == "0.5" else plate)
    for well in wells:
        images = {"well": {"images": [{"path": "0"}, {"path": "1"}]}}
        group.create_group(well["path"]).attrs.update({"ome": images} if version == "0.5" else images)
        for field in "01":
            write_multiscale(path / well["path"] / field, np.zeros((8, 8), np.uint8), axes="yx", version=version)
    found = plate_positions(path)
    assert [(one.plate, one.well, one.field) for one in found.values()] == [
        ("screen 1", "B03", 0), ("screen 1", "B03", 1), ("screen 1", "C11", 0), ("screen 1", "C11", 1),
    ]  # fmt: skip
    for scene in found:
        assert open_image(path, scene=scene).shape == (8, 8)
        assert find_well(f"{path.name}/{scene}").well == found[scene].well
    with pytest.raises(FormatError, match="no plate"):
        plate_positions(path / "B/03")
