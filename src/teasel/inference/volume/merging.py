"""Greedy merging by parts: blocks, then two by two along each axis, until the last part is the volume."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration import Agglomeration
from teasel.agglomeration.part import GraphPart, Merges, add_parts, part_of
from teasel.inference.volume.grid import Grid
from teasel.inference.volume.recipe import Job
from teasel.inference.volume.shards import read_pieces

__all__ = ["FACES", "grid_of", "levels", "merge_block", "merge_parts", "read_merges"]

FACES = tuple(f"{axis}{side}" for axis in range(3) for side in (0, -1))
PART = ("ids", "ends", "latest", "count", "total", "histogram", "raw")
MERGES = ("pairs", "scores", "latest")


def grid_of(job: Job, level: int) -> Grid:
    """Return the parts of a level: 0 for blocks, then twice as long along each axis from level to level."""
    sizes = [b << level for b in job.block]
    return Grid(job.shape, (sizes[0], sizes[1], sizes[2]))


def levels(job: Job) -> range:
    """Return all levels; the last one has one part."""
    return range(int(max(job.grid.counts) - 1).bit_length() + 1)


def merge_block(job: Job, key: str) -> None:
    """Merge what can be decided in a block; the key is ``0-number``."""
    number = key.split("-")[1]
    faces = job.work.get("graph", number, FACES)
    _merge(job, key, part_of(read_pieces(job, number)), faces)


def merge_parts(job: Job, key: str) -> None:
    """Merge what can be decided in a part of a level above 0; the key is ``level-number``."""
    level, number = map(int, key.split("-"))
    below, place = grid_of(job, level - 1), np.unravel_index(number, grid_of(job, level).counts)
    corners = [range(2 * int(p), min(2 * int(p) + 2, n)) for p, n in zip(place, below.counts, strict=True)]
    parts: list[GraphPart] = []
    faces: dict[str, list[NDArray[np.uint64]]] = {face: [np.zeros(0, np.uint64)] for face in FACES}
    for child in product(*corners):
        name = f"{level - 1}-{int(np.ravel_multi_index(child, below.counts))}"
        found = job.work.get("parts", name)
        parts.append(GraphPart(**{column: found[column] for column in PART}))
        for axis in range(3):
            for side in (0, -1):
                if child[axis] == corners[axis][side]:
                    faces[f"{axis}{side}"].append(found[f"{axis}{side}"])
    joined = {face: np.unique(np.concatenate(lists)) for face, lists in faces.items()}
    _merge(job, key, add_parts(parts), joined)


def _merge(job: Job, key: str, part: GraphPart, faces: dict[str, NDArray[np.uint64]]) -> None:
    """Merge a part whose faces show some supervoxels; those are frozen."""
    method = job.recipe.method
    assert isinstance(method, Agglomeration)
    frozen = np.isin(part.ids, np.concatenate([faces[face] for face in FACES]))
    merges, rest = method.merge(part, frozen)
    job.work.put("merges", key, {name: getattr(merges, name) for name in MERGES})
    job.work.put("parts", key, {name: getattr(rest, name) for name in PART} | faces)


def read_merges(job: Job) -> Iterator[Merges]:
    """Read the merges of all parts."""
    for level in levels(job):
        for number in range(len(grid_of(job, level))):
            yield Merges(**job.work.get("merges", f"{level}-{number}"))
