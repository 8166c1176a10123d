"""Outlines of objects as a mask, for overlays and boundary scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.labels.check import check_labels

__all__ = ["outline_mask"]


def outline_mask(labels: ArrayLike) -> NDArray[np.bool_]:
    """Mark the pixels of each object that lie on its edge.

    Parameters
    ----------
    labels : array_like of int, any shape
        0 background, -1 pixels not judged.

    Returns
    -------
    ndarray of bool, same shape
        True for pixels of an object that share a face with background or with another object.

    Notes
    -----
    The border of the image is no edge, and neither is the border to pixels that nobody has judged (-1): where
    the object ends there is not known.

    Examples
    --------
    >>> outline_mask([0, 1, 1, 1, 2]).astype(int)
    array([0, 1, 0, 1, 1])
    """
    array = check_labels(labels)
    mask = np.zeros(array.shape, bool)
    for axis in range(array.ndim):
        lower = (slice(None),) * axis + (slice(None, -1),)
        upper = (slice(None),) * axis + (slice(1, None),)
        differ = array[lower] != array[upper]
        if array.dtype.kind == "i":
            differ &= (array[lower] >= 0) & (array[upper] >= 0)
        mask[lower] |= differ
        mask[upper] |= differ
    return mask & (array > 0)
