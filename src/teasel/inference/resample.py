"""Between the image's pixel grid and the network's: pixels one way, labels the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["labels_to", "resample_part", "resize"]


def resize(image: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Resize channels to a shape: linear, averaged over the pixels that fall together where it shrinks.

    Parameters
    ----------
    image : ndarray of float32, shape (c, [z,] y, x)
    shape : tuple of int
        ([z,] y, x) of the result.

    Returns
    -------
    ndarray of float32, shape (c, *shape)
    """
    if image.shape[1:] == shape:
        return image
    if len(shape) == 2:
        return np.stack([_resize_plane(plane, shape) for plane in image])
    between = (len(image), image.shape[1], *shape[1:])
    planes = np.stack([_resize_plane(plane, shape[1:]) for volume in image for plane in volume]).reshape(between)
    sides = [_resize_plane(volume.reshape(len(volume), -1), (shape[0], shape[1] * shape[2])) for volume in planes]
    return np.stack(sides).reshape(len(image), *shape)


def labels_to(
    labels: NDArray[np.uint32], foreground: NDArray[np.float32] | None, shape: tuple[int, ...]
) -> NDArray[np.uint32]:
    """Carry labels to another grid with smooth outlines.

    Parameters
    ----------
    labels : ndarray of uint32, shape ([z,] y, x)
        Labels on the network's grid.
    foreground : ndarray of float32, shape ([z,] y, x), optional
        Foreground probability on the same grid, above 0.5 inside objects; interpolated, it decides where objects end
        to a fraction of a cell.
    shape : tuple of int
        ([z,] y, x) of the grid to fill.

    Returns
    -------
    ndarray of uint32, of that shape
        At each pixel the label with the largest linear weight among the nearest cells, two per axis.
    """
    if labels.shape == shape:
        return labels
    axes = [_corners(n, m) for n, m in zip(shape, labels.shape, strict=True)]
    if len(shape) == 2:
        result = _vote(labels, axes, foreground is not None)
    else:  # plane by plane: the votes need eight times the memory of what they decide
        result = np.empty(shape, np.uint32)
        for z in range(shape[0]):
            near = slice(axes[0][0][z], axes[0][1][z] + 1)
            along = (axes[0][0][[z]] - near.start, axes[0][1][[z]] - near.start, axes[0][2][[z]])
            result[z] = _vote(labels[near], [along, *axes[1:]], foreground is not None)[0]
    if foreground is not None:
        result[resize(foreground[None], shape)[0] <= 0.5] = 0
    return result


def _vote(
    labels: NDArray[np.uint32],
    axes: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]],
    over_background: bool,
) -> NDArray[np.uint32]:
    """Give each pixel the label with the largest weight among its corners; the background's does not count if asked."""
    shape = tuple(len(weight) for _, _, weight in axes)
    corners, weights = [], []
    for which in product((0, 1), repeat=len(axes)):
        corners.append(labels[np.ix_(*(axis[side] for axis, side in zip(axes, which, strict=True)))])
        shares = np.ix_(*(axis[2] if side else 1 - axis[2] for axis, side in zip(axes, which, strict=True)))
        weights.append(reduce(np.multiply, shares))
    result, best = np.zeros(shape, np.uint32), np.zeros(shape, np.float32)
    for corner in corners:
        vote = np.zeros(shape, np.float32)
        for other, weight in zip(corners, weights, strict=True):
            vote += np.where(other == corner, weight, 0)
        if over_background:
            vote[corner == 0] = 0
        better = vote > best
        result[better], best[better] = corner[better], vote[better]
    return result


def _resize_plane(plane: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Resize one plane."""
    from PIL import Image as Picture

    if plane.shape == shape:
        return plane
    return np.asarray(Picture.fromarray(plane).resize((shape[1], shape[0]), Picture.Resampling.BILINEAR))


def _corners(n: int, m: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For each of `n` pixels, the two nearest of `m` cells along an axis and the weight of the second."""
    position = (np.arange(n) + 0.5) * (m / n) - 0.5
    low = np.floor(position)
    weight = (position - low).astype(np.float32)
    return np.clip(low, 0, m - 1).astype(np.intp), np.clip(low + 1, 0, m - 1).astype(np.intp), weight


def resample_part(
    read: Callable[..., NDArray[np.float32]],
    shape: tuple[int, ...],
    spans: Sequence[tuple[int, int]],
    scales: Sequence[float],
) -> NDArray[np.float32]:
    """Read a part of an image on a finer or coarser grid; every part shows the same as the whole would there.

    Parameters
    ----------
    read : callable
        Takes a slice per axis and gives ``(c, [z,] y, x)``.
    shape : tuple of int
        ([z,] y, x) of the image.
    spans : sequence of (int, int)
        Which pixels of the new grid, first to last excluded, along each axis. Pixel ``j`` lies at
        ``(j + 0.5) / scale - 0.5`` of the image, or at its edge.
    scales : sequence of float
        New pixels per pixel, along each axis.

    Returns
    -------
    ndarray of float32
        Linear, averaged over the pixels that fall together where it shrinks.

    Examples
    --------
    >>> line = np.array([[0.0, 1.0, 2.0, 3.0]], np.float32)
    >>> resample_part(lambda x: line[:, x], (4,), [(2, 5)], [2.0]).tolist()
    [[0.75, 1.25, 1.75]]
    """
    axes = [_tents(span, scale, n) for span, scale, n in zip(spans, scales, shape, strict=True)]
    values = read(*(near for near, _ in axes))
    for axis, (_, tents) in enumerate(axes, start=1):
        lines = np.moveaxis(values, axis, 0)
        made = tents @ lines.reshape(len(lines), -1)
        values = np.moveaxis(made.reshape(len(made), *lines.shape[1:]), 0, axis)
    return np.ascontiguousarray(values)


def _tents(span: tuple[int, int], scale: float, n: int) -> tuple[slice, csr_array]:
    """Which pixels of an axis some new pixels draw on, and with which weights, (new, old)."""
    from scipy.sparse import csr_array

    position = np.clip((np.arange(*span) + 0.5) / scale - 0.5, 0, n - 1)
    radius = max(1.0, 1.0 / scale)
    first = np.floor(position - radius).astype(int) + 1
    old = first[:, None] + np.arange(int(np.ceil(2 * radius)))
    weights = np.clip(1 - np.abs(old - position[:, None]) / radius, 0, None) * ((old >= 0) & (old < n))
    weights /= weights.sum(1, keepdims=True)
    used = weights > 0
    low, high = int(old[used].min()), int(old[used].max()) + 1
    rows = np.broadcast_to(np.arange(len(position))[:, None], old.shape)[used]
    matrix = csr_array((weights[used].astype(np.float32), (rows, old[used] - low)), (len(position), high - low))
    return slice(low, high), matrix
