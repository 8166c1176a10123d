"""The command line with the model that comes with the package, on drawn images with a known count."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from teasel.geometry import VoxelSize
from teasel.images import save_image
from teasel.labels import read_labels
from tests.synthetic import discs, render


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A plane, a series, a stack that says how far its planes lie apart and one that does not, two channels."""
    folder = tmp_path_factory.mktemp("images")

    def draw(n: int, seed: int) -> np.ndarray:
        return (4000 * render(discs((200, 240), n, 9, seed), seed)).clip(0, 65535).astype(np.uint16)

    um = VoxelSize(2.0, 0.5, 0.5)
    save_image(folder / "plane.tif", draw(20, 0), axes="yx", voxel_size_um=um)
    save_image(folder / "series.tif", np.stack([draw(5, 1), draw(12, 2)]), axes="tyx", voxel_size_um=um)
    save_image(folder / "stack.tif", np.stack([draw(5, 1), draw(12, 2)]), axes="zyx", voxel_size_um=um)
    save_image(folder / "unknown.tif", np.stack([draw(5, 1), draw(12, 2)]), axes="zyx")
    pair = np.stack([draw(5, 1), draw(12, 2)])
    save_image(folder / "pair.ome.tif", pair, axes="cyx", channel_names=("actin", "DAPI"))
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "teasel.apps.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_plane_and_series_are_done_and_ambiguous_images_named(folder, tmp_path):
    result = run("segment", folder, "-o", tmp_path)
    assert result.returncode == 1, result.stderr
    assert "unknown.tif: ParameterError" in result.stderr
    assert "--anisotropy" in result.stderr
    assert "/stack.tif" not in result.stderr
    assert read_labels(tmp_path / "stack.labels.tif").shape == (2, 200, 240)
    assert "pair.ome.tif: ParameterError" in result.stderr
    assert "1 (DAPI)" in result.stderr
    assert "--channel" in result.stderr
    assert abs(len(rows(tmp_path / "plane.objects.csv")) - 20) <= 2
    assert abs(len(rows(tmp_path / "series.objects.csv")) - 17) <= 3
    assert read_labels(tmp_path / "series.labels.tif").shape == (2, 200, 240)
    entry = json.loads((tmp_path / "run.json").read_text())["images"]["plane"]
    assert entry["diameter_source"] == "estimated"
    assert 13 < entry["diameter_px"] < 26


@pytest.mark.parametrize(
    ("name", "options", "n"),
    [("pair.ome.tif", ["--channel", "DAPI"], 12), ("stack.tif", ["--z", 0], 5), ("plane.tif", ["--diameter", 18], 20)],
)
def test_choices(folder, tmp_path, name, options, n):
    result = run("segment", folder / name, "-o", tmp_path, *options)
    assert result.returncode == 0, result.stderr
    (table,) = tmp_path.glob("*.objects.csv")
    assert abs(len(rows(table)) - n) <= 2


def test_demo(tmp_path):
    result = run("demo", "-o", tmp_path / "demo")
    assert result.returncode == 0, result.stderr
    assert len(rows(tmp_path / "demo/ihc.objects.csv")) > 0
    assert json.loads((tmp_path / "demo/run.json").read_text())["model"]["name"] == "nuclei"
