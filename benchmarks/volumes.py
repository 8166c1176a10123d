"""Speed and memory of exact blocks: per core, per voxel of a block with its context, and in the scheduler.

    python -m benchmarks.volumes                              # blocks of 256^3, 20,000 tasks, a volume of 512^3
    python -m benchmarks.volumes --tasks 100000 --only-tasks
    python -m benchmarks.volumes --only-whole --shape 1024 2048 2048 --memory 3000000000 --scratch DIR

Times are CPU seconds of one thread, on the first block of a synthetic volume of hard affinities, after a warm-up.
Memory of a stage is the most that its process held resident (VmHWM) minus what it held after a tiny volume. The whole
run has two workers; its memory is the most that scheduler, client and workers held together, read twice a second.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import parser, save, table
from benchmarks.synthetic_volumes import make_affinities, make_labels, write_zarr
from benchmarks.watching import watch_memory
from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume, open_runner
from teasel.inference.volume.blocks import cut_block, graph_of_block, link_block
from teasel.inference.volume.recipe import Job

STAGES = {"supervoxels": cut_block, "links": link_block, "graph": graph_of_block}
PERIOD = 128
"""Edge of the piece that larger synthetic volumes repeat, mirrored."""


def measure_stages(path: str, folder: str, edge: int) -> list[dict[str, Any]]:
    """Run the stages of the first block in this process; return what each took."""
    tiny = f"{folder}/tiny.zarr"
    write_zarr(tiny, make_affinities(make_labels((40,) * 3), "hard"))
    warm = Job(Recipe(AffinitySource(tiny), threshold=0.5), f"{folder}/warm", (40,) * 3, (20,) * 3)
    for task in STAGES.values():
        for key in map(str, range(8)):
            task(warm, key)
    base = _resident("VmRSS")
    recipe = Recipe(AffinitySource(path), threshold=0.5)
    job = Job(recipe, folder, recipe.source.shape, (edge,) * 3)
    others = [str(n) for n in range(1, len(job.grid))]  # thin ones around the block that is timed
    rows = []
    for name, task in STAGES.items():
        for key in others:
            task(job, key)
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        began = time.process_time()
        task(job, "0")
        seconds, held = time.process_time() - began, _resident("VmHWM") - base
        context = max(recipe.height.margin) + 1 if name == "supervoxels" else 1
        haloed = float(np.prod([min(edge + context, n) for n in recipe.source.shape]))
        speed = edge**3 / seconds / 1e6
        rows.append({"stage": name, "seconds": seconds, "mvoxel_per_s": speed, "bytes": held / haloed})
    return [*rows, _measure_relabel(job)]


def _measure_relabel(job: Job) -> dict[str, Any]:
    """Time the step from places to segments of one block, without reading and writing."""
    from teasel.inference.volume.blocks import read_numbers

    places, ids = read_numbers(job, job.grid.box(0))
    table_ = np.arange(len(ids), dtype=np.uint32)[::-1].copy()
    table_[places]
    began = time.process_time()
    table_[places]
    seconds = time.process_time() - began
    return {"stage": "relabel", "seconds": seconds, "mvoxel_per_s": places.size / seconds / 1e6, "bytes": 4.0}


def _resident(field: str) -> int:
    """Return a line of this process's status, in bytes."""
    text = Path("/proc/self/status").read_text("ascii")
    found = re.search(rf"{field}:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) * 1024


def _nothing(job: str, key: str) -> None:
    """Do what a task does when there is nothing to do."""


def measure_scheduler(n_tasks: int) -> dict[str, Any]:
    """Send tasks in waves; watch the process that holds scheduler and client."""
    held: list[float] = []
    with open_runner(workers=2, memory=1 << 30) as runner:
        done = 0

        def advance(n: int) -> None:
            nonlocal done
            done += n
            if done % max(1, n_tasks // 10) == 0:
                held.append(_resident("VmRSS") / 1e6)

        began = time.perf_counter()
        runner.run(_nothing, "", map(str, range(n_tasks)), advance)
        seconds = time.perf_counter() - began
    return {"tasks": n_tasks, "ms_per_task": 1000 * seconds / n_tasks, "resident_mb": held}


def write_large(path: str, shape: tuple[int, ...]) -> None:
    """Write boundaries of a large volume: one piece, mirrored over and over, so that it goes on without a break."""
    import zarr

    piece = 255 - make_affinities(make_labels((PERIOD,) * 3), "hard").min(0)
    array = zarr.create_array(path, shape=shape, dtype="u1", chunks=(PERIOD,) * 3, dimension_names=["z", "y", "x"])
    for at in np.ndindex(*(-(-n // PERIOD) for n in shape)):
        flips = tuple(slice(None, None, -1 if i % 2 else 1) for i in at)
        box = tuple(slice(i * PERIOD, min((i + 1) * PERIOD, n)) for i, n in zip(at, shape, strict=True))
        array[box] = piece[flips][tuple(slice(b.stop - b.start) for b in box)]


def measure_whole(shape: tuple[int, ...], memory: int, folder: Path) -> dict[str, Any]:
    """Run a whole volume with two workers, watching all processes."""
    import zarr

    path = str(folder / "boundaries.zarr")
    write_large(path, shape)
    began = time.perf_counter()
    stages: dict[str, float] = {}

    def progress(done: int, total: int) -> None:
        work = folder / "out.ome.zarr.work"
        for stage in sorted(path.name for path in work.glob("*x*x*/*") if path.is_dir()):
            if stage not in stages:
                stages[stage] = time.perf_counter() - began
                print(f"{stages[stage]:.0f} s: {stage}; most {most[0] / 1e9:.2f} GB", flush=True)

    with watch_memory() as most, open_runner(workers=2, memory=memory) as runner:
        recipe = Recipe(AffinitySource(path, "boundaries"), threshold=0.5)
        out = agglomerate_volume(recipe, folder / "out.ome.zarr", runner=runner, progress=progress)
    seconds = time.perf_counter() - began
    group = zarr.open_group(out, mode="r")
    facts = {"supervoxels": group["agglomeration/ids"].shape[0], "edges": group["agglomeration/count"].shape[0]}  # type: ignore[union-attr]
    shutil.rmtree(out)
    taken = {"seconds": seconds, "began": stages, "most_gb": most[0] / 1e9, "memory_per_worker": memory}
    return {"shape": shape, **taken, **facts}


def main() -> None:
    """Run all, print the tables, write the JSON."""
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--edge", type=int, default=256, help="edge of the blocks that are timed")
    options.add_argument("--tasks", type=int, default=20000, help="empty tasks sent through the scheduler")
    options.add_argument("--shape", type=int, nargs=3, default=(512, 512, 512), help="volume of the whole run")
    options.add_argument("--memory", type=int, default=3 << 30, help="bytes per worker of the whole run")
    options.add_argument("--scratch", type=Path, help="where intermediate files go")
    options.add_argument("--only-tasks", action="store_true", help="measure the scheduler alone: volumes_tasks.json")
    options.add_argument("--only-whole", action="store_true", help="run the whole volume alone: volumes_whole.json")
    options.add_argument("--only-stages", nargs=2, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.only_stages:
        print(json.dumps(measure_stages(*arguments.only_stages, arguments.edge)))
        return
    if arguments.only_tasks:
        scheduler = measure_scheduler(arguments.tasks)
        print(scheduler)
        save(arguments.results, "volumes_tasks", arguments, scheduler)
        return
    if arguments.only_whole:
        with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
            whole = measure_whole(tuple(arguments.shape), arguments.memory, Path(name))
        print(whole)
        save(arguments.results, "volumes_whole", arguments, whole)
        return
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
        path = str(Path(name) / "affinities.zarr")
        tile = make_affinities(make_labels((PERIOD,) * 3), "hard")
        reps = -(-(arguments.edge + 32) // PERIOD)
        write_zarr(
            path,
            np.tile(tile, (1, reps, reps, reps))[
                :, : arguments.edge + 32, : arguments.edge + 32, : arguments.edge + 32
            ],
        )
        command = [
            sys.executable,
            "-m",
            "benchmarks.volumes",
            "--edge",
            str(arguments.edge),
            "--only-stages",
            path,
            name,
        ]
        stages = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(table([list(row.values()) for row in stages], ["stage", "CPU s", "Mvoxel/s", "bytes per haloed voxel"]))
        both = sum(row["seconds"] for row in stages[:3])
        print(f"supervoxels + links + graph: {arguments.edge**3 / both / 1e6:.2f} Mvoxel/s per core")
        scheduler = measure_scheduler(arguments.tasks)
        print(scheduler, flush=True)
        whole = measure_whole(tuple(arguments.shape), arguments.memory, Path(name))
        print(whole)
    result = {"edge": arguments.edge, "stages": stages, "mvoxel_per_s": arguments.edge**3 / both / 1e6}
    save(arguments.results, "volumes", arguments, {**result, "scheduler": scheduler, "whole": whole})


if __name__ == "__main__":
    main()
