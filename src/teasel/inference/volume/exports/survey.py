"""Which objects there are, how large, and where: counted block by block."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, ParameterError
from teasel.inference.volume.exports.job import ExportJob

__all__ = ["GROUP", "Chosen", "choose_objects", "chosen_objects", "survey_block"]

GROUP = 32
"""Objects whose surface or centre line one task writes."""


def survey_block(job: ExportJob, key: str) -> None:
    """Count the voxels of each object in a block, and find the box around them."""
    from scipy import ndimage

    box = job.grid.box(int(key))
    labels = job.export.labels.read(box)
    if labels.dtype.kind not in "iu" or labels.min(initial=0) < 0:
        raise DataError(f"{job.export.labels.path} holds {labels.dtype} down to {labels.min()}; expected labels from 0")
    ids, places = np.unique(labels, return_inverse=True)
    places = places.reshape(labels.shape) + 1
    sizes = np.bincount(places.ravel())[1:]
    boxes = [
        [(s.start + a, s.stop + a) for s, (a, _) in zip(b, box, strict=True)] for b in ndimage.find_objects(places)
    ]
    known = ids > 0
    corners = np.array(boxes, np.int64).reshape(-1, 3, 2)[known]
    job.work.put("survey", key, {"ids": ids[known].astype(np.uint64), "sizes": sizes[known], "boxes": corners})


@dataclass(frozen=True, eq=False)
class Chosen:
    """The objects that get surfaces and centre lines.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n,)
        In order of the first block they lie in, so that neighbours are written together.
    boxes : ndarray of int64, shape (n, 3, 2)
        Start and stop along z, y and x.
    starts : ndarray of int64, shape (n + 1,)
        Blocks of object i are ``blocks[starts[i] : starts[i + 1]]``.
    blocks : ndarray of int64
    largest : ndarray of uint64
        The twelve largest objects, whatever is chosen.
    """

    ids: NDArray[np.uint64]
    boxes: NDArray[np.int64]
    starts: NDArray[np.int64]
    blocks: NDArray[np.int64]
    largest: NDArray[np.uint64]

    def groups(self) -> list[str]:
        """Return the keys of the tasks that write objects."""
        return [str(i) for i in range(-(-len(self.ids) // GROUP))]


def choose_objects(job: ExportJob, key: str) -> None:
    """Add up what was counted in all blocks, and choose."""
    parts = [job.work.get("survey", str(n)) for n in range(len(job.grid))]
    blocks = np.repeat(np.arange(len(parts)), [len(p["ids"]) for p in parts])
    every, sizes, boxes = (np.concatenate([p[name] for p in parts]) for name in ("ids", "sizes", "boxes"))
    order = np.lexsort((blocks, every))
    every, sizes, boxes, blocks = every[order], sizes[order], boxes[order], blocks[order]
    ids, first, count = np.unique(every, return_index=True, return_counts=True)
    total = np.add.reduceat(sizes, first) if len(ids) else sizes
    largest = ids[np.lexsort((ids, -total))][:12]
    wanted = job.export.segments
    missing = sorted(set(wanted) - {int(i) for i in ids[np.isin(ids, np.array(wanted, np.uint64))]})
    if missing:
        raise ParameterError(f"no object {missing[0]} in {job.export.labels.path}, which has {len(ids)}")
    kept = total >= job.export.min_voxels
    if wanted:
        kept &= np.isin(ids, np.array(wanted, np.uint64))
    at = np.flatnonzero(kept)
    at = at[np.lexsort((ids[at], blocks[first[at]]))]
    rows = [np.arange(first[i], first[i] + count[i]) for i in at]
    around = [np.stack([boxes[r, :, 0].min(0), boxes[r, :, 1].max(0)], 1) for r in rows]
    chosen = {
        "ids": ids[at],
        "boxes": np.array(around, np.int64).reshape(-1, 3, 2),
        "starts": np.cumsum([0, *count[at]]).astype(np.int64),
        "blocks": blocks[np.concatenate([np.zeros(0, np.int64), *rows])],
        "largest": largest,
    }
    job.work.put("chosen", "0", chosen)


@lru_cache(maxsize=2)
def chosen_objects(job: ExportJob) -> Chosen:
    """Read the choice, once per process."""
    return Chosen(**job.work.get("chosen", "0"))
