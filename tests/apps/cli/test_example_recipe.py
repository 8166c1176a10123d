"""The recipe in examples/, carried out with the model that comes with the package on a drawn plate."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from teasel.apps.recipe import recipe_schema
from teasel.geometry import VoxelSize
from teasel.images import save_image
from tests.synthetic import discs, render

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/recipe.toml"
COUNTS = {"A01_s1": 20, "A01_s2": 14, "B02_s1": 25}


@pytest.fixture(scope="module")
def plate(tmp_path_factory) -> Path:
    """A folder with a copy of the recipe, and three fields of two wells."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copy(EXAMPLE, folder)
    (folder / "plate").mkdir()
    for seed, (name, n) in enumerate(COUNTS.items()):
        pixels = (4000 * render(discs((220, 240), n, 9, seed), seed) + 100).clip(0, 65535).astype(np.uint16)
        save_image(folder / f"plate/{name}.tif", pixels, axes="yx", voxel_size_um=VoxelSize(y=0.5, x=0.5))
    run(folder)
    return folder


def run(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "teasel.apps.cli", "run", str(folder / "recipe.toml"), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    files = [
        path for path in folder.rglob("*") if path.is_file() and path.name not in ("run.times.json", "report.html")
    ]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_it_fits_the_schema():
    import tomllib

    jsonschema.validate(tomllib.loads(EXAMPLE.read_text("utf-8")), recipe_schema())


def test_one_table_holds_every_nucleus_with_its_well(plate):
    results = plate / "plate-results"
    rows = list(csv.DictReader((results / "measurements.csv").read_text("utf-8").splitlines()))
    found = {name: sum(row["image"] == f"{name}.tif" for row in rows) for name in COUNTS}
    assert all(abs(found[name] - n) <= 2 for name, n in COUNTS.items())
    assert {row["well"] for row in rows} == {"A01", "B02"}
    areas = [float(row["AreaShape_Area"]) for row in rows if row["image"] == "A01_s1.tif"]
    assert np.median(areas) == pytest.approx(np.pi * 4.5**2, rel=0.15)  # square micrometres
    record = json.loads((results / "run.json").read_text("utf-8"))
    assert len(rows) == sum(entry["n_objects"] for entry in record["images"].values())
    assert (results / "measurements.xlsx").is_file()
    assert (results / "A01_s1.labels.zip").is_file()


def test_the_report_tells_of_wells_and_measurements(plate):
    page = (plate / "plate-results/report.html").read_text("utf-8")
    assert "<h1>An example plate</h1>" in page
    assert 'id="wells"' in page
    assert "AreaShape_Area" in page
    assert "the feature families shape, intensity of Teasel" in page
    assert "@article{stirling2021cellprofiler" in page


def test_once_more_gives_the_same_bytes(plate, tmp_path):
    first = contents(plate / "plate-results")
    assert "3 done;" in run(plate, "-o", str(tmp_path / "again"))
    again = contents(tmp_path / "again")
    assert again.keys() == first.keys()
    assert [name for name in first if first[name] != again[name]] == []
    assert "0 done, 3 done before" in run(plate)
    assert contents(plate / "plate-results") == first
