"""What the benchmarks compute, on small arrays; no model and no peer is run."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

import numpy as np
import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPTS = ("accuracy", "calibration", "cells", "flags", "leave_one_out", "memory", "rescale", "speed", "tiles")


@pytest.fixture(autouse=True)
def _checkout_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(CHECKOUT))


def load(name: str):
    return importlib.import_module(f"benchmarks.{name}")


def label_pairs(n: int = 4) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return grids of squares, and the same moved by 0 .. n - 1 pixels."""
    squares = np.kron(np.arange(1, 17).reshape(4, 4), np.ones((8, 8), int))
    squares[::8] = squares[:, ::8] = 0
    return [(squares, np.roll(squares, k, axis=1)) for k in range(n)]


def test_scores_are_those_of_the_metrics():
    from teasel.labels.metrics import bootstrap, matching

    scores = load("scores")
    pairs = label_pairs()
    counts = scores.count(pairs)
    expected = matching.average_precision(*zip(*pairs, strict=True), scores.THRESHOLDS)
    np.testing.assert_allclose(scores.average_precision(counts.sum(axis=0)), expected)
    summary = scores.summary(counts)
    assert summary["mean AP"][0] == pytest.approx(expected.mean())
    images = [matching.match(*pair, 0.75) for pair in pairs]
    interval = bootstrap.bootstrap_interval(images, lambda total: total.f1)
    np.testing.assert_allclose(summary["F1@0.75"], [interval.value, interval.low, interval.high])


def test_a_method_does_not_differ_from_itself():
    scores = load("scores")
    counts = scores.count(label_pairs())
    assert all(values == [0, 0, 0] for values in scores.difference(counts, counts).values())


def test_empty_images_count_as_right():
    scores = load("scores")
    empty = np.zeros((8, 8), int)
    counts = scores.count([(empty, empty)])
    assert scores.average_precision(counts).min() == scores.f1(counts).min() == 1


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_truth_is_resized_without_new_labels(factor):
    labels = label_pairs()[0][0]
    resized = load("rescale").resize_labels(labels, factor)
    assert resized.shape == tuple(round(n * factor) for n in labels.shape)
    assert set(range(1, 17)) <= set(np.unique(resized)) <= set(np.unique(labels))


def test_mosaics_are_full():
    images = [np.full((30, 40), k, np.uint16) for k in (1, 2, 3)]
    whole = load("mosaics").join(images, (100, 90))
    assert whole.shape == (100, 90)
    assert whole.dtype == np.uint16
    assert set(np.unique(whole)) == {1, 2, 3}


def test_calibration_of_perfect_and_of_boastful_scores():
    summarise = load("calibration").summarise
    right = np.array([True, True, False, True])
    assert summarise([(right.astype(float), right)] * 3)["ECE"] == [0, 0, 0]
    assert summarise([(np.ones(4), right)] * 3)["ECE"][0] == pytest.approx(0.25)


def test_speed_is_seconds_per_megapixel_and_the_ratio_to_the_peer():
    megapixels = np.array([0.5, 1.0, 0.5])
    seconds = {"nuclei": 0.2 * megapixels, "StarDist": 0.6 * megapixels}
    methods = load("speed").summarise(seconds, megapixels)["methods"]
    assert methods["nuclei"]["s/MP"][0] == pytest.approx(0.2)
    assert methods["nuclei"]["speed-up"] == pytest.approx([3, 3, 3])


def test_results_say_where_they_come_from(tmp_path):
    record = load("record")
    path = record.save(
        tmp_path, "trial", argparse.Namespace(threads=2), {"value": np.float64(0.123456789), "nan": np.nan}
    )
    content = json.loads(path.read_text("utf-8"))
    assert {"benchmark", "date", "commit", "machine", "versions", "threads"} <= set(content)
    assert content["value"] == 0.12346
    assert content["nan"] is None
    assert set(content["machine"]) == {"cpu", "cores", "flags", "system"}


def test_tables_are_aligned():
    lines = load("record").table([["a", 1, 0.5], ["longer", 20, [0.1, 0.05, 0.2]]], ("name", "n", "AP")).splitlines()
    assert lines[2].split() == ["a", "1", "0.500"]
    assert lines[3].endswith("0.100 [0.050, 0.200]")


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_in_the_readme_and_explains_itself(name, monkeypatch, capsys):
    assert f"python -m benchmarks.{name}" in (CHECKOUT / "benchmarks" / "README.md").read_text("utf-8")
    monkeypatch.setattr("sys.argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        load(name).main()
    assert "--data" in capsys.readouterr().out


def test_only_validation_images_are_read(shared_data):
    datasets = load("datasets")
    sets = datasets.load_sets(shared_data)
    assert {name: len(cases) for name, cases in sets.items()} == {
        "dsb_fluorescence": 53,
        "dsb_stained": 11,
        "dsb_brightfield": 2,
        "bbbc039": 15,
        "bitdepth": 14,
    }
    colour, axes = sets["dsb_stained"][0].read()
    assert axes == "yxc"
    assert colour.shape[:2] == sets["dsb_stained"][0].truth().shape
    assert sets["dsb_stained"][0].grey().ndim == 2


def test_an_unknown_set_is_an_error(tmp_path):
    datasets = load("datasets")
    with pytest.raises(ValueError, match="there are: dsb_fluorescence"):
        datasets.load_sets(tmp_path, ["dsb"])
    with pytest.raises(FileNotFoundError, match="--data"):
        datasets.load_sets(tmp_path, ["bbbc039"])


def test_of_a_single_image_nobody_knows_the_interval():
    from benchmarks.scores import THRESHOLDS, summary

    value, low, high = summary(np.tile([3.0, 1, 0], (1, len(THRESHOLDS), 1)))["AP@0.5"]
    assert value == 0.75
    assert np.isnan([low, high]).all()
