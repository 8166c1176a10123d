"""Three views of a volume: a network of planes looks along each axis, slice by slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.inference.predict import TILE_PX, predict
from teasel.inference.resample import resize
from teasel.models import Model
from teasel.representations.hybrid import pooled

__all__ = ["View", "count_slices", "look_along"]


@dataclass(frozen=True, eq=False)
class View:
    """What a network sees along one axis, on the grid of the flow.

    Parameters
    ----------
    axis : int
        The axis along which slices follow each other: 0, 1, 2 for z, y, x.
    foreground, boundary, centre : ndarray of float32, shape (z, y, x)
        Probabilities; boundary and centre are 0 where the model does not predict them.
    flow : ndarray of float32, shape (2, z, y, x)
        Components along the two other axes, in their order.
    """

    axis: int
    foreground: NDArray[np.float32]
    boundary: NDArray[np.float32]
    centre: NDArray[np.float32]
    flow: NDArray[np.float32]


def count_slices(native: tuple[int, ...], grid: tuple[int, ...], axis: int) -> int:
    """Return how many slices to look at along an axis: no more than there are in the image or on the grid."""
    return min(native[axis], grid[axis])


def look_along(
    model: Model,
    volume: NDArray[np.float32],
    axis: int,
    grid: tuple[int, ...],
    *,
    tile_px: int = TILE_PX,
    progress: Callable[[int], None] | None = None,
) -> View:
    """Predict slice by slice along one axis.

    Parameters
    ----------
    model : Model
        A loaded model of planes that predicts foreground and flow.
    volume : ndarray of float32, shape (c, z, y, x)
        Normalised, on the image's own grid.
    axis : int
        Slices follow each other along it.
    grid : tuple of int
        Cells of the flow's grid along z, y and x.
    tile_px : int
        Edge of a network tile.
    progress : callable, optional
        Called with 1 after each slice.

    Returns
    -------
    View
        On `grid`. Where the grid is finer than the image along `axis`, predictions are interpolated, not the image:
        the network then sees real planes only.
    """
    heads = {head.name: head for head in model.spec.heads}
    stride = heads["flow"].stride
    others = [a for a in range(3) if a != axis]
    count = count_slices(volume.shape[1:], grid, axis)
    shape = tuple(count if a == axis else grid[a] * stride for a in range(3))
    seen = np.empty((5, count, *(grid[a] for a in others)), np.float32)
    slices = np.moveaxis(resize(volume, shape), axis + 1, 1)  # (c, slice, ., .)
    for number in range(count):
        fields = predict(model, np.ascontiguousarray(slices[:, number]), tile_px=tile_px)
        seen[0, number] = _on_grid(fields["foreground"][0], seen.shape[2:])
        for row, name in ((1, "boundary"), (2, "centre")):
            seen[row, number] = _on_grid(fields[name][0], seen.shape[2:]) if name in fields else 0
        seen[3:, number] = fields["flow"]
        if progress is not None:
            progress(1)
    whole = resize(np.moveaxis(seen, 1, axis + 1), grid)
    return View(axis, whole[0], whole[1], whole[2], whole[3:])


def _on_grid(values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Average a head of stride 1 over the cells of the flow's grid."""
    while values.shape != shape:
        values = pooled(values, tuple(-(-n // 2) for n in values.shape)).astype(np.float32)
    return values
