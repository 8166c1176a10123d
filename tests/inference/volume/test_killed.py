"""Killed at any moment, a run goes on where it was and leaves the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from teasel.agglomeration import Agglomeration, Height
from teasel.errors import FormatError, ParameterError
from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume, open_runner, work_folder
from teasel.inference.volume.store import WorkFolder

PROGRAM = """
import sys
from teasel.agglomeration import Agglomeration, Height
from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume
recipe = Recipe(AffinitySource(sys.argv[1]), Height(reach_px=4), Agglomeration(min_voxels=20), threshold=0.6)
agglomerate_volume(recipe, sys.argv[2], block=(32, 32, 32))
"""


@pytest.fixture(scope="module")
def recipe(affinity_file) -> Recipe:
    return Recipe(AffinitySource(str(affinity_file)), Height(reach_px=4), Agglomeration(min_voxels=20), threshold=0.6)


@pytest.fixture(scope="module")
def expected(recipe, hash_files, tmp_path_factory) -> str:
    return hash_files(agglomerate_volume(recipe, tmp_path_factory.mktemp("whole") / "a.ome.zarr", block=(64, 56, 72)))


def records(out: Path) -> int:
    return len(list(work_folder(out).rglob("*.done")))


def test_a_client_killed_twice_goes_on(recipe, expected, hash_files, tmp_path):
    out = tmp_path / "a.ome.zarr"
    for wanted in random.Random(1).sample(range(3, 40), 2):
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, recipe.source.path, str(out)])
        wanted += records(out)
        while records(out) < wanted and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert not out.exists()
    done = records(out)
    calls = []
    agglomerate_volume(recipe, out, block=(32, 32, 32), progress=lambda *now: calls.append(now))
    assert hash_files(out) == expected
    assert done > 6
    assert calls[0][0] > 0  # what was done counts from the start
    assert calls[-1][0] == calls[-1][1]


def test_workers_killed_on_the_way_are_replaced(recipe, expected, hash_files, tmp_path):
    out = tmp_path / "a.ome.zarr"
    with open_runner(workers=2, memory=1 << 30) as runner:
        killed = []

        def progress(done: int, total: int) -> None:
            if len(killed) < 2 and done > (1 + len(killed)) * total // 4:
                pids = list(runner._client.run(os.getpid).values())  # type: ignore[attr-defined]
                os.kill(pids[len(killed) % len(pids)], signal.SIGKILL)
                killed.append(done)

        agglomerate_volume(recipe, out, block=(31, 29, 37), runner=runner, progress=progress)
    assert len(killed) == 2
    assert hash_files(out) == expected


def test_a_run_that_was_stopped_refuses_other_settings(recipe, tmp_path):
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total // 3:
            raise Enough

    out = tmp_path / "a.ome.zarr"
    with pytest.raises(Enough):
        agglomerate_volume(recipe, out, block=(32, 32, 32), progress=stop)
    other = Recipe(recipe.source, recipe.height, recipe.method, threshold=0.7)
    with pytest.raises(ParameterError, match=r"not finished, with other settings \(threshold\)"):
        agglomerate_volume(other, out, block=(32, 32, 32))
    agglomerate_volume(recipe, out, block=(20, 56, 72))  # other blocks are no other settings
    with pytest.raises(ParameterError, match="is there already"):
        agglomerate_volume(recipe, out)


def test_what_is_done_is_read_only_as_it_was_written(tmp_path):
    import numpy as np

    work = WorkFolder(str(tmp_path))
    digest = work.put("stage", "7", {"a": np.arange(12).reshape(3, 4), "empty": np.zeros((0, 2), np.uint64)})
    assert work.put("stage", "7", {"a": np.arange(12).reshape(3, 4), "empty": np.zeros((0, 2), np.uint64)}) == digest
    assert work.get("stage", "7")["a"].tolist() == np.arange(12).reshape(3, 4).tolist()
    assert work.get("stage", "7")["empty"].shape == (0, 2)
    path = tmp_path / "stage" / "7"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(FormatError, match="not what was written there; remove"):
        work.get("stage", "7")
    path.write_bytes(data[:-1])
    assert not work.is_done("stage", "7")
    with pytest.raises(FormatError, match="is not done"):
        work.get("stage", "8")
