"""The smallest integer type that holds the labels of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError
from teasel.labels.check import check_labels

__all__ = ["smallest_dtype", "to_smallest"]


def smallest_dtype(largest: int) -> np.dtype:
    """Return the smallest of uint8, uint16 and uint32 that holds a label.

    Parameters
    ----------
    largest : int
        The largest label, 0 or more.

    Returns
    -------
    numpy.dtype

    Raises
    ------
    DataError
        If the label is negative or beyond uint32.

    Examples
    --------
    >>> smallest_dtype(255), smallest_dtype(65536)
    (dtype('uint8'), dtype('uint32'))
    """
    if largest < 0:
        raise DataError(f"label {largest}; expected 0 or more")
    for dtype in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    raise DataError(f"label {largest} is beyond uint32; number the objects anew first (teasel.labels.relabel)")


def to_smallest(labels: ArrayLike) -> NDArray[np.unsignedinteger]:
    """Return a label image in the smallest type that holds it; the ids stay.

    Parameters
    ----------
    labels : array_like of int, any shape
        0 or more: pixels that are not judged (-1) have no place in an unsigned type.

    Returns
    -------
    ndarray of uint8, uint16 or uint32, same shape

    Raises
    ------
    DataError
        If a label is negative or beyond uint32.

    Examples
    --------
    >>> to_smallest([[0, 300]]).dtype
    dtype('uint16')
    """
    array = check_labels(labels, ignore=False)
    return array.astype(smallest_dtype(int(array.max(initial=0))))
