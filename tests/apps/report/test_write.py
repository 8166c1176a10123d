"""Reports without a browser: bad input, whole files, the same bytes again."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pytest

from teasel.apps.report import ReportOptions, write_report
from teasel.errors import DataError, FormatError, InputNotFound, ParameterError


def test_the_same_results_give_the_same_bytes(make_run, fields):
    folder = make_run({"a": fields()})
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first


def test_nothing_but_the_report_is_written(make_run, fields):
    folder = make_run({"a": fields()})
    before = {path: path.read_bytes() for path in folder.iterdir()}
    write_report(folder)
    assert {path.name for path in folder.iterdir()} - {path.name for path in before} == {"report.html"}
    assert all(path.read_bytes() == data for path, data in before.items())


def test_folders_without_results(tmp_path):
    with pytest.raises(InputNotFound, match="no folder"):
        write_report(tmp_path / "none")
    with pytest.raises(InputNotFound, match=r"it has no run\.json"):
        write_report(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"images": 3, "parameters": {}, "model": {}}'])
def test_a_broken_record(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(FormatError, match=r"run\.json is not the record of a run"):
        write_report(tmp_path)


def test_a_run_that_did_nothing(make_run):
    with pytest.raises(DataError, match="nothing to report on"):
        write_report(make_run({}))


@pytest.mark.parametrize(
    "text", ["", "label,score\n1,0.5\n", "label,score,area_px\n1,0.5\n", "label,score,area_px\n1,high,3\n"]
)
def test_a_broken_table(make_run, fields, text):
    folder = make_run({"a": fields()})
    (folder / "a.objects.csv").write_text(text)
    with pytest.raises(FormatError, match=r"a\.objects\.csv"):
        write_report(folder)


def test_results_that_are_not_all_there_are_named(make_run, fields):
    folder = make_run({"a": fields(), "b": fields()})
    (folder / "b.labels.tif").unlink()
    text = write_report(folder).read_text("utf-8")
    assert "1 image could not be segmented" in text
    assert "results are not complete" in text


def test_failures_are_named_with_their_reason(make_run, fields):
    folder = make_run({"a": fields()})
    record = json.loads((folder / "run.json").read_text("utf-8"))
    record["failures"] = [{"source": "in/b.tif", "error": "FormatError", "message": "cut <off>"}]
    (folder / "run.json").write_text(json.dumps(record))
    text = write_report(folder).read_text("utf-8")
    assert "FormatError: cut &lt;off&gt;" in text


@pytest.mark.parametrize("how", ["gone", "changed", "broken"])
def test_images_that_cannot_be_judged_any_more(make_run, fields, how):
    folder = make_run({"a": fields(), "b": fields()})
    source = folder.parent / "images" / "b.tif"
    if how == "gone":
        source.unlink()
    elif how == "broken":
        source.write_bytes(b"no image")
    else:
        os.utime(source, ns=(1, 1))
    text = write_report(folder).read_text("utf-8")
    assert "not judged" in text
    assert len(re.findall(r'class="shot[ "]', text)) == 2
    assert len(re.findall(r'class="picture"[^>]*><img', text)) >= 2


def test_results_that_were_moved_with_their_images(make_run, fields):
    folder = make_run({"a": fields()})
    moved = folder.parent.parent / (folder.parent.name + "-moved")
    folder.parent.rename(moved)
    text = write_report(moved / "results").read_text("utf-8")
    assert "no longer at" not in text
    assert "data:image/jpeg" in text


def test_another_model_is_not_passed_off_as_the_one_used(make_run, fields):
    folder = make_run({"a": fields()})
    record = json.loads((folder / "run.json").read_text("utf-8"))
    record["model"]["digest"] = "0" * 64
    (folder / "run.json").write_text(json.dumps(record))
    text = write_report(folder).read_text("utf-8")
    assert "is not the one that made these results" in text
    assert "percentiles" not in re.search(r'id="methods-text"[^>]*>([^<]*)<', text)[1]


def test_sizes_outside_the_training_are_flagged(make_run, fields):
    pixels, labels = fields(20, radius=9)
    grown = labels.copy()
    for label in range(1, 13):  # two thirds of the objects are specks
        where = np.argwhere(labels == label)
        grown[labels == label] = 0
        grown[tuple(where[0])] = label
    assert "unusual sizes" not in flags_of(write_report(make_run({"even": (pixels, labels)})))
    assert "unusual sizes" in flags_of(write_report(make_run({"odd": (pixels, grown)})))


def test_huge_objects_are_flagged(make_run):
    labels = np.zeros((900, 900), int)
    for i in range(9):
        y, x = 150 + 300 * (i // 3), 150 + 300 * (i % 3)
        labels[y - 120 : y + 120, x - 120 : x + 120] = i + 1
    found = flags_of(write_report(make_run({"huge": (np.where(labels, 3000, 100).astype(np.uint16), labels)})))
    assert "unusual sizes" in found


def flags_of(path) -> set[str]:
    section = re.search(r'<section id="attention".*?</section>', path.read_text("utf-8"), re.S)[0]
    return set(re.findall(r'class="(?:flag|fault)">([^<]+)<', section))


def test_few_objects_are_flagged_alone_and_beside_others(make_run, fields):
    images = {f"n{i}": fields(30, seed=i) for i in range(5)} | {"sparse": fields(5, seed=9), "bare": fields(2, seed=9)}
    text = write_report(make_run(images)).read_text("utf-8")
    assert "5 objects, the median of all images is 30" in text
    assert ">2 objects<" in text.replace("</span> 2 objects", "</span>>2 objects<")


def test_light_from_one_side_shows_in_all_images_together(make_run, fields):
    images = {}
    for i in range(8):
        pixels, labels = fields(30, seed=i)
        images[f"i{i}"] = (pixels * np.linspace(1, 0.3, pixels.shape[1])).astype(np.uint16), labels
    text = write_report(make_run(images)).read_text("utf-8")
    assert "across the field, all images together" in text
    even = write_report(make_run({f"i{i}": fields(30, seed=i) for i in range(8)})).read_text("utf-8")
    assert "all images together" not in re.search(r'<section id="attention".*?</section>', even, re.S)[0]


def test_a_time_series(make_run, fields):
    frames = [fields(8, seed=seed) for seed in range(3)]
    labels = np.stack([labels + (labels > 0) * 8 * i for i, (_, labels) in enumerate(frames)])
    path = write_report(make_run({"series": (np.stack([pixels for pixels, _ in frames]), labels)}))
    assert 'class="crops"' in path.read_text("utf-8")


def test_limits_below_zero_are_refused():
    with pytest.raises(ParameterError, match="max_blur"):
        ReportOptions(max_blur=-1)


def test_a_folder_that_does_not_exist_for_the_report(make_run, fields, tmp_path):
    folder = make_run({"a": fields()})
    with pytest.raises(InputNotFound, match="does not exist"):
        write_report(folder, tmp_path / "no" / "report.html")


def test_cells_with_their_nuclei(make_run, fields):
    from scipy import ndimage

    from teasel.labels import write_labels

    pixels, labels = fields(12, radius=12)
    folder = make_run({"a": (pixels, labels)}, cell="cell", nucleus="DAPI", nuclei={"model": "n", "digest": "ab" * 32})
    write_labels(folder / "a.nuclei.tif", np.where(ndimage.binary_erosion(labels > 0, iterations=6), labels, 0))
    record = json.loads((folder / "run.json").read_text("utf-8"))
    record["parameters"].pop("cell")  # the drawn image has one channel
    record["images"]["a"] |= {"n_nuclei": 11, "cells_without_nucleus": [3]}
    (folder / "run.json").write_text(json.dumps(record))
    text = write_report(folder).read_text("utf-8")
    assert "nuclei in blue" in text
    assert "1 cell has none" in text
    assert "Nuclei were segmented with the model n (SHA-256 abababababab)" in text
    colours = picture_colours(text)
    assert {(255, 196, 0), (0, 229, 255)} <= colours


def picture_colours(text: str) -> set[tuple[int, ...]]:
    """Colours that the first layer of outlines shows."""
    import base64
    import io

    from PIL import Image

    data = re.search(r'src="data:image/png;base64,([^"]+)"', text)[1]
    layer = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))
    return {tuple(colour[:3].tolist()) for colour in np.unique(layer.reshape(-1, 4), axis=0) if colour[3] > 0}
