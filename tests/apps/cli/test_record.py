"""The record of an output folder."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from teasel.apps.cli.jobs import RESULT_SUFFIXES, Job, find_images, make_jobs, result_name
from teasel.apps.cli.record import RunRecord, fingerprint
from teasel.errors import ParameterError
from teasel.geometry import VoxelSize


@pytest.fixture
def job(tmp_path):
    source = tmp_path / "a.tif"
    source.write_bytes(b"image")
    return Job("a", source)


def make(folder, **parameters) -> RunRecord:
    folder.mkdir(exist_ok=True)
    record = RunRecord(folder, {"digest": "d"}, parameters, ["segment"])
    record.recall()
    return record


def write_all(folder, job):
    for suffix in RESULT_SUFFIXES:
        (folder / (job.name + suffix)).write_text("")


def test_done_from_finish_to_the_next_begin(tmp_path, job):
    out = tmp_path / "out"
    record = make(out)
    record.begin(job)
    write_all(out, job)
    assert not make(out).is_done(job)
    record.finish(job, {})
    assert make(out).is_done(job)
    make(out).begin(job)
    assert not make(out).is_done(job)


def test_unfinished_results_are_our_own(tmp_path, job):
    out = tmp_path / "out"
    make(out).begin(job)
    write_all(out, job)
    make(out).refuse_strangers(job)


def test_a_changed_image_is_not_done_but_its_results_are_our_own(tmp_path, job):
    out = tmp_path / "out"
    record = make(out)
    record.begin(job)
    write_all(out, job)
    record.finish(job, {})
    os.utime(job.source, ns=(1, 1))
    assert not make(out).is_done(job)
    make(out).refuse_strangers(job)


def test_values_that_json_has_no_word_for(tmp_path, job):
    record = make(tmp_path / "out", tile=np.int64(3), pair=(1, 2))
    record.begin(job)
    record.finish(job, {"size": VoxelSize(y=0.5), "nothing": float("nan"), "table": np.arange(2), "at": tmp_path})
    text = json.loads((tmp_path / "out/run.json").read_text())
    entry = text["images"]["a"]
    assert entry["parameters"] == {"tile": 3, "pair": [1, 2]}
    assert entry["size"] == {"z": None, "y": 0.5, "x": None}
    assert (entry["nothing"], entry["table"], entry["at"]) == (None, [0, 1], str(tmp_path))


def test_the_fingerprint_of_a_folder_counts_its_files(tmp_path):
    image = tmp_path / "a.zarr"
    (image / "0").mkdir(parents=True)
    (image / "0/chunk").write_bytes(b"123")
    before = fingerprint(image)
    assert before["size_bytes"] == 3
    (image / "0/chunk").write_bytes(b"1234")
    assert fingerprint(image) != before


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.OME.TIF", "a"), ("a.ome.zarr", "a"), ("a.b.tif", "a.b"), (".ome.tif", ".ome"), ("plain", "plain")],
)
def test_names_of_results(tmp_path, name, stem):
    assert result_name(tmp_path / name) == stem


def test_an_image_given_twice_is_done_once(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    assert find_images([str(tmp_path / "a.png"), str(tmp_path), str(tmp_path / "*.png")]) == [tmp_path / "a.png"]


def test_one_name_in_two_formats_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="would both write a"):
        make_jobs([tmp_path / "a.tif", tmp_path / "a.png"])
