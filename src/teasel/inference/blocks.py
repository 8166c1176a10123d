"""A plane of any size, decoded in blocks that overlap; each object belongs to the block that holds its middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from teasel.inference.plane import Plane
from teasel.inference.predict import TILE_PX, predict
from teasel.inference.resample import labels_to, resize
from teasel.models import Model

__all__ = ["BLOCK_PX", "PlaneResult", "segment_plane"]

BLOCK_PX = 2048
"""Edge of a block on the network's grid, without its overlap."""


@dataclass(frozen=True)
class PlaneResult:
    """Labels of a plane, shape (y, x), uint32 1 .. n, and one score in [0, 1] per object."""

    labels: NDArray[np.uint32]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class _Block:
    """A piece of the plane, (start, stop) per axis in pixels: `core` is what it answers for, `area` what it reads."""

    core: tuple[tuple[int, int], tuple[int, int]]
    area: tuple[tuple[int, int], tuple[int, int]]


def segment_plane(
    model: Model,
    plane: Plane,
    scale: float,
    *,
    tile_px: int = TILE_PX,
    progress: Callable[[int, int], None] | None = None,
) -> PlaneResult:
    """Find the objects of a plane.

    Parameters
    ----------
    model : Model
        A loaded model for two dimensions.
    plane : Plane
        The image plane.
    scale : float
        Network pixels per image pixel.
    tile_px : int
        Edge of a network tile, see `predict`.
    progress : callable, optional
        Called as ``progress(done, total)`` in thousandths of the plane.

    Returns
    -------
    PlaneResult
        On the plane's own pixel grid.

    Notes
    -----
    A plane of up to 2304 x 2304 network pixels is one block. Beyond, blocks of 2048 overlap by twice the reach of the
    representation; an object whose centroid lies in a block's core is written by that block, whole. Beyond the
    plane's labels (4 bytes per pixel), memory does not grow with the plane.
    """
    overlap = model.spec.representation.reach(2)
    blocks = _blocks(plane.shape, int(BLOCK_PX / scale), int(np.ceil(overlap / scale)))
    labels = np.zeros(plane.shape, np.uint32)
    scores: list[NDArray[np.float32]] = []
    count = 0
    for number, block in enumerate(blocks):

        def tick(done: int, total: int, number: int = number) -> None:
            if progress is not None:
                progress(int(1000 * (number + done / total) / len(blocks)), 1000)

        found, found_scores = _segment_block(model, plane, block, scale, tile_px, tick)
        if len(blocks) == 1:
            return PlaneResult(found, found_scores)
        kept = _write(labels, found, block, count)
        scores.append(found_scores[kept - 1])
        count += len(kept)
    return PlaneResult(labels, np.concatenate(scores) if scores else np.zeros(0, np.float32))


def _blocks(shape: tuple[int, int], edge: int, overlap: int) -> list[_Block]:
    """Cut a plane into cores that cover it once, each with an area around it."""
    axes = []
    for n in shape:
        count = max(1, -(-(n - 2 * overlap) // edge))
        cuts = [round(i * n / count) for i in range(count + 1)]
        axes.append([((a, b), (max(0, a - overlap), min(n, b + overlap))) for a, b in pairwise(cuts)])
    return [_Block((y[0], x[0]), (y[1], x[1])) for y, x in product(*axes)]


def _segment_block(
    model: Model,
    plane: Plane,
    block: _Block,
    scale: float,
    tile_px: int,
    progress: Callable[[int, int], None],
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Segment a block's whole area, on the image's pixel grid."""
    piece = plane.read(*(slice(*span) for span in block.area))
    native = (piece.shape[1], piece.shape[2])
    piece = resize(piece, (max(1, round(native[0] * scale)), max(1, round(native[1] * scale))))
    fields = predict(model, piece, tile_px=tile_px, progress=progress)
    del piece
    decoded = model.spec.representation.decode(fields)
    foreground = fields["foreground"][0] if "foreground" in fields else None
    return _present(labels_to(decoded.labels, foreground, native), decoded.scores)


def _present(labels: NDArray[np.uint32], scores: NDArray[np.float32]) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Number the objects that still have a pixel after a change of grid."""
    present = np.bincount(labels.ravel(), minlength=len(scores) + 1)[1:] > 0
    if present.all():
        return labels, scores
    number = np.zeros(len(scores) + 1, np.uint32)
    number[1:][present] = np.arange(1, int(present.sum()) + 1)
    return number[labels], scores[present]


def _write(labels: NDArray[np.uint32], found: NDArray[np.uint32], block: _Block, count: int) -> NDArray[np.intp]:
    """Write the objects that a block owns into the plane (in place); return which they are.

    An object is owned if its centroid lies in the core, or within two pixels of it where no other block has written
    most of it: two blocks may see an object's middle a little differently.
    """
    area = tuple(slice(*span) for span in block.area)
    target = labels[area]
    where = np.nonzero(found)
    owner = found[where]
    n = int(found.max(initial=0))
    size = np.bincount(owner, minlength=n + 1)[1:]
    near = np.ones(n, bool)
    for w, (start, _), (low, high) in zip(where, block.area, block.core, strict=True):
        centroid = np.bincount(owner, w, n + 1)[1:] / size + start
        near &= (centroid >= low - 2) & (centroid < high + 2)
    taken = np.bincount(owner, target[where] > 0, n + 1)[1:]
    kept = np.flatnonzero(near & (taken < 0.5 * size)) + 1
    number = np.zeros(n + 1, np.uint32)
    number[kept] = np.arange(count + 1, count + len(kept) + 1)
    fresh = number[found]
    free = (fresh > 0) & (target == 0)
    target[free] = fresh[free]
    return kept
