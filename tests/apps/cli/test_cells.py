"""Whole cells and nuclei from the command line, with the shipped models."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from teasel.apps.cli.app import app
from teasel.images import save_image
from teasel.labels import read_labels
from teasel.labels.metrics.matching import average_precision
from teasel.training.simulation import simulate

SCENE = simulate("membrane-sheet", size_px=160, seed=1_000_002)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two channels with names."""
    path = tmp_path_factory.mktemp("images") / "pair.ome.tif"
    values = (np.clip(SCENE.image, 0, 1.2) * 20000).astype(np.uint16)
    save_image(path, values, axes="cyx", channel_names=("membrane", "DAPI"))
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def rows(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_nuclei_and_cells_are_written_and_paired(pair, tmp_path):
    asked = ("segment", pair, "-o", tmp_path, "--model", "cells", "--cell", "membrane", "--nucleus", "DAPI")
    result = run(*asked)
    assert result.exit_code == 0, result.output
    cells, nuclei = (read_labels(tmp_path / f"pair.{what}.tif") for what in ("labels", "nuclei"))
    objects, found = rows(tmp_path / "pair.objects.csv"), rows(tmp_path / "pair.nuclei.csv")
    assert len(objects) == cells.max()
    assert len(found) == nuclei.max()
    for row in found:
        inside = set(np.unique(cells[nuclei == int(row["label"])]).tolist())
        assert inside == {int(row["cell"])}
    counted = np.bincount([int(row["cell"]) for row in found], minlength=len(objects) + 1)[1:]
    assert [int(row["n_nuclei"]) for row in objects] == counted.tolist()
    record = json.loads((tmp_path / "run.json").read_text("utf-8"))["images"]["pair"]
    assert record["cells_without_nucleus"] == [int(r["label"]) for r in objects if r["nucleus"] == "0"]
    assert record["nuclei_without_cell"] == [int(r["label"]) for r in found if r["cell"] == "0"]
    assert average_precision([SCENE.labels], [cells], (0.5,))[0] > 0.7
    again = run(*asked)
    assert "1 done before" in again.output


def test_nothing_is_guessed(pair, tmp_path):
    result = run("segment", pair, "-o", tmp_path, "--model", "cells")
    assert result.exit_code == 2
    assert "0 (membrane), 1 (DAPI)" in result.output
    assert "--cell" in result.output


def test_a_model_of_nuclei_takes_no_roles(pair, tmp_path):
    result = run("segment", pair, "-o", tmp_path, "--cell", "membrane", "--nucleus", "DAPI")
    assert result.exit_code == 2
    assert "--channel" in result.output


def test_a_model_of_nuclei_without_their_channel_is_refused(pair, tmp_path):
    result = run("segment", pair, "-o", tmp_path, "--model", "cells", "--cell", 0, "--nuclei-model", "nuclei-fast")
    assert result.exit_code == 2
    assert "--nucleus" in result.output
