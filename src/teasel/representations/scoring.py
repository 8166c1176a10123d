"""One number per object from values per pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_pixels", "mean_inside"]


def mean_inside(labels: NDArray[np.integer], values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean of `values` over the pixels of each object 1 .. n.

    Examples
    --------
    >>> mean_inside(np.array([0, 1, 1, 2]), np.array([9.0, 1.0, 3.0, 5.0])).tolist()
    [2.0, 5.0]
    """
    flat = labels.ravel()
    return np.bincount(flat, values.ravel())[1:] / np.maximum(np.bincount(flat), 1)[1:]


def first_pixels(labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """Flat index of the first pixel, in scan order, of each object 1 .. n.

    Examples
    --------
    >>> first_pixels(np.array([[0, 2], [1, 2]])).tolist()
    [2, 1]
    """
    pixels = np.flatnonzero(labels)[::-1]
    first = np.zeros(int(labels.max(initial=0)) + 1, np.intp)
    first[labels.ravel()[pixels]] = pixels
    return first[1:]
