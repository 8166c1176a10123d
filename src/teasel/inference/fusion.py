"""Views along three axes made one: each counts by how sure it is, voxel by voxel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.inference.predict import TILE_PX
from teasel.inference.views import View, count_slices, look_along
from teasel.models import Model

__all__ = ["Fused", "fuse", "fuse_views"]

DOUBT = 0.05
"""What a view counts for where it is not sure of anything."""

SMOOTHING = 1.0
"""Standard deviation, in cells, of the Gaussian that reconciles neighbouring slices, which were seen one by one."""


@dataclass(frozen=True, eq=False)
class Fused:
    """What three views agree on, on the grid of the flow.

    Parameters
    ----------
    foreground, boundary, centre : ndarray of float32, shape (z, y, x)
        Probabilities.
    flow : ndarray of float32, shape (3, z, y, x)
        Direction to the middle of the object, of length 1 at most.
    accord : ndarray of float32, shape (z, y, x)
        1 where all views say the same of the foreground, 0 where they contradict each other.
    """

    foreground: NDArray[np.float32]
    boundary: NDArray[np.float32]
    centre: NDArray[np.float32]
    flow: NDArray[np.float32]
    accord: NDArray[np.float32]


def fuse(
    model: Model,
    volume: NDArray[np.float32],
    grid: tuple[int, ...],
    axes: tuple[int, ...] = (0, 1, 2),
    *,
    tile_px: int = TILE_PX,
    progress: Callable[[int, int], None] | None = None,
) -> Fused:
    """Look at a volume along several axes and fuse what is seen.

    Parameters
    ----------
    model : Model
        A loaded model of planes that predicts foreground and flow.
    volume : ndarray of float32, shape (c, z, y, x)
        Normalised, on the image's own grid.
    grid : tuple of int
        Cells of the flow's grid along z, y and x.
    axes : tuple of int
        Along which axes to look.
    tile_px : int
        Edge of a network tile.
    progress : callable, optional
        Called as ``progress(slices done, slices in all)``.

    Returns
    -------
    Fused
    """
    total = sum(count_slices(volume.shape[1:], grid, axis) for axis in axes)
    done = 0

    def tick(slices: int) -> None:
        nonlocal done
        done += slices
        if progress is not None:
            progress(done, total)

    return fuse_views(look_along(model, volume, axis, grid, tile_px=tile_px, progress=tick) for axis in axes)


def fuse_views(views: Iterable[View]) -> Fused:
    """Average views, weighted by how sure each is.

    Notes
    -----
    Probabilities count by their distance from one half, flows by foreground probability and their own length: a
    network that does not know where to go predicts short vectors. A plain sum would let a blurred view along the
    coarse axis spoil what the sharp one knows. Views are taken one at a time, so that memory holds two of them.
    """
    sums: NDArray[np.float32] | None = None
    for view in views:
        if sums is None:
            sums = np.zeros((11, *view.foreground.shape), np.float32)
        certainty = np.abs(2 * view.foreground - 1) + np.float32(DOUBT)
        sums[0] += certainty
        sums[1] += certainty * view.foreground
        sums[2] += certainty * view.foreground**2
        sums[3] += certainty * view.boundary
        sums[4] += certainty * view.centre
        length = np.sqrt((view.flow**2).sum(0))
        weight = view.foreground * length + np.float32(1e-6)
        for component, axis in zip(view.flow, (a for a in range(3) if a != view.axis), strict=True):
            sums[5 + axis] += weight * component
            sums[8 + axis] += weight
    if sums is None:
        raise ParameterError("no views to fuse; expected at least one")
    foreground, square, boundary, centre = sums[1:5] / sums[0]
    flow = np.asarray(sums[5:8] / np.maximum(sums[8:], np.float32(1e-6)), np.float32)
    spread = np.sqrt(np.maximum(square - foreground**2, 0))
    foreground, flow = _smooth(foreground[None])[0], _smooth(flow)
    flow /= np.maximum(np.sqrt((flow**2).sum(0)), 1)
    return Fused(foreground, boundary, centre, flow, 1 - 2 * spread)


def _smooth(fields: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth each field a little."""
    from scipy import ndimage

    return np.stack([ndimage.gaussian_filter(field, SMOOTHING, mode="nearest") for field in fields])
