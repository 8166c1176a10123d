"""The tasks, one function per stage: find the objects of a block, settle who owns them, number them, paint them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.images import open_image
from teasel.inference.blocks import segment_plane
from teasel.inference.plane import Plane
from teasel.inference.slides.job import CHUNK, SlideJob
from teasel.inference.volume.grid import Box, index_of, shift
from teasel.inference.volume.predicting import load_once
from teasel.inference.volume.result import create_labels
from teasel.inference.volume.writing import hash_of
from teasel.labels import keep_objects

__all__ = ["MARGIN_PX", "find_objects", "number_objects", "paint_region", "settle_objects"]

MARGIN_PX = 2
"""Two blocks may see an object's middle that far apart; beyond its core a block keeps such objects as candidates."""


def find_objects(job: SlideJob, key: str) -> None:
    """Segment a block's area; keep the objects whose middle lies in its core, or just outside."""
    recipe, number = job.recipe, int(key)
    area, core = job.area(number), job.grid.box(number)
    rows, columns = (slice(*span) for span in area[1:])
    piece = open_image(recipe.plane.raw(rows, columns), axes="cyx")
    channels = tuple(range(piece.sizes.get("c", 1))) if "c" in piece.axes else ()
    low, high = recipe.low, recipe.high
    found = segment_plane(
        load_once(recipe.model), Plane(piece, {}, low, high, channels), recipe.scale, tile_px=recipe.tile_px
    )
    labels, n = found.labels, len(found.scores)
    where = np.nonzero(labels)
    owner = labels[where].astype(np.int64)
    sizes = np.bincount(owner, minlength=n + 1)[1:]
    near, own = sizes > 0, sizes > 0
    for w, (start, _), (a, b) in zip(where, area[1:], core[1:], strict=True):
        middle = np.bincount(owner, w, n + 1)[1:] / np.maximum(sizes, 1) + start
        own &= (middle >= a) & (middle < b)
        near &= (middle >= a - MARGIN_PX) & (middle < b + MARGIN_PX)
    candidates: dict[str, NDArray[Any]] = {
        "labels": keep_objects(labels, near),
        "scores": found.scores[near],
        "sizes": sizes[near],
        "own": own[near],
    }
    job.work.put("found", key, candidates)


def settle_objects(job: SlideJob, key: str) -> None:
    """Drop candidates of a block that an earlier one has too: half of their pixels are another's.

    Of two candidates the one comes first whose middle lies in its own block's core; then the one of the first block.
    """
    number = int(key)
    mine = _found(job, number)
    n = len(mine["scores"])
    kept = np.ones(n, bool)
    for other in job.near(job.area(number)):
        if other == number:
            continue
        theirs = _found(job, other)
        box = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(job.area(number), job.area(other), strict=True))
        if any(a >= b for a, b in box):
            continue
        here, there = (_part(found, job.area(block), box) for found, block in ((mine, number), (theirs, other)))
        both = (here > 0) & (there > 0)
        pairs, shared = np.unique(np.stack([here[both], there[both]]).astype(np.int64), axis=1, return_counts=True)
        for (a, b), pixels in zip((pairs - 1).T, shared, strict=True):
            earlier = (not theirs["own"][b], other) < (not mine["own"][a], number)
            if earlier and 2 * pixels >= mine["sizes"][a]:
                kept[a] = False
    job.work.put("settled", key, {"kept": kept})


def number_objects(job: SlideJob, key: str) -> None:
    """Number the objects of all blocks 1 .. n, block by block, and make the empty result."""
    kept = [job.work.get("settled", str(n))["kept"] for n in range(len(job.grid))]
    starts = np.cumsum([0, *(int(k.sum()) for k in kept)]).astype(np.int64)
    job.work.put("numbers", "0", {"starts": starts})
    details = {"recipe": job.recipe.description(), "objects": int(starts[-1])}
    create_labels(job.result, job.shape, np.uint32, job.voxel_size_um, details, chunks=CHUNK)


def paint_region(job: SlideJob, key: str) -> None:
    """Write the labels of a region of whole chunks; count each object's pixels in it."""
    import zarr

    box = job.regions.box(int(key))
    starts = job.work.get("numbers", "0")["starts"]
    target = np.zeros(tuple(b - a for a, b in box[1:]), np.uint32)
    for block in job.near(box):
        kept = job.work.get("settled", str(block))["kept"]
        area = job.area(block)
        common = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(box, area, strict=True))
        if any(a >= b for a, b in common) or not kept.any():
            continue
        found = keep_objects(_part(_found(job, block), area, common), kept, int(starts[block]) + 1)
        view = target[index_of(shift(common, box))[1:]]
        free = (found > 0) & (view == 0)
        view[free] = found[free]
    group = zarr.open_group(job.result, mode="r+")
    group["0"][index_of(box)] = target[None]  # type: ignore[index]
    rows, columns = np.nonzero(target)
    ids, places = np.unique(target[rows, columns], return_inverse=True)
    sums = [np.bincount(places, w, len(ids)).astype(np.int64) for w in (rows + box[1][0], columns + box[2][0])]
    edge = (rows + box[1][0] == 0) | (columns + box[2][0] == 0)
    edge |= (rows + box[1][0] == job.shape[1] - 1) | (columns + box[2][0] == job.shape[2] - 1)
    counts = {"pixels": np.bincount(places, minlength=len(ids)), "edge": np.bincount(places, edge, len(ids)) > 0}
    job.work.put("painted", key, {"ids": ids, "rows": sums[0], "columns": sums[1], **counts})
    job.work.declare("relabel", key, hash_of(target))


def _part(found: dict[str, NDArray], area: Box, box: Box) -> NDArray[np.uint32]:
    """Cut a box out of what was found in an area."""
    return found["labels"][index_of(shift(box, area))[1:]]


@lru_cache(maxsize=10)
def _found(job: SlideJob, block: int) -> dict[str, NDArray]:
    return job.work.get("found", str(block))
