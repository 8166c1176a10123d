"""The tasks, one function per stage; each reads what earlier stages declared done and writes one object.

Every function is pure in what it leaves: the same job and key give the same bytes, on any worker, any number of times.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration import Agglomeration, Connected
from teasel.agglomeration.connected import bonds, number_pieces, touched
from teasel.inference.volume.grid import Box, grow, index_of, shift
from teasel.inference.volume.recipe import Job
from teasel.inference.volume.shards import put_pieces

__all__ = ["cut_block", "graph_of_block", "join_block", "link_block", "read_numbers"]


def cut_block(job: Job, key: str) -> None:
    """Cut a block into pieces of supervoxels: each voxel's way uphill, as far as it stays in the block.

    Writes the number of every voxel, and for each number the voxel of the volume at which its way ends, which lies in
    another block if the way leaves; and, apart, the numbers on the block's six faces, where ways enter.
    """
    from teasel.agglomeration.ascent import climb, gather
    from teasel.agglomeration.landscape import openness

    box = job.grid.box(int(key))
    halo = tuple(m + 1 for m in job.recipe.height.margin)
    wide = grow(box, halo, halo, job.shape)
    affinities = job.recipe.source.read(wide, 3)
    core = index_of(shift(box, wide))
    background = round(255 * job.recipe.background)
    outside = openness(affinities)[core] < background if background else None
    height = job.recipe.height.measure(affinities)
    del affinities
    directions = np.ascontiguousarray(climb(height)[core])
    del height
    numbers, voxels = gather(directions)
    del directions
    ends = np.ravel_multi_index(tuple((voxels + [a for a, _ in box]).T), job.shape).astype(np.int64)
    faces = {f"{axis}{side}": np.asarray(numbers.take(side, axis)) for axis in range(3) for side in (0, -1)}
    job.work.put("faces", key, {"ends": ends, **faces})
    if outside is not None:
        numbers[outside] = 0
    job.work.put("supervoxels", key, {"numbers": numbers})


def join_block(job: Job, key: str) -> None:
    """Number the connected components of a block, each by its first voxel; leaves what `cut_block` leaves."""
    method = job.recipe.method
    assert isinstance(method, Connected)
    box = job.grid.box(int(key))
    wide = grow(box, (1, 1, 1), (1, 1, 1), job.shape)
    joined = bonds(job.recipe.source.read(wide, 3), method.threshold)
    core = index_of(shift(box, wide))
    inside = np.ascontiguousarray(touched(joined)[core])
    numbers, voxels = number_pieces(np.ascontiguousarray(joined[(slice(None), *core)]), inside)
    ends = np.ravel_multi_index(tuple((voxels + [a for a, _ in box]).T), job.shape).astype(np.int64)
    job.work.put("faces", key, {"ends": ends})
    job.work.put("supervoxels", key, {"numbers": numbers})


def link_block(job: Job, key: str) -> None:
    """Follow the ways that leave a block through other blocks to their peaks; write each number's supervoxel."""
    grid = job.grid
    ends = job.work.get("faces", key)["ends"]
    at = np.full(len(ends), int(key))
    while True:
        voxels = np.stack(np.unravel_index(ends, job.shape), 1)
        holding = grid.holding(voxels)
        leaving = np.flatnonzero(holding != at)
        if not len(leaving):
            break
        for block in np.unique(holding[leaving]):
            mine = leaving[holding[leaving] == block]
            ends[mine] = _end_of_ways(job, int(block), voxels[mine])
            at[mine] = block
    job.work.put("roots", key, {"ids": 1 + ends.astype(np.uint64)})


def _end_of_ways(job: Job, block: int, voxels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Look up where the ways of voxels on a block's faces end."""
    faces = _faces(job, block)
    box = job.grid.box(block)
    local = voxels - [a for a, _ in box]
    numbers = np.zeros(len(local), np.int32)
    for axis in range(3):
        rest = [a for a in range(3) if a != axis]
        for side, place in ((0, 0), (-1, box[axis][1] - box[axis][0] - 1)):
            on = local[:, axis] == place
            numbers[on] = faces[f"{axis}{side}"][tuple(local[on][:, rest].T)]
    return faces["ends"][numbers - 1]


@lru_cache(maxsize=32)
def _faces(job: Job, block: int) -> dict[str, NDArray]:
    return job.work.get("faces", str(block))


def read_numbers(job: Job, box: Box) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """Read the supervoxels of a box as places in the list of those that occur near it.

    Returns
    -------
    tuple of ndarray
        Places int32 (z, y, x), 0 none; and the supervoxels uint64 (n,), ascending, the first being 0.
    """
    blocks = job.grid.touching(box)
    tables = {block: job.work.get("roots", str(block))["ids"] for block in blocks}
    ids = np.unique(np.concatenate([np.zeros(1, np.uint64), *tables.values()]))
    places = np.zeros(tuple(b - a for a, b in box), np.int32)
    for block, table in tables.items():
        own = job.grid.box(block)
        common = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(box, own, strict=True))
        numbers = job.work.get("supervoxels", str(block))["numbers"][index_of(shift(common, own))]
        lookup = np.zeros(len(table) + 1, np.int32)
        lookup[1:] = np.searchsorted(ids, table)
        np.take(lookup, numbers, out=places[index_of(shift(common, box))], mode="clip")
    return places, ids


def graph_of_block(job: Job, key: str) -> None:
    """Add up the affinities of all pairs of voxels whose first voxel lies in a block.

    Writes the graph in pieces, and for each face that lies inside the volume the supervoxels that cross it.
    """
    from teasel.agglomeration.region_graph import graph_of_piece

    offsets = np.array(job.recipe.source.offsets)
    before = tuple(int(n) for n in np.maximum(-offsets, 0).max(0))
    after = tuple(int(n) for n in np.maximum(offsets, 0).max(0))
    box = job.grid.box(int(key))
    wide = grow(box, before, after, job.shape)
    places, ids = read_numbers(job, wide)
    histogram = getattr(job.recipe.method, "needs_histogram", False)
    affinities, method = job.recipe.source.read(wide), job.recipe.method
    if isinstance(method, Connected):
        affinities, offsets = bonds(affinities[:3], method.threshold), offsets[:3]
    core = shift(box, wide)
    graph = graph_of_piece(places, ids, affinities, offsets.tolist(), core, histogram=histogram)
    shards = put_pieces(job, key, graph)
    crossing = _crossing(job, key, core, places, ids) if isinstance(method, Agglomeration) else {}
    job.work.put("graph", key, {"shards": np.array(shards), **crossing})


def _crossing(
    job: Job, key: str, core: Box, places: NDArray[np.int32], ids: NDArray[np.uint64]
) -> dict[str, NDArray[np.uint64]]:
    """List for each face the supervoxels on it, background or not, and those behind it that pairs of voxels reach."""
    box, faces = job.grid.box(int(key)), job.work.get("faces", key)
    roots = job.work.get("roots", key)["ids"]
    found = {}
    for axis in range(3):
        for side, inside in ((0, box[axis][0] > 0), (-1, box[axis][1] < job.shape[axis])):
            crossing = [np.zeros(0, np.uint64)]
            if inside:
                crossing.append(roots[np.unique(faces[f"{axis}{side}"]) - 1])
                if side == -1:
                    behind = [slice(a, b) for a, b in core]
                    behind[axis] = slice(core[axis][1], core[axis][1] + 1)
                    crossing.append(ids[np.unique(places[tuple(behind)])])
            found[f"{axis}{side}"] = np.unique(np.concatenate(crossing))
    return found
