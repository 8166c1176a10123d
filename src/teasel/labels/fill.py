"""Filling holes in objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.labels.check import check_labels
from teasel.labels.relabel import relabel

__all__ = ["fill_holes"]


def fill_holes(labels: ArrayLike) -> NDArray[np.integer]:
    """Fill the holes of every object, leaving other objects that lie in them as they are.

    A piece of background becomes part of an object that borders it and encloses it: from the piece, every
    path over pixel faces to the border of the image crosses the object. Of several such objects the one with
    the smallest bounding box takes it, which is the innermost.

    Parameters
    ----------
    labels : array_like of int, any shape
        0 background, -1 pixels not judged, which are never filled.

    Returns
    -------
    ndarray of int, same shape and type

    Notes
    -----
    Background between several objects that only together close it off is left: it belongs to none
    of them. In a volume a tunnel is no hole; slices can be filled one by one.

    Examples
    --------
    >>> fill_holes([[3, 3, 3, 3, 3], [3, 0, 5, 0, 3], [3, 3, 3, 3, 3]])
    array([[3, 3, 3, 3, 3],
           [3, 3, 5, 3, 3],
           [3, 3, 3, 3, 3]])
    """
    from scipy import ndimage

    whole = check_labels(labels)
    array = whole.squeeze() if whole.size > 1 else whole.reshape(-1)  # an axis of length 1 has no inside
    pieces = _enclosed_background(array)
    filled = _fill_inside_one(array, pieces)
    enclosed = (pieces > 0) & (filled == 0)
    if not enclosed.any():
        return filled.reshape(whole.shape)
    ranks, mapping = relabel(array)
    boxes = ndimage.find_objects(np.maximum(ranks, 0))
    candidates = _surrounding(ranks, enclosed, boxes)
    ids = list(mapping)
    for rank in sorted(candidates, key=lambda r: (_volume(boxes[r - 1]), r)):
        box = boxes[rank - 1]
        closed = ndimage.binary_fill_holes(ranks[box] == rank)
        inside = closed & (filled[box] == 0)
        filled[box][_pieces_next_to(inside, ranks[box] == rank)] = ids[rank - 1]
    return filled.reshape(whole.shape)


def _enclosed_background(array: NDArray) -> NDArray[np.integer]:
    """Number the pieces of background that no path over background connects to the border of the image."""
    from scipy import ndimage

    pieces, n = ndimage.label(array == 0)
    outside = np.zeros(n + 1, bool)
    outside[0] = True
    for axis, length in enumerate(array.shape):
        for end in (0, length - 1) if length else ():
            outside[np.take(pieces, end, axis=axis)] = True
    return np.where(outside, 0, np.arange(n + 1))[pieces]


def _fill_inside_one(array: NDArray, pieces: NDArray[np.integer]) -> NDArray:
    """Fill the pieces whose neighbours are all of one object, which so encloses them; most holes are such."""
    n = int(pieces.max(initial=0))
    if n == 0:
        return array.copy()
    lowest, highest = np.full(n + 1, np.iinfo(np.int64).max), np.full(n + 1, np.iinfo(np.int64).min)
    for axis in range(array.ndim):
        p, a = np.moveaxis(pieces, axis, 0), np.moveaxis(array, axis, 0)
        for piece, beside in ((p[:-1], a[1:]), (p[1:], a[:-1])):
            met = (piece > 0) & (beside != 0)
            np.minimum.at(lowest, piece[met], beside[met].astype(np.int64))
            np.maximum.at(highest, piece[met], beside[met].astype(np.int64))
    owner = np.where((lowest == highest) & (lowest > 0), lowest, 0)
    owner[0] = 0
    return np.where(pieces > 0, owner[pieces], array).astype(array.dtype)


def _surrounding(ranks: NDArray, enclosed: NDArray[np.bool_], boxes: list[tuple[slice, ...]]) -> set[int]:
    """List the objects near an enclosed piece of background whose bounding box reaches beyond it on every side."""
    from scipy import ndimage

    found: set[int] = set()
    for piece in ndimage.find_objects(ndimage.label(enclosed)[0]):
        around = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in piece)
        for rank in (int(r) for r in np.unique(ranks[around]) if r > 0):
            sides = zip(boxes[rank - 1], piece, strict=True)
            if all(box.start < side.start and box.stop > side.stop for box, side in sides):
                found.add(rank)
    return found


def _pieces_next_to(inside: NDArray[np.bool_], thing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the connected pieces of a mask that share a face with an object."""
    from scipy import ndimage

    pieces, n = ndimage.label(inside)
    near = np.zeros(n + 1, bool)
    near[pieces[ndimage.binary_dilation(thing)]] = True
    near[0] = False
    return near[pieces]


def _volume(box: tuple[slice, ...]) -> int:
    return int(np.prod([side.stop - side.start for side in box]))
