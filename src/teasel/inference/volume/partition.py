"""The one task that sees all merges: supervoxels to segments, with every merge remembered."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration import Agglomeration, Connected, MergeTree, MutexWatershed, add_graphs
from teasel.agglomeration.part import tree_of
from teasel.inference.volume.merging import read_merges
from teasel.inference.volume.recipe import Job
from teasel.inference.volume.shards import graph_shards, shard_keys

__all__ = ["TREE", "lookup", "partition_graph", "smallest", "write_table"]

TREE = ("ids", "pairs", "scores")


def partition_graph(job: Job, key: str) -> None:
    """Put all merges in order and cut them, or partition the whole graph.

    Writes the merge tree, and the table from supervoxels to segments as two files that workers map into memory.
    """
    method = job.recipe.method
    ids = np.zeros(0, np.uint64)
    if not isinstance(method, MutexWatershed):
        ids = np.concatenate([job.work.get("whole", shard, ("ids",))["ids"] for shard in shard_keys(job)])
    tree = MergeTree(ids, np.zeros((0, 2), np.int32), np.zeros(0, np.int32))
    if isinstance(method, Agglomeration):
        tree = tree_of(ids, read_merges(job))
        segments = method.segments(graph_shards(job), tree, job.recipe.threshold)
    elif isinstance(method, Connected):
        segments = method.segments(graph_shards(job), ids)
    else:
        graph = add_graphs(graph_shards(job))
        tree = replace(tree, ids=graph.ids)
        segments = method.segments(graph)
    job.work.put("tree", "0", {name: getattr(tree, name) for name in TREE})
    write_table(job.work.path, tree.ids, smallest(segments))
    job.work.put("partition", key, {"segments": np.array([segments.max(initial=0)])})


def smallest(segments: NDArray[np.int64]) -> NDArray:
    """Return segments as uint32, or uint64 if there are more than that holds."""
    return segments.astype(np.uint32 if segments.max(initial=0) < 2**32 else np.uint64)


def write_table(folder: str, ids: NDArray[np.uint64], segments: NDArray) -> None:
    """Write the table from supervoxels to segments, to be mapped into memory."""
    for name, array in (("ids", ids), ("segments", segments)):
        path = Path(folder) / f"{name}.npy"
        temporary = path.with_name(f".part-{uuid.uuid4().hex[:12]}-{path.name}")
        with temporary.open("wb") as file:
            np.save(file, array)
        os.replace(temporary, path)


@lru_cache(maxsize=4)
def lookup(folder: str) -> tuple[NDArray[np.uint64], NDArray]:
    """Open the table from supervoxels to segments, without reading it."""
    ids, segments = (np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in ("ids", "segments"))
    return ids, segments
