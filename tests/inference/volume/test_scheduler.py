"""A Dask cluster of separate processes, as on several machines: started by its own commands, used by its address."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from teasel.errors import DataError
from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume, open_runner

pytest.importorskip("distributed")


@pytest.fixture
def address(tmp_path):
    """A scheduler and two workers; gives the address."""
    note = tmp_path / "scheduler.json"
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    processes = [subprocess.Popen([*start, "--dashboard-address", "127.0.0.1:0", "--scheduler-file", note])]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(note), "--nthreads", "1"]
    worker += ["--memory-limit", "1GB", "--no-dashboard", "--local-directory", str(tmp_path)]
    processes += [subprocess.Popen(worker) for _ in range(2)]
    try:
        from distributed import Client

        deadline = time.monotonic() + 60
        while not note.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        with Client(scheduler_file=str(note), timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
            found = client.scheduler.address
        yield found
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(30)


def test_a_cluster_elsewhere_gives_the_same_bytes(affinity_file, hash_files, address, tmp_path):
    recipe = Recipe(AffinitySource(str(affinity_file)))
    here = agglomerate_volume(recipe, tmp_path / "here.ome.zarr", block=(31, 40, 29))
    with open_runner(address) as runner:
        there = agglomerate_volume(recipe, tmp_path / "there.ome.zarr", block=(31, 40, 29), runner=runner)
    assert hash_files(there) == hash_files(here)


def test_nobody_at_the_address_is_an_error_that_names_it():
    with pytest.raises(DataError, match=r"tcp://127\.0\.0\.1:9"), open_runner("tcp://127.0.0.1:9"):
        pass
