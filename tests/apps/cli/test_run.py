"""`teasel run`: does what the recipe says, resumes, names what failed, and gives the same bytes again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from teasel.apps.recipe import read_recipe
from teasel.labels import read_labels

STUB = Path(__file__).with_name("stub.py")
TIMES = "run.times.json"


def write_recipe(folder: Path, *lines: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text("\n".join(('inputs = ["in"]', 'output = "out"', *lines)) + "\n", "utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the results but the one for times; a report tells of times as well."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in (TIMES, "report.html")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def images(write_image, tmp_path):
    return [write_image(tmp_path / "in" / f"{name}.png", n=n) for n, name in enumerate(("a", "b", "c"), 1)]


def test_a_recipe_is_carried_out(teasel, images, tmp_path):
    recipe = write_recipe(tmp_path, "[segment]", "diameter_px = 9", "[export]", 'labels = [".zip", ".geojson"]')
    result = teasel("run", recipe)
    assert result.exit_code == 0, result.output
    assert "3 done; results in" in result.stdout
    ends = ("labels.tif", "objects.csv", "overlay.png", "labels.zip", "labels.geojson")
    expected = {f"{name}.{end}" for name in "abc" for end in ends} | {"run.json", TIMES}
    assert {path.name for path in (tmp_path / "out").iterdir()} == expected
    record = json.loads((tmp_path / "out/run.json").read_text("utf-8"))
    assert record["parameters"]["diameter_px"] == 9.0
    assert record["parameters"]["export"] == {"labels": [".zip", ".geojson"]}


def test_the_output_may_be_another(teasel, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert teasel("run", write_recipe(tmp_path), "-o", "elsewhere").exit_code == 0
    assert (tmp_path / "elsewhere/a.labels.tif").exists()
    assert not (tmp_path / "out").exists()


def test_paths_do_not_depend_on_where_one_stands(teasel, images, tmp_path, monkeypatch):
    recipe = write_recipe(tmp_path)
    (tmp_path / "deep/er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep/er")
    assert teasel("run", "../../recipe.toml").exit_code == 0
    assert (recipe.parent / "out/c.labels.tif").exists()


def test_a_rerun_gives_the_same_bytes(teasel, images, tmp_path):
    recipe = write_recipe(tmp_path, "[export]", 'labels = [".zip", ".coco.json", ".npy", ".ome.zarr"]')
    teasel("run", recipe)
    first = contents(tmp_path / "out")
    teasel("run", recipe, "--overwrite")
    assert contents(tmp_path / "out") == first
    teasel("run", recipe, "-o", tmp_path / "again")
    assert contents(tmp_path / "again") == first
    assert "run.json" in first


def test_times_stand_beside_the_record(teasel, images, tmp_path):
    teasel("run", write_recipe(tmp_path))
    times = json.loads((tmp_path / "out" / TIMES).read_text("utf-8"))
    assert set(times) == {"format", "command", "started", "seconds", "images"}
    assert set(times["images"]) == {"a", "b", "c"}
    assert "started" not in (tmp_path / "out/run.json").read_text("utf-8")


def test_more_exports_are_added_to_what_is_there(teasel, images, tmp_path):
    teasel("run", write_recipe(tmp_path))
    result = teasel("run", write_recipe(tmp_path, "[export]", 'labels = [".npy"]'))
    assert result.exit_code == 0, result.output
    assert np.array_equal(np.load(tmp_path / "out/b.labels.npy"), read_labels(tmp_path / "out/b.labels.tif"))


def test_frames_stay_frames_in_other_formats(teasel, tmp_path):
    from teasel.images import open_image, save_image

    (tmp_path / "in").mkdir()
    frames = np.zeros((2, 40, 40), np.uint16)
    frames[:, 10:20, 10:20] = 100
    save_image(tmp_path / "in/series.tif", frames, axes="tyx")
    result = teasel("run", write_recipe(tmp_path, "[export]", 'labels = [".ome.zarr", ".npy"]'))
    assert result.exit_code == 0, result.output
    assert np.load(tmp_path / "out/series.labels.npy").shape == (2, 40, 40)
    assert open_image(tmp_path / "out/series.labels.ome.zarr").axes[0] == "t"


def test_an_export_that_was_removed_is_made_again(teasel, images, tmp_path):
    recipe = write_recipe(tmp_path, "[export]", 'labels = [".npy"]')
    teasel("run", recipe)
    (tmp_path / "out/b.labels.npy").unlink()
    assert "1 done, 2 done before" in teasel("run", recipe).stdout


def test_one_bad_image_is_named_and_the_others_are_done(teasel, images, tmp_path):
    (tmp_path / "in/b.png").write_bytes(b"no image")
    result = teasel("run", write_recipe(tmp_path, "[report]"))
    assert result.exit_code == 1
    assert "1 of 3 images failed" in result.stderr
    assert "b.png: FormatError" in result.stderr
    assert (tmp_path / "out/c.labels.tif").exists()
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert "1 image could not be segmented" in page
    assert "FormatError" in page


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (["[segment]", 'chanel = "DAPI"'], 2, "line 4: unknown key 'chanel' in [segment]; did you mean 'channel'?"),
        (["[segment]", 'model = "nucleus"'], 2, "no model 'nucleus'; did you mean 'nuclei'?"),
        (["[export]", 'labels = [".xyz"]'], 1, "labels are not kept in '.xyz' files"),
        (["[measure]", 'tables = [".doc"]'], 2, "no table is kept in '.doc' files"),
        (["[measure]", 'families = ["shapes"]'], 2, "shapes"),
        (["[segment"], 2, "not well-formed TOML"),
    ],
)
def test_broken_recipes_are_one_line_and_nothing_is_done(teasel, images, tmp_path, lines, code, words):
    result = teasel("run", write_recipe(tmp_path, *lines))
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_recipes_that_are_not_there_or_say_too_little(teasel, images, tmp_path):
    result = teasel("run", tmp_path / "none.toml")
    assert result.exit_code == 1
    assert "InputNotFound: no recipe" in result.stderr
    result = teasel("run")
    assert result.exit_code == 2
    assert "--save-recipe" in result.stderr
    (tmp_path / "r.toml").write_text('inputs = ["in"]\n')
    result = teasel("run", tmp_path / "r.toml")
    assert result.exit_code == 2
    assert "names no folder" in result.stderr
    (tmp_path / "r.toml").write_text('inputs = ["nowhere/*.tif"]\noutput = "out"\n')
    result = teasel("run", tmp_path / "r.toml")
    assert result.exit_code == 2
    assert "no image fits the pattern" in result.stderr


def test_models_of_volumes_are_sent_elsewhere(teasel, images, tmp_path, monkeypatch):
    monkeypatch.setattr("teasel.apps.cli.run.is_volume_model", lambda name: True)
    result = teasel("run", write_recipe(tmp_path))
    assert result.exit_code == 2
    assert "is a model of volumes; use teasel segment" in result.stderr


def test_schema(teasel):
    result = teasel("run", "--schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["title"] == "Teasel recipe"


@pytest.mark.parametrize("suffix", [".toml", ".yaml"])
def test_what_was_typed_can_be_saved_and_run(teasel, images, tmp_path, suffix):
    saved = tmp_path / f"recipes{suffix}"
    typed = [tmp_path / "in" / "*.png", "-o", tmp_path / "one", "--diameter", 11, "--export", ".zip, .npy", "--report"]
    assert teasel("segment", *typed, "--save-recipe", saved).exit_code == 0
    assert read_recipe(saved).segment.diameter_px == 11
    result = teasel("run", saved, "-o", tmp_path / "two")
    assert result.exit_code == 0, result.output
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert (tmp_path / "two/report.html").exists()


def test_a_saved_recipe_does_not_replace_another(teasel, images, tmp_path):
    saved = tmp_path / "r.toml"
    teasel("segment", images[0], "-o", tmp_path / "out", "--save-recipe", saved)
    before = saved.read_bytes()
    result = teasel("segment", images[1], "-o", tmp_path / "out", "--save-recipe", saved)
    assert result.exit_code == 2
    assert "says something else" in result.stderr
    assert saved.read_bytes() == before
    assert teasel("segment", images[0], "-o", tmp_path / "out", "--save-recipe", saved).exit_code == 0


def test_results_and_exports_are_no_inputs(teasel, images, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('inputs = ["in"]\noutput = "in"\n[export]\nlabels = [".png", ".npy", ".ome.zarr"]\n')
    assert "3 done;" in teasel("run", recipe).stdout
    assert "0 done, 3 done before" in teasel("run", recipe).stdout


def stubbed(arguments: list[object], seconds: float) -> subprocess.Popen:
    environment = os.environ | {"STUB_SECONDS": str(seconds), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(STUB), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_midway_it_goes_on_to_the_same_bytes(teasel, write_image, tmp_path):
    for i in range(4):
        write_image(tmp_path / f"in/{i}.png", n=1 + i % 3)
    recipe = write_recipe(tmp_path, "[export]", 'labels = [".npy"]')
    whole = tmp_path / "whole"
    assert teasel("run", recipe, "-o", whole).exit_code == 0
    process = stubbed(["run", recipe], seconds=1.0)
    deadline = time.monotonic() + 100
    while not (tmp_path / "out/0.labels.npy").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (tmp_path / "out/.part-0123abcd-1.labels.tif").write_bytes(b"half a file, as a kill leaves it")
    done = {path.name for path in (tmp_path / "out").glob("*.labels.npy")}
    assert 0 < len(done) < 4
    result = teasel("run", recipe)
    assert result.exit_code == 0, result.output
    assert f"{4 - len(done)} done, {len(done)} done before" in result.stdout
    assert contents(tmp_path / "out") == contents(whole)


def test_a_full_disk_stops_the_run_with_whole_files_only(teasel, images, small_disk, tmp_path):
    recipe = write_recipe(tmp_path)
    disk = small_disk(40)
    result = teasel("run", recipe, "-o", disk)
    assert result.exit_code == 1, result.output
    assert "is full" in result.stderr
    assert "Traceback" not in result.output
    assert not list(disk.glob(".part-*"))
    record = json.loads((disk / "run.json").read_text("utf-8")) if (disk / "run.json").exists() else {"images": {}}
    for name, entry in record["images"].items():
        if entry["status"] == "done":
            assert read_labels(disk / f"{name}.labels.tif").any()


def test_a_full_disk_and_the_report(teasel, images, small_disk, tmp_path):
    teasel("run", write_recipe(tmp_path))
    result = teasel("report", tmp_path / "out", "-o", small_disk(8) / "report.html")
    assert result.exit_code == 1
    assert "is full" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.fixture
def small_disk(tmp_path):
    """Mount a small file system in memory, of so many kB."""
    mounted = []

    def make(kilobytes: int) -> Path:
        place = tmp_path / f"disk{kilobytes}"
        place.mkdir()
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("a small file system can only be mounted as root")
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("this machine does not let a file system be mounted")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_report_on_nothing(teasel, tmp_path):
    result = teasel("report", tmp_path)
    assert result.exit_code == 1
    assert "no results in" in result.stderr
    result = teasel("report", tmp_path / "none")
    assert result.exit_code == 1
    assert "no folder" in result.stderr


def test_report_says_where_it_is(teasel, images, tmp_path):
    teasel("run", write_recipe(tmp_path))
    result = teasel("report", tmp_path / "out", "--title", "Mine", "--min-objects", 2)
    assert result.exit_code == 0, result.output
    assert f"Report: {tmp_path / 'out/report.html'}" in result.stdout
    assert "<h1>Mine</h1>" in (tmp_path / "out/report.html").read_text("utf-8")
    assert "1 object<" in (tmp_path / "out/report.html").read_text("utf-8")
