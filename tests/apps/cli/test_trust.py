"""`teasel trust` and `teasel suggest`, with the shipped fast model on a small simulated image."""

from __future__ import annotations

import csv
import importlib

import numpy as np
import pytest
import tifffile

from teasel.training.data import normalise
from teasel.training.simulation.nuclei_scenes import simulate_nuclei


@pytest.fixture
def run():
    """Run the command line in this process, with the shipped models."""
    from typer.testing import CliRunner

    app = importlib.import_module("teasel.apps.cli.app").app
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def image(tmp_path):
    (tmp_path / "in").mkdir()
    pixels, _ = simulate_nuclei("culture", size_px=160, seed=2)
    tifffile.imwrite(tmp_path / "in/clear.tif", (200 + 4000 * normalise(pixels)[0].clip(0, 2)).astype(np.uint16))
    return tmp_path / "in/clear.tif"


def test_trust_prints_a_light_and_writes_a_table(run, image, tmp_path):
    table = tmp_path / "trust.csv"
    result = run("trust", image, "--model", "nuclei-fast", "-o", table, "--threads", 1)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("green")
    assert "clear.tif" in result.stdout
    assert "expected AP@0.5 of 'nuclei-fast' on 1 images" in result.stdout
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert row["light"] == "green"
    assert float(row["low"]) <= float(row["expected_ap50"]) <= float(row["high"])
    assert row["image"] == "clear.tif"


def test_ranking_lists_every_model_once(run, image):
    from teasel.models import list_models

    result = run("trust", image, "--rank", "--threads", 1)
    assert result.exit_code == 0, result.output
    names = [line.split()[1] for line in result.stdout.splitlines()]
    wanted = {spec.name for spec in list_models() if spec.representation.name == "hybrid" and spec.ndim == 2}
    assert set(names) == wanted
    means = [float(line.split("AP@0.5 ")[1].split()[0]) for line in result.stdout.splitlines()]
    assert means == sorted(means, reverse=True)


def test_one_bad_image_does_not_stop_the_others(run, image):
    (image.parent / "bad.tif").write_bytes(b"no image")
    result = run("trust", image.parent, "--model", "nuclei-fast", "--threads", 1)
    assert result.exit_code == 1
    assert "clear.tif" in result.stdout
    assert "bad.tif" in result.stderr


def test_suggest_writes_crops_ready_to_annotate(run, image, tmp_path):
    result = run("suggest", image, "-o", tmp_path / "out", "--model", "nuclei-fast", "--threads", 1)
    assert result.exit_code == 0, result.output
    assert f"teasel adapt {tmp_path / 'out'} -o MODEL" in result.stdout
    assert len(list((tmp_path / "out/images").iterdir())) == 1
    assert len(list((tmp_path / "out/predicted").iterdir())) == 1
    assert run("suggest", image, "-o", tmp_path / "out", "--crop", 99).exit_code == 2
