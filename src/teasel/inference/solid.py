"""A stack, segmented in three dimensions by a network of planes, in blocks that overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ModelError
from teasel.inference.belief import believe, measure_objects
from teasel.inference.blocks import PlaneResult
from teasel.inference.fusion import fuse
from teasel.inference.owners import Block, cut_blocks, drop_absent, merge_blocks
from teasel.inference.predict import TILE_PX
from teasel.inference.resample import labels_to
from teasel.inference.stack import Stack
from teasel.labels import keep_objects
from teasel.models import Model
from teasel.representations.cleaning import clean
from teasel.representations.flow import follow
from teasel.representations.hybrid import STEP, Hybrid

__all__ = ["BLOCK_VX", "Candidates", "find_candidates", "segment_stack", "views_of"]

BLOCK_VX = 256
"""Edge of a block on the network's grid, or the image's if that is finer, without its overlap."""

DIAMETERS = 2
"""Overlap of blocks, in diameters of a typical object."""

THINNEST_PX = 16
"""Slices thinner than this, on the network's grid, show too little to be looked at."""


def segment_stack(
    model: Model,
    stack: Stack,
    scale: float,
    *,
    tile_px: int = TILE_PX,
    progress: Callable[[int, int], None] | None = None,
) -> PlaneResult:
    """Find the objects of a stack.

    Parameters
    ----------
    model : Model
        A loaded model of planes with the representation ``hybrid``.
    stack : Stack
        The stack.
    scale : float
        Network pixels per image pixel, along y and x; along z it is `scale` times the anisotropy.
    tile_px : int
        Edge of a network tile, see `predict`.
    progress : callable, optional
        Called as ``progress(done, total)`` in thousandths of the stack.

    Returns
    -------
    PlaneResult
        Labels (z, y, x) on the stack's own grid, and scores.

    Raises
    ------
    ModelError
        If the model has another representation.

    Notes
    -----
    Objects are found on the grid of the flow, two network pixels wide. Blocks of about 256 network pixels overlap by
    two object diameters; an object whose centroid lies in a block's core is written by that block, whole. Beyond the
    stack's labels (4 bytes per voxel), memory does not grow with the stack: a block of 336^3 voxels of one
    channel takes 1.1 GB in all.
    """
    scales = (scale * stack.anisotropy, scale, scale)
    reach = DIAMETERS * model.spec.object_diameter_px
    edges = tuple(int(BLOCK_VX / max(1.0, s)) for s in scales)
    blocks = cut_blocks(stack.shape, edges, tuple(int(np.ceil(reach / s)) for s in scales))
    found, scores = merge_blocks(
        stack.shape, blocks, lambda block, tick: _segment_block(model, stack, block, scales, tile_px, tick), progress
    )
    return PlaneResult(found, scores)


def views_of(shape: tuple[int, ...], scales: tuple[float, ...]) -> tuple[int, ...]:
    """Return the axes along which a network can look: those across which slices are thick enough to show something.

    Examples
    --------
    >>> views_of((60, 200, 200), (1.0, 1.0, 1.0)), views_of((5, 200, 200), (2.0, 1.0, 1.0))
    ((0, 1, 2), (0,))
    """
    thick = [n * s >= THINNEST_PX for n, s in zip(shape, scales, strict=True)]
    chosen = tuple(axis for axis in range(3) if all(thick[other] for other in range(3) if other != axis))
    return chosen or (0,)


@dataclass(frozen=True, eq=False)
class Candidates:
    """What may be an object, before it is believed or not.

    Parameters
    ----------
    labels : ndarray of uint32, shape (z, y, x)
        Candidates 1 .. n, on the grid of the flow.
    features : ndarray of float64, shape (n, 7)
        See `teasel.inference.belief.FEATURES`.
    foreground : ndarray of float32, shape (z, y, x)
        Probability, on the same grid.
    """

    labels: NDArray[np.uint32]
    features: NDArray[np.float64]
    foreground: NDArray[np.float32]


def find_candidates(
    model: Model,
    volume: NDArray[np.float32],
    scales: tuple[float, ...],
    *,
    tile_px: int = TILE_PX,
    progress: Callable[[int, int], None] | None = None,
) -> Candidates:
    """Look at a volume (c, z, y, x) that fits in memory; `scales` are network pixels per voxel along z, y and x."""
    representation = _hybrid(model)
    native = volume.shape[1:]
    stride = next(head.stride for head in model.spec.heads if head.name == "flow")
    grid = tuple(max(1, round(n * s / stride)) for n, s in zip(native, scales, strict=True))
    fused = fuse(model, volume, grid, views_of(native, scales), tile_px=tile_px, progress=progress)
    cells, agreement = follow(fused.flow, fused.foreground > representation.foreground_threshold, step=STEP)
    labels = clean(cells, min_area=_smallest(representation.min_area_px, stride))
    features = measure_objects(labels, fused, agreement, stride / model.spec.object_diameter_px)
    return Candidates(labels, features, fused.foreground)


def _segment_block(
    model: Model,
    stack: Stack,
    block: Block,
    scales: tuple[float, ...],
    tile_px: int,
    progress: Callable[[int, int], None],
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Segment a block's whole area, on the image's grid."""
    volume = stack.read(*(slice(*span) for span in block.area))
    found = find_candidates(model, volume, scales, tile_px=tile_px, progress=progress)
    scores = believe(found.features)
    believed = scores >= _hybrid(model).score_threshold
    labels = keep_objects(found.labels, believed)
    return drop_absent(labels_to(labels, found.foreground, volume.shape[1:]), scores[believed])


def _hybrid(model: Model) -> Hybrid:
    """Return the representation, if it is one that can be fused."""
    representation = model.spec.representation
    if not isinstance(representation, Hybrid):
        raise ModelError(
            f"model {model.name!r} predicts {representation.name!r}; objects in three dimensions are read from "
            "models of planes that predict 'hybrid'; choose one plane with --z N, or another model"
        )
    return representation


def _smallest(area_px: int, stride: int) -> int:
    """Return the cells of the smallest ball whose middle section has an area.

    Examples
    --------
    >>> _smallest(16, 2)
    6
    """
    diameter = np.sqrt(4 * area_px / np.pi) / stride
    return max(1, round(np.pi / 6 * diameter**3))
