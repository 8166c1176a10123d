"""Evaluation of arrays, files and folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from teasel.errors import DataError, FormatError, InputNotFound, ParameterError, ShapeError
from teasel.labels import write_labels
from teasel.labels.metrics import average_precision, bootstrap_interval, evaluate, match
from teasel.labels.metrics.pairing import label_stem, pair_files
from tests.synthetic import random_labels, touching

TRUTH = [random_labels((30, 31), n, n) for n in (4, 9, 14)]
PREDICTION = [np.roll(labels, 1, axis=0) for labels in TRUTH]


def _write(folder: Path, names: list[str], arrays: list[np.ndarray]) -> Path:
    folder.mkdir()
    for name, array in zip(names, arrays, strict=True):
        write_labels(folder / name, array)
    return folder


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    truth = _write(tmp_path / "truth", ["b_mask.png", "a_mask.png", "c_mask.png"], TRUTH)
    prediction = _write(tmp_path / "out", ["b.labels.tif", "a.labels.tif", "c.labels.tif"], PREDICTION)
    Image.new("RGB", (31, 30)).save(prediction / "a.overlay.png")
    (prediction / "a.objects.csv").write_text("label")
    (prediction / "run.json").write_text("{}")
    (prediction / ".part-0000-a.labels.tif").write_text("half")
    (truth / "a.png").write_bytes((truth / "a_mask.png").read_bytes())  # the image beside its labels
    return truth, prediction


def test_folders_lists_and_arrays_agree(folders) -> None:
    by_folder = evaluate(*folders)
    by_array = evaluate(TRUTH, PREDICTION)
    by_path = evaluate(sorted(folders[0].glob("*_mask.png")), sorted(folders[1].glob("[abc].labels.tif")))
    assert [row.name for row in by_folder.images] == ["a", "b", "c"]
    assert [row.name for row in by_path.images] == ["a", "b", "c"]
    for other in (by_array, by_path):
        assert other.pooled == pytest.approx(by_folder.pooled, nan_ok=True)
    assert by_folder.pooled["ap_mean"] == pytest.approx(average_precision(TRUTH, PREDICTION).mean())
    mean = average_precision(TRUTH, PREDICTION, [0.75], pooled=False)[0]
    assert by_folder.mean["ap@0.75"] == pytest.approx(mean)


def test_two_files_are_a_pair_whatever_their_names(tmp_path) -> None:
    write_labels(tmp_path / "x.tif", TRUTH[0])
    write_labels(tmp_path / "y.npy", PREDICTION[0])
    result = evaluate(tmp_path / "x.tif", str(tmp_path / "y.npy"))
    assert result.pooled["n_truth"] == len(np.unique(TRUTH[0])) - 1


@pytest.mark.parametrize(
    "name",
    [
        "a.tif",
        "a.ome.tif",
        "a.labels.tif",
        "a_labels.png",
        "a-labels.npy",
        "a_mask.png",
        "a_masks.tif",
        "a_cp_masks.png",
    ],
)
def test_stems(name) -> None:
    assert label_stem(Path(name)) == "a"


def test_unpaired_files_are_listed(folders) -> None:
    truth, prediction = folders
    (prediction / "b.labels.tif").rename(prediction / "z.labels.tif")
    with pytest.raises(ParameterError, match=r"b_mask\.png.*z\.labels\.tif"):
        evaluate(truth, prediction)


def test_double_names_and_empty_folders_are_errors(folders, tmp_path) -> None:
    truth, prediction = folders
    write_labels(prediction / "a_masks.png", PREDICTION[0])
    with pytest.raises(ParameterError, match="both labels of 'a'"):
        pair_files(truth, prediction)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputNotFound, match="no label image"):
        pair_files(truth, tmp_path / "empty")
    with pytest.raises(InputNotFound, match="nowhere"):
        pair_files(truth, tmp_path / "nowhere")
    with pytest.raises(ParameterError, match="one of each"):
        pair_files(truth, truth / "a_mask.png")


def test_shapes_that_differ_name_both_files(tmp_path) -> None:
    write_labels(tmp_path / "x.tif", np.ones((4, 5), int))
    write_labels(tmp_path / "y.tif", np.ones((5, 4), int))
    with pytest.raises(ShapeError, match=r"x\.tif.*\(4, 5\).*y\.tif.*\(5, 4\)"):
        evaluate(tmp_path / "x.tif", tmp_path / "y.tif")
    with pytest.raises(ShapeError, match="truth has shape"):
        evaluate(np.ones((4, 5), int), np.ones((5, 4), int))


def test_other_errors(tmp_path) -> None:
    with pytest.raises(ParameterError, match="one is a list"):
        evaluate(TRUTH, PREDICTION[0])
    with pytest.raises(ShapeError, match="3 true and 2"):
        evaluate(TRUTH, PREDICTION[:2])
    with pytest.raises(ShapeError, match="at least 1"):
        evaluate([], [])
    with pytest.raises(DataError, match="not whole"):
        evaluate(TRUTH[0], TRUTH[0] + 0.5)
    for levels in ([], [0], [1.5], [0.5, 0.5]):
        with pytest.raises(ParameterError, match="IoU thresholds"):
            evaluate(TRUTH, PREDICTION, thresholds=levels)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match=r"a\.png"):
        evaluate(tmp_path / "a.png", tmp_path / "a.png")


def test_json_holds_everything_and_no_nan() -> None:
    result = evaluate([*TRUTH, np.zeros((3, 3), int)], [*PREDICTION, np.ones((3, 3), int)], bootstrap=50, seed=3)
    content = json.loads(result.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert content["n_images"] == 4
    for name, value in content["pooled"].items():
        assert value == result.pooled[name] or (value is None and np.isnan(result.pooled[name]))
    assert content["images"][3]["scores"]["boundary_iou"] is None
    assert content["bootstrap"]["n_resamples"] == 50
    low, high = content["bootstrap"]["pooled"]["ap@0.5"]
    assert low <= content["pooled"]["ap@0.5"] <= high
    assert json.loads(evaluate(TRUTH, PREDICTION).to_json())["bootstrap"] is None


def test_intervals_equal_those_of_the_single_scores() -> None:
    result = evaluate(TRUTH, PREDICTION, bootstrap=200, seed=5)
    tallies = [match(*pair, 0.5) for pair in zip(TRUTH, PREDICTION, strict=True)]
    alone = bootstrap_interval(tallies, lambda total: total.f1, 200, seed=5)
    assert result.pooled_intervals["f1@0.5"] == alone


def test_table_is_readable() -> None:
    text = evaluate(TRUTH, PREDICTION, bootstrap=20).to_table()
    lines = text.splitlines()
    assert lines[0].startswith("3 images, ")
    assert any(line.startswith("ap@0.75") and "[" in line for line in lines)
    assert max(map(len, lines)) < 140
    assert "nan" not in evaluate(np.zeros((3, 3), int), np.zeros((3, 3), int)).to_table()


def test_progress_and_other_thresholds() -> None:
    seen: list[tuple[int, int]] = []
    result = evaluate(TRUTH, PREDICTION, thresholds=[0.7], progress=lambda *step: seen.append(step))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert "ap@0.7" in result.to_table()


def test_ignored_pixels_reach_every_score() -> None:
    truth = touching((40, 40), 0)
    spoiled = truth.copy()
    spoiled[:20] = 77
    scores = evaluate(np.where(np.arange(40)[:, None] < 20, -1, truth), spoiled).pooled
    assert scores["rand_error"] == pytest.approx(0)
    assert scores["voi_split"] == pytest.approx(0)
    assert scores["ap@0.5"] == scores["boundary_f"] == scores["aji"] == 1
