"""The stages in order, from affinities to an OME-Zarr of labels."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from teasel.agglomeration import Agglomeration
from teasel.errors import ParameterError
from teasel.images.atomic import atomic_path
from teasel.inference.volume.blocks import cut_block, graph_of_block, join_block, link_block
from teasel.inference.volume.memory import block_for
from teasel.inference.volume.merging import grid_of, levels, merge_block, merge_parts
from teasel.inference.volume.partition import partition_graph
from teasel.inference.volume.recipe import Job, Recipe
from teasel.inference.volume.result import halvings
from teasel.inference.volume.shards import add_shard, list_shards, shard_keys
from teasel.inference.volume.waves import Runner, Serial, Task
from teasel.inference.volume.writing import level_regions, prepare_result, relabel_region, shrink_region

__all__ = ["agglomerate_volume", "claim", "work_folder"]


class Claimed(Protocol):
    """What decides a result."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""

    @property
    def digest(self) -> str:
        """SHA-256 of these values and of what the source says of itself."""


Progress = Callable[[int, int], None]

COSTS = {"supervoxels": 10, "roots": 1, "graph": 8, "merging": 2, "relabel": 6}
"""About how long the stages take, in parts of each other; for the time left."""


def work_folder(out: str | os.PathLike[str]) -> Path:
    """Return the folder in which a result grows, beside it.

    Examples
    --------
    >>> work_folder("results/a.ome.zarr").name
    'a.ome.zarr.work'
    """
    return Path(f"{os.fspath(out)}.work")


def agglomerate_volume(
    recipe: Recipe,
    out: str | os.PathLike[str],
    *,
    runner: Runner | None = None,
    block: tuple[int, int, int] | None = None,
    keep_work: bool = False,
    progress: Progress | None = None,
    order: Callable[[list[str]], Iterable[str]] = list,
) -> Path:
    """Segment a volume of affinities block by block; the result does not depend on blocks, their order, or workers.

    Parameters
    ----------
    recipe : Recipe
        Everything that decides the result.
    out : path
        ``.ome.zarr`` to write. While it grows, its parts lie in ``out.work``; a run that was killed goes on from there
        when it is asked for again.
    runner : Runner, optional
        What carries out the tasks (`open_runner`); this process if not given.
    block : tuple of int, optional
        Voxels (z, y, x) of a block; from the runner's memory if not given.
    keep_work : bool
        Whether to keep ``out.work``.
    progress : callable, optional
        Called as ``progress(done, total)``; an exception raised in it stops the run, which can be continued.
    order : callable, optional
        Puts the keys of a stage in order; only tests have a reason to.

    Returns
    -------
    pathlib.Path
        `out`.

    Raises
    ------
    ParameterError
        If `out` exists, or ``out.work`` belongs to another recipe.
    TeaselError
        Whatever reading the source raises.
    """
    out = Path(out)
    if out.exists():
        raise ParameterError(f"{out} is there already; give another name or remove it")
    runner = runner or Serial()
    recipe.source.check()
    shape = recipe.source.shape
    halo = recipe.height.margin
    if block is None:
        block = block_for(runner.memory, halo, shape, n_channels=len(recipe.source.offsets), n_workers=runner.n_workers)
    folder = work_folder(out).absolute()
    claim(folder, recipe)
    job = Job(recipe, str(folder), shape, block)
    _run_stages(_Stages(runner, job, progress, order))
    os.replace(job.result, out)
    if not keep_work:
        shutil.rmtree(folder)
    return out


class _Stages:
    """Runs what is not done of each stage, and reports how much of the whole is done."""

    def __init__(
        self, runner: Runner, job: Job, progress: Progress | None, order: Callable[[list[str]], Iterable[str]]
    ) -> None:
        self.runner, self.job, self.progress, self.order = runner, job, progress, order
        n = len(job.grid)
        self.total = sum(COSTS.values()) * n + n
        self.done = 0

    def run(self, task: Task, stage: str, keys: list[str], *, cost: int = 0) -> None:
        """Carry out a task for all keys without a done record."""
        missing = [key for key in keys if not self.job.work.is_done(stage, key)]
        self._advance(cost * (len(keys) - len(missing)))
        small = self.job.block[0] * self.job.block[1] * self.job.block[2] < 1 << 18
        self.runner.run(task, self.job, self.order(missing), lambda n: self._advance(cost * n), batch=8 if small else 1)

    def _advance(self, amount: int) -> None:
        self.done += amount
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)


def _run_stages(stages: _Stages) -> None:
    job = stages.job
    blocks = [str(i) for i in range(len(job.grid))]
    cut = cut_block if job.recipe.keeps_graph else join_block
    stages.run(cut, "supervoxels", blocks, cost=COSTS["supervoxels"])
    stages.run(link_block, "roots", blocks, cost=COSTS["roots"])
    stages.run(graph_of_block, "graph", blocks, cost=COSTS["graph"])
    stages.run(list_shards, "shards", ["0"])
    stages.run(add_shard, "whole", shard_keys(job))
    if isinstance(job.recipe.method, Agglomeration):
        stages.run(merge_block, "parts", [f"0-{block}" for block in blocks], cost=COSTS["merging"])
        for level in levels(job)[1:]:
            stages.run(merge_parts, "parts", [f"{level}-{i}" for i in range(len(grid_of(job, level)))])
    stages.run(partition_graph, "partition", ["0"])
    stages.run(prepare_result, "prepare", ["0"])
    regions = [str(i) for i in range(len(job.regions))]
    cost = COSTS["relabel"] * len(blocks) // len(regions)
    stages.run(relabel_region, "relabel", regions, cost=cost)
    for level in range(1, len(halvings(job.shape, job.voxel_size_um)) + 1):
        keys = [f"{level}-{i}" for i in range(len(level_regions(job, level)))]
        stages.run(shrink_region, "shrink", keys)
    stages._advance(stages.total)


def claim(folder: Path, recipe: Claimed) -> None:
    """Make the work folder, or check that the one that stands there is about the same recipe."""
    content = {"digest": recipe.digest, "recipe": recipe.to_dict()}
    path = folder / "recipe.json"
    if path.exists():
        before = json.loads(path.read_text("utf-8"))
        if before["digest"] != content["digest"]:
            changed = _changes(before["recipe"], json.loads(json.dumps(content["recipe"])))
            raise ParameterError(
                f"{folder} holds a run that is not finished, with other settings ({changed}); type the command as it "
                "was to finish it, or remove the folder"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _changes(before: dict, after: dict) -> str:
    """Name the settings that differ."""
    names = sorted({name for name in {*before, *after} if before.get(name) != after.get(name)})
    return ", ".join(names) or "another volume"
