"""A plane of any size, decoded in blocks that overlap; each object belongs to the block that holds its middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.inference.owners import Block, cut_blocks, drop_absent, merge_blocks
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
    blocks = cut_blocks(plane.shape, (int(BLOCK_PX / scale),) * 2, (int(np.ceil(overlap / scale)),) * 2)
    found, scores = merge_blocks(
        plane.shape, blocks, lambda block, tick: _segment_block(model, plane, block, scale, tile_px, tick), progress
    )
    return PlaneResult(found, scores)


def _segment_block(
    model: Model,
    plane: Plane,
    block: Block,
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
    return drop_absent(labels_to(decoded.labels, foreground, native), decoded.scores)
