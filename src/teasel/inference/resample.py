"""Between the image's pixel grid and the network's: pixels one way, labels the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["labels_to", "resize"]


def resize(image: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Resize channels to a shape: linear, averaged over the pixels that fall together where it shrinks.

    Parameters
    ----------
    image : ndarray of float32, shape (c, y, x)
    shape : tuple of int
        Height and width of the result.

    Returns
    -------
    ndarray of float32, shape (c, *shape)
    """
    from PIL import Image as Picture

    if image.shape[1:] == shape:
        return image
    size = (shape[1], shape[0])
    return np.stack([np.asarray(Picture.fromarray(p).resize(size, Picture.Resampling.BILINEAR)) for p in image])


def labels_to(
    labels: NDArray[np.uint32], foreground: NDArray[np.float32] | None, shape: tuple[int, int]
) -> NDArray[np.uint32]:
    """Carry labels to another grid with smooth outlines.

    Parameters
    ----------
    labels : ndarray of uint32, shape (y, x)
        Labels on the network's grid.
    foreground : ndarray of float32, shape (y, x), optional
        Foreground probability on the same grid, above 0.5 inside objects; interpolated, it decides where objects end
        to a fraction of a cell.
    shape : tuple of int
        Height and width of the grid to fill.

    Returns
    -------
    ndarray of uint32, of that shape
        At each pixel the label with the largest linear weight among the four nearest cells.
    """
    if labels.shape == shape:
        return labels
    (y0, y1, fy), (x0, x1, fx) = (_corners(n, m) for n, m in zip(shape, labels.shape, strict=True))
    corners = [labels[np.ix_(a, b)] for a in (y0, y1) for b in (x0, x1)]
    fy, fx = fy[:, None], fx[None]
    weights = [(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx]
    result, best = np.zeros(shape, np.uint32), np.zeros(shape, np.float32)
    for corner in corners:
        vote = np.zeros(shape, np.float32)
        for other, weight in zip(corners, weights, strict=True):
            vote += np.where(other == corner, weight, 0)
        vote[corner == 0] *= foreground is None
        better = vote > best
        result[better], best[better] = corner[better], vote[better]
    if foreground is not None:
        result[resize(foreground[None], shape)[0] <= 0.5] = 0
    return result


def _corners(n: int, m: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For each of `n` pixels, the two nearest of `m` cells along an axis and the weight of the second."""
    position = (np.arange(n) + 0.5) * (m / n) - 0.5
    low = np.floor(position)
    weight = (position - low).astype(np.float32)
    return np.clip(low, 0, m - 1).astype(np.intp), np.clip(low + 1, 0, m - 1).astype(np.intp), weight
