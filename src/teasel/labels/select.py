"""Keeping some objects, numbered without gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["keep_objects"]


def keep_objects(labels: NDArray[np.uint32], kept: NDArray[np.bool_], start: int = 1) -> NDArray[np.uint32]:
    """Keep some of the objects 1 .. n and number them anew, in their order; the others become background.

    Parameters
    ----------
    labels : ndarray of uint32, any shape
        0 background, objects 1 .. n; numbers may be absent.
    kept : ndarray of bool, shape (n,)
        Whether each is kept.
    start : int
        Number of the first that is kept.

    Returns
    -------
    ndarray of uint32, same shape

    Examples
    --------
    >>> keep_objects(np.array([0, 1, 2, 3, 3], np.uint32), np.array([True, False, True])).tolist()
    [0, 1, 0, 2, 2]
    """
    number = np.zeros(len(kept) + 1, np.uint32)
    number[1:][kept] = np.arange(start, start + int(kept.sum()))
    return number[labels]
