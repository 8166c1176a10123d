"""`teasel segment`: what it writes, skips, refuses and survives."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from teasel.labels import read_labels

STUB = Path(__file__).with_name("stub.py")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def run_json(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text("utf-8"))


def test_writes_labels_table_picture_and_record(teasel, write_image, tmp_path):
    result = teasel("segment", write_image(tmp_path / "cells.png", n=3), "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert files(tmp_path / "out") == [
        "cells.labels.tif", "cells.objects.csv", "cells.overlay.png", "run.json", "run.times.json",
    ]  # fmt: skip
    assert np.unique(read_labels(tmp_path / "out/cells.labels.tif")).tolist() == [0, 1, 2, 3]
    rows = table(tmp_path / "out/cells.objects.csv")
    assert rows[0] == {
        "label": "1", "centroid_y_px": "11.5", "centroid_x_px": "7.5", "area_px": "64", "score": "0.9",
        "touches_border": "false",
    }  # fmt: skip
    assert "cells.png: 3 objects, diameter 12.0 px (estimated)" in result.stdout


def test_record_says_how_results_were_made(teasel, write_image, tmp_path):
    image = write_image(tmp_path / "cells.png")
    teasel("segment", image, "-o", tmp_path / "out", "--diameter", 20)
    record = run_json(tmp_path / "out")
    assert record["status"] == "complete"
    assert record["model"]["digest"] == "5" * 64
    assert record["parameters"] == {"model": "nuclei", "diameter_px": 20.0}
    assert {"teasel", "python", "numpy", "onnxruntime"} <= record["versions"].keys()
    entry = record["images"]["cells"]
    assert entry["source"] == str(image)
    assert (entry["n_objects"], entry["diameter_px"], entry["diameter_source"]) == (3, 20.0, "given")
    assert entry["axes"], entry["shape"] == ("yx", [64, 64])


def test_micrometres_in_the_table_where_the_scale_is_known(teasel, tmp_path):
    from teasel.geometry import VoxelSize
    from teasel.images import save_image

    image = np.zeros((40, 40), np.uint16)
    image[10:20, 10:20] = 100
    save_image(tmp_path / "a.tif", image, axes="yx", voxel_size_um=VoxelSize(y=0.5, x=0.5))
    assert teasel("segment", tmp_path / "a.tif", "-o", tmp_path / "out").exit_code == 0
    (row,) = table(tmp_path / "out/a.objects.csv")
    assert (row["area_px"], row["area_um2"], row["centroid_y_um"]) == ("100", "25", "7.25")


def test_image_without_objects_gives_empty_results(teasel, write_image, tmp_path):
    result = teasel("segment", write_image(tmp_path / "empty.png", n=0), "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len((tmp_path / "out/empty.objects.csv").read_text().splitlines()) == 1
    assert not read_labels(tmp_path / "out/empty.labels.tif").any()


def test_one_bad_file_is_named_and_the_others_are_done(teasel, write_image, tmp_path):
    for name in ("a.png", "c.png"):
        write_image(tmp_path / "in" / name)
    (tmp_path / "in/b.png").write_bytes(b"not an image")
    result = teasel("segment", tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 of 3 images failed" in result.stderr
    assert "b.png: FormatError" in result.stderr
    assert "Traceback" not in result.output
    record = run_json(tmp_path / "out")
    assert set(record["images"]) == {"a", "c"}
    assert [Path(failure["source"]).name for failure in record["failures"]] == ["b.png"]
    assert not list((tmp_path / "out").glob("b.*"))


def test_a_missing_file_is_a_bad_file(teasel, write_image, tmp_path):
    result = teasel("segment", tmp_path / "no.png", write_image(tmp_path / "a.png"), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "no.png: InputNotFound" in result.stderr
    assert (tmp_path / "out/a.labels.tif").exists()


def test_a_fault_of_the_program_fails_one_image_only(teasel, write_image, tmp_path, monkeypatch):
    from teasel.apps.cli import batch

    write = batch.write_results

    def break_on_b(segmentation, folder, name):
        if name == "b":
            raise ZeroDivisionError("a fault")
        return write(segmentation, folder, name)

    monkeypatch.setattr(batch, "write_results", break_on_b)
    images = [write_image(tmp_path / f"{name}.png") for name in "abc"]
    result = teasel("segment", *images, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "b.png: ZeroDivisionError: a fault" in result.stderr
    assert (tmp_path / "out/c.labels.tif").exists()


def test_wrongly_typed_for_every_image_is_exit_code_two(teasel, write_image, tmp_path):
    result = teasel("segment", write_image(tmp_path / "a.png"), "-o", tmp_path / "out", "--axes", "zcyx")
    assert result.exit_code == 2
    assert "AxesError" in result.stderr


def test_a_second_run_does_only_what_is_not_done(teasel, write_image, tmp_path):
    out = tmp_path / "out"
    for name in "abc":
        write_image(tmp_path / f"in/{name}.png")
    teasel("segment", tmp_path / "in", "-o", out)
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.labels.tif")}
    (out / "b.objects.csv").unlink()
    result = teasel("segment", tmp_path / "in", "-o", out)
    assert result.exit_code == 0
    assert "1 done, 2 done before" in result.stdout
    changed = {path.name for path, at in before.items() if path.stat().st_mtime_ns != at}
    assert changed == {"b.labels.tif"}


@pytest.mark.parametrize("change", ["parameter", "input", "overwrite"])
def test_results_are_made_again_when_something_changed(teasel, write_image, tmp_path, change):
    image, out = write_image(tmp_path / "a.png", n=2), tmp_path / "out"
    teasel("segment", image, "-o", out)
    extra = {"parameter": ["--diameter", 9], "input": [], "overwrite": ["--overwrite"]}[change]
    if change == "input":
        write_image(image, n=4)
    result = teasel("segment", image, "-o", out, *extra)
    assert "1 done; results in" in result.stdout, result.output


def test_moved_folders_keep_their_results(teasel, write_image, tmp_path):
    write_image(tmp_path / "x/in/a.png")
    teasel("segment", tmp_path / "x/in", "-o", tmp_path / "x/out")
    (tmp_path / "x").rename(tmp_path / "y")
    result = teasel("segment", tmp_path / "y/in", "-o", tmp_path / "y/out")
    assert "0 done, 1 done before" in result.stdout, result.output


def test_two_images_of_one_name_are_refused_before_anything_is_done(teasel, write_image, tmp_path):
    images = [write_image(tmp_path / "p" / "A1.png"), write_image(tmp_path / "q" / "a1.png")]
    result = teasel("segment", *images, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "would both write" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("origin", ["another image", "unknown"])
def test_results_of_other_origin_are_not_replaced(teasel, write_image, tmp_path, origin):
    image, out = write_image(tmp_path / "p/a.png"), tmp_path / "out"
    if origin == "unknown":
        out.mkdir()
        (out / "a.labels.tif").write_bytes(b"corrected by hand")
    else:
        teasel("segment", write_image(tmp_path / "q/a.png", n=1), "-o", out)
    before = (out / "a.labels.tif").read_bytes()
    result = teasel("segment", image, "-o", out)
    assert result.exit_code == 2, result.output
    assert "--overwrite" in result.stderr
    assert (out / "a.labels.tif").read_bytes() == before
    assert teasel("segment", image, "-o", out, "--overwrite").exit_code == 0
    assert (out / "a.labels.tif").read_bytes() != before


def test_results_beside_the_images_are_not_taken_as_images(teasel, write_image, tmp_path):
    write_image(tmp_path / "a.png")
    teasel("segment", tmp_path, "-o", tmp_path)
    result = teasel("segment", tmp_path, "-o", tmp_path)
    assert "0 done, 1 done before" in result.stdout
    assert files(tmp_path) == [
        "a.labels.tif", "a.objects.csv", "a.overlay.png", "a.png", "run.json", "run.times.json",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Zellen äöü 细胞.png", "a [1] b.png", "-dash.png", "dots.1.2.png"])
def test_any_file_name(teasel, write_image, tmp_path, name):
    write_image(tmp_path / "in" / name)
    result = teasel("segment", tmp_path / "in" / name, "-o", tmp_path / "out ü")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out ü" / name.replace(".png", ".labels.tif")).exists()


def test_patterns(teasel, write_image, tmp_path):
    for name in ("p1/a.png", "p2/b.png", "p2/c.txt"):
        write_image(tmp_path / name) if name.endswith("png") else (tmp_path / name).write_text("")
    result = teasel("segment", tmp_path / "**" / "*", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert set(run_json(tmp_path / "out")["images"]) == {"a", "b"}


@pytest.mark.parametrize("what", ["*.nothing", "empty"])
def test_nothing_to_do_is_an_error(teasel, tmp_path, what):
    (tmp_path / "empty").mkdir()
    result = teasel("segment", tmp_path / what, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "no image" in result.stderr
    assert not (tmp_path / "out").exists()


def test_output_that_is_a_file(teasel, write_image, tmp_path):
    (tmp_path / "out").write_text("mine")
    result = teasel("segment", write_image(tmp_path / "a.png"), "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_output_that_may_not_be_written_to(teasel, write_image, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    result = teasel("segment", write_image(tmp_path / "a.png"), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "Permission" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_broken_record_is_an_error(teasel, write_image, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    result = teasel("segment", write_image(tmp_path / "a.png"), "-o", tmp_path)
    assert result.exit_code == 1
    assert "run.json is not the record of a run" in result.stderr


def test_quiet(teasel, write_image, tmp_path):
    result = teasel("segment", write_image(tmp_path / "a.png"), "-o", tmp_path / "out", "-q")
    assert result.output == ""


def test_debug_shows_where_an_error_arose(teasel, write_image, tmp_path):
    (tmp_path / "out").write_text("mine")
    result = teasel("--debug", "segment", write_image(tmp_path / "a.png"), "-o", tmp_path / "out")
    assert "Traceback" in result.stderr


def stubbed(arguments: list[object], seconds: float) -> subprocess.Popen:
    environment = os.environ | {"STUB_SECONDS": str(seconds), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(STUB), *map(str, arguments)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=heed_ctrl_c if os.name == "posix" else None,
    )  # fmt: skip


def heed_ctrl_c() -> None:
    # Shells start background jobs with Ctrl-C ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(
    ("typed", "names"),
    [(None, ["a"]), ("1", ["a.1"]), ("left_right", ["a.left_right"]), ("all", ["a.left_right", "a.right"])],
)
def test_scenes_are_part_of_the_name(teasel, tmp_path, typed, names):
    import tifffile

    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as file:
        for name, size in (("left/right", 40), ("right", 50)):
            file.write(np.eye(size, dtype=np.uint16), metadata={"axes": "YX", "Name": name})
    options = ["--scene", "left/right" if typed == "left_right" else typed] if typed else []
    result = teasel("segment", tmp_path / "a.ome.tif", "-o", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    assert sorted(run_json(tmp_path / "out")["images"]) == names


def test_all_scenes_of_a_folder_with_a_bad_file(teasel, write_image, tmp_path):
    write_image(tmp_path / "in/a.png")
    (tmp_path / "in/b.tif").write_bytes(b"bad")
    result = teasel("segment", tmp_path / "in", "-o", tmp_path / "out", "--scene", "all")
    assert result.exit_code == 1
    assert set(run_json(tmp_path / "out")["images"]) == {"a"}


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_names_that_are_no_text(write_image, tmp_path):
    name = os.fsdecode(b"b\xe4d")
    write_image(tmp_path / "in/good.png").rename(tmp_path / "in" / f"{name}.png")
    for expected in ("1 done", "0 done, 1 done before"):
        text, err = stubbed(["segment", tmp_path / "in", "-o", tmp_path / "out"], seconds=0).communicate(timeout=100)
        assert expected in text, err
    assert (tmp_path / "out" / f"{name}.labels.tif").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a process there")
def test_ctrl_c_leaves_whole_results_and_a_further_run_goes_on(write_image, tmp_path):
    out = tmp_path / "out"
    for i in range(4):
        write_image(tmp_path / f"in/{i}.png")
    process = stubbed(["segment", tmp_path / "in", "-o", out], seconds=1.5)
    deadline = time.monotonic() + 100
    while not (out / "0.overlay.png").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "stopped" in err
    assert "Traceback" not in err
    record = run_json(out)
    assert record["status"] == "interrupted"
    done = {name for name, entry in record["images"].items() if entry["status"] == "done"}
    assert done
    assert len(done) < 4
    whole = {f"{name}{end}" for name in done for end in (".labels.tif", ".objects.csv", ".overlay.png")}
    assert set(files(out)) == whole | {"run.json", "run.times.json"}
    process = stubbed(["segment", tmp_path / "in", "-o", out], seconds=0)
    text, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert f"{4 - len(done)} done, {len(done)} done before" in text
    assert run_json(out)["status"] == "complete"
