"""The cell under each spot, straight from a label image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ShapeError

__all__ = ["CHUNK", "cells_at", "check_places", "pixels_of"]

CHUNK = 2_000_000
"""Spots that are worked on at a time."""


def cells_at(positions_px: ArrayLike, labels: Any) -> NDArray[np.uint32]:
    """Look up the label under each spot.

    Parameters
    ----------
    positions_px : array, shape (n, ndim)
        Spots, (z,) y, x; pixel centres are whole numbers.
    labels : array of int, shape ([z,] y, x)
        Label image; whatever can be sliced, a memory-mapped one too. -1 counts as 0.

    Returns
    -------
    ndarray of uint32, shape (n,)
        0 where there is no cell, and outside the image.

    Raises
    ------
    ShapeError
        If the dimensions do not fit.

    Examples
    --------
    >>> cells_at([[0.4, 1.6], [5.0, 0.0]], np.array([[0, 1, 2], [0, 1, 2]])).tolist()
    [2, 0]
    """
    positions, labels = check_places(positions_px, labels)
    cells = np.zeros(len(positions), np.uint32)
    for start in range(0, len(positions), CHUNK):
        part = slice(start, start + CHUNK)
        pixels, inside = pixels_of(positions[part], labels.shape)
        found = labels[tuple(pixels[inside].T)]
        cells[part][inside] = np.where(found > 0, found, 0).astype(np.uint32)
    return cells


def check_places(positions_px: ArrayLike, labels: Any) -> tuple[NDArray[Any], Any]:
    """Return positions and labels as arrays, after checking that they belong together."""
    positions = np.asarray(positions_px)
    labels = labels if hasattr(labels, "shape") and hasattr(labels, "dtype") else np.asarray(labels)
    if positions.ndim != 2 or positions.shape[1] != len(labels.shape):
        raise ShapeError(
            f"positions of shape {positions.shape} do not fit labels of shape {tuple(labels.shape)}; "
            f"expected (n, {len(labels.shape)})"
        )
    if labels.dtype.kind not in "iub":
        raise DataError(f"labels are whole numbers, got {labels.dtype}")
    return positions, labels


def pixels_of(positions: NDArray[Any], shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the pixel (n, ndim) of each position, and whether it lies in the image."""
    pixels = np.floor(positions + 0.5).astype(np.int64)
    return pixels, np.all((pixels >= 0) & (pixels < np.array(shape)), axis=1)
