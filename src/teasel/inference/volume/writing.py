"""The tasks that write the result: each owns whole chunks, so that no two tasks write one file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from teasel.geometry import VoxelSize
from teasel.inference.volume.blocks import read_numbers
from teasel.inference.volume.grid import Box, Grid, index_of
from teasel.inference.volume.partition import TREE, lookup
from teasel.inference.volume.recipe import Job
from teasel.inference.volume.result import create_labels, halvings, make_array, write_arrays, write_graph
from teasel.inference.volume.shards import graph_shards
from teasel.inference.volume.store import WorkFolder

__all__ = ["Pyramid", "hash_of", "level_regions", "prepare_result", "relabel_region", "segments_of", "shrink_region"]


def prepare_result(job: Job, key: str) -> None:
    """Make the result without voxels: metadata, graph, merge tree."""
    _, segments = lookup(job.work.path)
    threshold = getattr(job.recipe.method, "threshold", job.recipe.threshold)
    details: dict[str, Any] = {
        "recipe": json.loads(json.dumps(job.recipe.description())),
        "threshold": threshold,
    }
    details |= {"segments": int(segments.max(initial=0))}
    group = create_labels(job.result, job.shape, segments.dtype, job.voxel_size_um, details)
    if job.recipe.keeps_graph:
        kept = group.require_group("agglomeration")
        write_graph(kept, lambda: graph_shards(job))
        write_arrays(kept, job.work.get("tree", "0", TREE))
        if "supervoxels" not in kept:
            make_array(kept, "supervoxels", job.shape, np.uint64)
    job.work.declare("prepare", key, job.work.digest("tree", "0"))


def relabel_region(job: Job, key: str) -> None:
    """Write supervoxels and segments of a region of whole chunks."""
    import zarr

    box = job.regions.box(int(key))
    places, ids = read_numbers(job, box)
    found = segments_of(ids, *lookup(job.work.path))[places]
    group = zarr.open_group(job.result, mode="r+")
    _array(group, "0")[index_of(box)] = found
    if job.recipe.keeps_graph:
        _array(group, "agglomeration/supervoxels")[index_of(box)] = ids[places]
    job.work.declare("relabel", key, hash_of(found))


def segments_of(ids: NDArray[np.uint64], every: NDArray[np.uint64], segments: NDArray) -> NDArray:
    """Look up the segments of some supervoxels in the table of all; 0 for those that have no voxel."""
    found = np.zeros(len(ids), segments.dtype)
    if len(every):
        at = np.minimum(np.searchsorted(every, ids), len(every) - 1)
        found[:] = np.where(every[at] == ids, segments[at], 0)
    return found


class Pyramid(Protocol):
    """A result whose first level is written: what `shrink_region` has to know."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the first level."""

    @property
    def voxel_size_um(self) -> VoxelSize:
        """Edge lengths of its voxels."""

    @property
    def regions(self) -> Grid:
        """Blocks of whole chunks."""

    @property
    def result(self) -> Path:
        """Where it is."""

    @property
    def work(self) -> WorkFolder:
        """Where done records go."""


def level_regions(job: Pyramid, level: int) -> Grid:
    """Return the blocks in which a smaller level is written: whole chunks of that level."""
    lengths = np.array(job.shape)
    for steps in halvings(job.shape, job.voxel_size_um)[:level]:
        lengths = -(-lengths // steps)
    return Grid((int(lengths[0]), int(lengths[1]), int(lengths[2])), job.regions.block)


def shrink_region(job: Pyramid, key: str) -> None:
    """Write a region of a smaller level from the one before, every second voxel; the key is ``level-number``."""
    import zarr

    level, number = map(int, key.split("-"))
    steps = halvings(job.shape, job.voxel_size_um)[level - 1]
    box = level_regions(job, level).box(number)
    group = zarr.open_group(job.result, mode="r+")
    source = _array(group, str(level - 1))
    there: Box = tuple((a * s, min(b * s, n)) for (a, b), s, n in zip(box, steps, source.shape, strict=True))
    values = np.asarray(source[index_of(there)])[tuple(slice(None, None, s) for s in steps)]
    _array(group, str(level))[index_of(box)] = values
    job.work.declare("shrink", key, hash_of(values))


def hash_of(array: NDArray) -> str:
    """Return the SHA-256 of an array's values."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def _array(group: Any, name: str) -> Any:
    return group[name]
