"""Slides: each object whole and once, the same bytes whoever does the work, nothing lost to kill -9."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

from teasel.errors import ParameterError
from teasel.images import open_image
from teasel.inference.slides import segment_slide, segmenting, tasks
from teasel.inference.slides.job import SlideJob
from teasel.inference.volume import open_runner, work_folder
from teasel.inference.volume.waves import Serial
from teasel.labels.metrics.matching import average_precision
from tests.oracle import oracle
from tests.synthetic import discs, render

SHAPE = (500, 620)
PROGRAM = """
import sys
from teasel.inference.slides import segment_slide
segment_slide(sys.argv[1], sys.argv[2], "nuclei-fast", diameter_px=24, block_px=100)
"""


def write(path: Path, plane: np.ndarray) -> Path:
    array = zarr.create_array(path, shape=plane.shape, dtype=plane.dtype, chunks=(90, 90), dimension_names=["y", "x"])
    array[...] = plane
    return path


def hash_of_files(result: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in result.rglob("*") if p.is_file()):
        digest.update(path.relative_to(result).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def truth():
    return discs(SHAPE, 120, 11, seed=4)


@pytest.fixture
def slide(truth, tmp_path, monkeypatch) -> Path:
    """A slide that a model without error sees."""
    monkeypatch.setattr(tasks, "load_once", lambda name: oracle())
    monkeypatch.setattr(segmenting, "load_model", lambda name, threads: oracle())
    return write(tmp_path / "slide.zarr", (truth > 0).astype(np.uint8))


class Shuffled(Serial):
    """Carries tasks out in an order of its own."""

    def run(self, task, job, keys, advance, *, batch=1):
        keys = list(keys)
        super().run(task, job, random.Random(3).sample(keys, len(keys)), advance, batch=batch)


@pytest.fixture(scope="module")
def stained(tmp_path_factory) -> Path:
    """A small slide for a shipped model."""
    labels = discs((260, 300), 40, 12, seed=2)
    plane = (200 * np.clip(render(labels, 0), 0, 1)).astype(np.uint8)
    return write(tmp_path_factory.mktemp("stained") / "slide.zarr", plane)


@pytest.fixture(scope="module")
def expected(stained, tmp_path_factory) -> str:
    out = tmp_path_factory.mktemp("whole") / "a.ome.zarr"
    table = segment_slide(stained, out, "nuclei-fast", diameter_px=24, block_px=100).objects
    assert 25 < len(table) < 60
    return hash_of_files(out)


@pytest.mark.parametrize("block_px", [100, 127, 2048])
def test_objects_are_whole_and_there_once_wherever_blocks_end(slide, truth, tmp_path, block_px):
    table = segment_slide(slide, tmp_path / "a.ome.zarr", diameter_px=22, block_px=block_px).objects
    labels = open_image(tmp_path / "a.ome.zarr").read()
    assert average_precision([truth], [labels], [0.9])[0] == 1
    assert len(table) == truth.max() == labels.max()
    np.testing.assert_array_equal(np.bincount(labels.ravel())[1:], table["area_px"])
    rows, columns = np.nonzero(labels == 5)
    assert (table["centroid_y_px"][4], table["centroid_x_px"][4]) == pytest.approx((rows.mean(), columns.mean()))
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    np.testing.assert_array_equal(np.flatnonzero(table["touches_border"]) + 1, edge[edge > 0])


def test_the_order_of_tasks_leaves_no_trace(slide, tmp_path):
    found = set()
    for name, runner in (("a", Serial()), ("b", Shuffled())):
        segment_slide(slide, tmp_path / name, diameter_px=22, block_px=100, runner=runner)
        found.add(hash_of_files(tmp_path / name))
    assert len(found) == 1


def test_two_workers_leave_no_trace(stained, expected, tmp_path):
    with open_runner(workers=2, memory=1 << 30) as runner:
        segment_slide(stained, tmp_path / "a.ome.zarr", "nuclei-fast", diameter_px=24, block_px=100, runner=runner)
    assert hash_of_files(tmp_path / "a.ome.zarr") == expected


def test_a_killed_run_goes_on(stained, expected, tmp_path):
    out = tmp_path / "a.ome.zarr"

    def records() -> int:
        return len(list(work_folder(out).rglob("*.done")))

    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(stained), str(out)])
    while records() < 3 and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert records() >= 3
    assert not out.exists()
    with pytest.raises(ParameterError, match="block_px"):
        segment_slide(stained, out, "nuclei-fast", diameter_px=24, block_px=140)
    calls = []
    segment_slide(stained, out, "nuclei-fast", diameter_px=24, block_px=100, progress=lambda *now: calls.append(now))
    assert hash_of_files(out) == expected
    assert not work_folder(out).exists()
    assert calls[0][0] > 0  # what was done counts from the start


def test_blocks_read_what_they_need_and_no_more(slide, tmp_path, monkeypatch):
    """A task's memory is that of its area, however large the slide."""
    read = []
    whole = tasks.segment_plane
    monkeypatch.setattr(
        tasks, "segment_plane", lambda model, plane, *a, **k: read.append(plane.shape) or whole(model, plane, *a, **k)
    )
    segment_slide(slide, tmp_path / "a.ome.zarr", diameter_px=22, block_px=100)
    recipe_edge = max(max(shape) for shape in read)
    assert len(read) > 20
    assert recipe_edge < 320


def test_an_object_that_two_blocks_claim_goes_to_the_first(tmp_path):
    """Settling by hand: block 1 sees most of block 0's object too, with the middle on its own side of the border."""

    class Recipe:
        block_px, overlap_px = 8, 6

    job = SlideJob(Recipe, str(tmp_path), (1, 8, 16))
    for block in range(2):
        area = job.area(block)
        labels = np.zeros((8, area[2][1] - area[2][0]), np.uint32)
        labels[2:6, 5 - area[2][0] if block == 0 else 6 - area[2][0] : 11 - area[2][0]] = 1
        labels[0, -1 if block else 0] = 2
        sizes = np.bincount(labels.ravel())[1:]
        found = {"labels": labels, "scores": np.ones(2, np.float32), "sizes": sizes, "own": np.array([True, True])}
        job.work.put("found", str(block), found)
    tasks._found.cache_clear()
    for block in range(2):
        tasks.settle_objects(job, str(block))
    assert job.work.get("settled", "0")["kept"].tolist() == [True, True]
    assert job.work.get("settled", "1")["kept"].tolist() == [False, True]


def test_an_empty_slide_has_no_objects(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "load_once", lambda name: oracle())
    monkeypatch.setattr(segmenting, "load_model", lambda name, threads: oracle())
    path = write(tmp_path / "slide.zarr", np.zeros((90, 300), np.uint8))
    assert len(segment_slide(path, tmp_path / "a.ome.zarr", diameter_px=20, block_px=100).objects) == 0
    assert not open_image(tmp_path / "a.ome.zarr").read().any()


def test_a_stack_needs_a_plane(tmp_path, monkeypatch):
    monkeypatch.setattr(segmenting, "load_model", lambda name, threads: oracle())
    array = zarr.create_array(
        tmp_path / "s.zarr", shape=(3, 40, 40), dtype="u1", chunks=(1, 40, 40), dimension_names=["z", "y", "x"]
    )
    array[1] = 7
    with pytest.raises(ParameterError, match="3 along z"):
        segment_slide(tmp_path / "s.zarr", tmp_path / "a.ome.zarr", diameter_px=20)
