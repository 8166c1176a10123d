"""Workbooks: sheets, limits, text that looks like formulas, and numbers that LibreOffice reads in two languages."""

from __future__ import annotations

import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest

from teasel.errors import DataError, FormatError
from teasel.measurement import Feature, Measurements
from teasel.measurement.tables import read_table, write_table
from teasel.measurement.tables.excel import LARGEST
from tests.measurement.tables.test_contract import make_table


def test_the_sheets_and_what_is_on_them(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    table = make_table(8)
    write_table(table, tmp_path / "a.xlsx", settings={"model": "nuclei"})
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Summary", "Cells", "Settings", "Dictionary", "Relations"]
    assert book["Cells"].freeze_panes == "A2"
    assert book["Cells"].auto_filter.ref == "A1:I9"
    rows = list(book["Cells"].iter_rows(values_only=True))
    assert rows[0] == ("label", "image", "score", "touches_border", "centroid_y_um", "centroid_x_um", *table.names)
    assert rows[2][7] is None  # NaN: an empty cell
    assert {cell.data_type for cell in book["Cells"]["B"]} == {"s"}
    assert {cell.data_type for cell in book["Cells"]["G"][1:]} == {"n"}
    names = [row[0] for row in book["Dictionary"].iter_rows(min_row=2, values_only=True)]
    assert names == list(rows[0])
    settings = dict(row[:2] for row in book["Settings"].iter_rows(min_row=2, values_only=True))
    assert settings["model"] == '"nuclei"'
    summary = list(book["Summary"].iter_rows(values_only=True))
    assert summary[0][:3] == ("image", "n_objects", "mean_AreaShape_Area")
    assert sum(row[1] for row in summary[1:]) == 8
    plain = make_table(2, relations=())
    write_table(plain, tmp_path / "b.xlsx")
    assert openpyxl.load_workbook(tmp_path / "b.xlsx").sheetnames == ["Summary", "Cells", "Settings", "Dictionary"]


def test_text_is_no_formula_and_no_link(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    words = ["=1+1", "@SUM(A1)", "+1", "-1", "007", "http://a.b", '=HYPERLINK("http://a.b")', "1E5"]
    objects = {"label": np.arange(8), "image": np.array(words)}
    table = Measurements(np.ones((8, 1)), (Feature("=a"),), objects, np.zeros((8, 2)), settings={"=s": "=x"})
    write_table(table, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    for sheet in book:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} <= {"s", "n"}
        assert not any(cell.hyperlink for row in sheet.iter_rows() for cell in row)
    assert [cell.value for cell in book["Cells"]["B"]][1:] == words
    back = read_table(tmp_path / "a.xlsx")
    assert back.objects["image"].tolist() == words
    assert back.settings["=s"] == "=x"


def test_what_excel_cannot_hold_is_an_error(tmp_path):
    n = LARGEST + 1
    table = Measurements(np.zeros((n, 0)), (), {"label": np.arange(n)}, np.zeros((n, 2)))
    with pytest.raises(DataError, match=r"1048576 objects.*1048575.*\.parquet or \.h5ad"):
        write_table(table, tmp_path / "a.xlsx")
    features = tuple(Feature(f"f{i}") for i in range(9000))
    wide = Measurements(np.zeros((1, 9000)), features, {"label": np.arange(1)}, np.zeros((1, 2)))
    with pytest.raises(DataError, match="16384"):
        write_table(wide, tmp_path / "a.xlsx")
    long = Measurements(
        np.ones((1, 1)), (Feature("a"),), {"label": np.arange(1), "image": np.array(["x" * 40000])}, np.zeros((1, 2))
    )
    with pytest.raises(DataError, match="40000 characters"):
        write_table(long, tmp_path / "a.xlsx")
    assert not list(tmp_path.iterdir())
    write_table(make_table(), tmp_path / "b.xlsx", settings={"long": "y" * 70000})
    assert read_table(tmp_path / "b.xlsx").settings["long"] == "y" * 70000


def test_workbooks_of_others_are_named(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(FormatError, match="no sheet Cells"):
        read_table(tmp_path / "a.xlsx")


LOCALE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{}</value></prop></item>
</oor:items>
"""
SPACES = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
TABLE, OFFICE, TEXT = (SPACES % name for name in ("table", "office", "text"))


def open_in_libreoffice(path, folder, locale):
    """Open a workbook in LibreOffice under a locale; return value and shown text of every cell, by sheet."""
    profile = folder / f"profile-{locale}"
    (profile / "user").mkdir(parents=True)
    (profile / "user/registrymodifications.xcu").write_text(LOCALE.format(locale))
    command = ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", "fods"]
    subprocess.run([*command, "--outdir", folder / locale, path], check=True, capture_output=True, timeout=240)
    (found,) = (folder / locale).iterdir()
    return {
        sheet.get(f"{TABLE}name"): [list(_cells(row)) for row in sheet.iter(f"{TABLE}table-row")]
        for sheet in ElementTree.parse(found).getroot().iter(f"{TABLE}table")
    }


def _cells(row):
    for cell in row.iter(f"{TABLE}table-cell"):
        kind, shown = cell.get(f"{OFFICE}value-type"), "\n".join(p.text or "" for p in cell.iter(f"{TEXT}p"))
        value = float(cell.get(f"{OFFICE}value")) if kind == "float" else None if kind is None else shown
        assert cell.get(f"{TABLE}formula") in (None, "of:=FALSE()", "of:=TRUE()")  # how LibreOffice keeps truth
        repeated = int(cell.get(f"{TABLE}number-columns-repeated", 1))
        yield from [(value, shown)] * (repeated if repeated < 1000 else 0)


def test_libreoffice_reads_the_same_numbers_in_german_and_english(tmp_path):
    if not shutil.which("soffice"):
        pytest.skip("needs LibreOffice")
    table = make_table(8)
    table.objects["image"][0] = "=1+1"
    write_table(table, tmp_path / "a.xlsx")
    for locale, point in (("de-DE", ","), ("en-US", ".")):
        sheets = open_in_libreoffice(tmp_path / "a.xlsx", tmp_path, locale)
        assert set(sheets) == {"Summary", "Cells", "Settings", "Dictionary", "Relations"}
        cells = [row for row in sheets["Cells"] if row]
        assert [value for value, _ in cells[0]][-3:] == list(table.names)
        assert cells[1][1] == ("=1+1", "=1+1")
        assert all(point in row[6][1] for row in cells[1:9])  # the locale was really used
        # LibreOffice writes 20 digits behind the point
        numbers = np.array([[np.nan if value is None else value for value, _ in row[4:9]] for row in cells[1:9]])
        np.testing.assert_allclose(numbers, np.hstack([table.spatial_um, table.values]), rtol=1e-14, atol=1e-20)
        assert [row[0][0] for row in sheets["Dictionary"] if row][1:] == [value for value, _ in cells[0]]
