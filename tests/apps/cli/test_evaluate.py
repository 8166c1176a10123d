"""`teasel evaluate`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from teasel.labels import write_labels


@pytest.fixture
def folders(tmp_path):
    """Three images: one perfect, one with an object too few, one empty on both sides."""
    truth = np.zeros((40, 40), np.uint8)
    truth[2:12, 2:12], truth[20:30, 20:30] = 1, 2
    half = np.where(truth == 1, truth, 0)
    for name, (true, found) in {"a": (truth, truth), "b": (truth, half), "c": (0 * truth, 0 * truth)}.items():
        for side, labels in (("truth", true), ("found", found)):
            (tmp_path / side).mkdir(exist_ok=True)
            write_labels(tmp_path / side / f"{name}.tif", labels)
    return tmp_path / "truth", tmp_path / "found"


def test_two_files(teasel, folders):
    truth, found = folders
    result = teasel("evaluate", truth / "b.tif", found / "b.tif")
    assert result.exit_code == 0, result.output
    assert "1 image, 2 true and 1 predicted objects" in result.stdout


def test_two_folders_with_intervals_and_json(teasel, folders, tmp_path):
    result = teasel("evaluate", *folders, "--bootstrap", "--json", tmp_path / "scores.json")
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["n_images"] == 3
    assert scores["pooled"]["ap@0.5"] == pytest.approx(3 / 4)
    low, high = scores["bootstrap"]["pooled"]["ap@0.5"]
    assert low <= 3 / 4 <= high
    assert "95 % interval" in result.stdout


def test_the_record_of_a_run_is_understood_as_prediction(teasel, folders, tmp_path, write_image):
    write_image(tmp_path / "in/a.png", n=2)
    teasel("segment", tmp_path / "in", "-o", tmp_path / "out")
    result = teasel("evaluate", tmp_path / "out/a.labels.tif", tmp_path / "out/a.labels.tif")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("missing", ["nothing.tif", "nowhere"])
def test_missing_input_is_one_line(teasel, folders, missing):
    result = teasel("evaluate", folders[0].parent / missing, folders[1])
    assert result.exit_code in (1, 2)
    assert len(result.stderr.splitlines()) == 1
