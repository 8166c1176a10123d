"""Renumbering objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.labels.check import check_labels
from teasel.labels.runs import find_runs, rank_labels

__all__ = ["relabel"]


def relabel(labels: ArrayLike, start: int = 1) -> tuple[NDArray[np.integer], dict[int, int]]:
    """Number the objects without gaps, in the order of their labels.

    Parameters
    ----------
    labels : array_like of int, any shape
        0 background, -1 pixels not judged: both stay.
    start : int
        Label of the first object, 1 or more.

    Returns
    -------
    relabelled : ndarray of int, same shape
        Same type, grown only where `start` needs it.
    mapping : dict of int to int
        New label of each old one.

    Examples
    --------
    >>> relabel([0, 70, 7, 7])
    (array([0, 2, 1, 1]), {7: 1, 70: 2})
    """
    array = check_labels(labels)
    starts, lengths = find_runs(array)
    ids, rank = rank_labels(array.ravel()[starts])
    objects = ids > 0
    last = start + int(objects.sum()) - 1
    renamed = ids.astype(np.result_type(array.dtype, np.min_scalar_type(max(last, 0))))
    renamed[objects] = np.arange(start, last + 1)
    mapping = dict(zip(ids[objects].tolist(), renamed[objects].tolist(), strict=True))
    return np.repeat(renamed[rank], lengths).reshape(array.shape), mapping
