"""Which objects touch each other, and which touch the border of the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.labels.check import check_labels

__all__ = ["touches_border", "touching_pairs"]


def touching_pairs(labels: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the pairs of objects that share a border.

    Parameters
    ----------
    labels : array_like of int, any shape
        0 background, -1 pixels not judged.

    Returns
    -------
    pairs : ndarray of int64, shape (n, 2)
        Labels, the smaller first, ascending.
    faces : ndarray of int64, shape (n,)
        Number of pixel faces (in 2D: edges) that each pair shares.

    Examples
    --------
    >>> pairs, faces = touching_pairs([[1, 1, 3], [2, 2, 3]])
    >>> pairs.tolist(), faces.tolist()
    ([[1, 2], [1, 3], [2, 3]], [2, 1, 1])
    """
    array = check_labels(labels)
    found = [np.zeros((0, 2), np.int64)]
    for axis in range(array.ndim):
        lower = array[(slice(None),) * axis + (slice(None, -1),)]
        upper = array[(slice(None),) * axis + (slice(1, None),)]
        meet = (lower != upper) & (lower > 0) & (upper > 0)
        found.append(np.stack([lower[meet], upper[meet]], axis=1).astype(np.int64))
    pairs, faces = np.unique(np.sort(np.concatenate(found), axis=1), axis=0, return_counts=True)
    return pairs, faces


def touches_border(labels: ArrayLike, margin_px: int = 0) -> NDArray[np.int64]:
    """List the objects that touch the border of the image, so that part of them may lie outside.

    Parameters
    ----------
    labels : array_like of int, any shape
        0 background, -1 pixels not judged. Axes of length 1 have no border.
    margin_px : int
        Objects that come as near as this to the border count too, 0 or more.

    Returns
    -------
    ndarray of int64, shape (n,)
        Their labels, ascending.

    Examples
    --------
    >>> touches_border([[0, 0, 0, 0], [4, 4, 2, 0], [0, 0, 0, 0]])
    array([4])
    """
    array = check_labels(labels)
    found = [np.zeros(0, np.int64)]
    for axis, length in enumerate(array.shape):
        if length > 1:
            for side in (slice(None, margin_px + 1), slice(max(length - margin_px - 1, 0), None)):
                found.append(np.unique(array[(slice(None),) * axis + (side,)]).astype(np.int64))
    ids = np.unique(np.concatenate(found))
    return ids[ids > 0]
