"""The border of objects as a walk from pixel to pixel, as OpenCV's contours and Cellpose's outlines have it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ShapeError
from teasel.labels.check import check_labels
from teasel.labels.connected import label_pieces

__all__ = ["trace_borders"]

#        neighbour      start      end        of a pixel's edge, relative to its upper left corner
_SIDES = (((-1, 0), (0, 0), (0, 1)), ((0, 1), (0, 1), (1, 1)), ((1, 0), (1, 1), (1, 0)), ((0, -1), (1, 0), (0, 0)))


def trace_borders(labels: ArrayLike) -> dict[int, NDArray[np.int64] | None]:
    """List the border pixels of every object in the order in which one walks around it.

    Parameters
    ----------
    labels : array_like of int, shape (y, x)
        0 background, -1 pixels not judged.

    Returns
    -------
    dict of int to ndarray of int, shape (n, 2)
        By label, ascending: border pixels (y, x), clockwise on the screen, each a neighbour of the one before, straight
        or diagonal; a pixel is passed twice where the object is one pixel thin. None for an object that one walk
        cannot describe: with holes, or of several pieces. Pixels that share only a corner are one piece.

    Raises
    ------
    ShapeError
        If the array is not two-dimensional.

    Examples
    --------
    >>> trace_borders([[0, 7, 7], [0, 0, 7]])[7].tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    array = check_labels(labels)
    if array.ndim != 2:
        raise ShapeError(f"labels have shape {array.shape}; borders are traced in planes (y, x), one at a time")
    pieces, owner = label_pieces(array, diagonal=True)
    start, end, pixel = _edges(pieces)
    walks = _walk(_follow(start, end, pixel, pieces.ravel()))
    found: dict[int, NDArray[np.int64] | None] = {}
    for walk in walks:
        pixels = pixel[walk]
        label = int(owner[pieces.ravel()[pixels[0]]])
        found[label] = None if label in found else _pixels(pixels, array.shape[1])
    return {label: found[label] for label in sorted(found)}


def _edges(pieces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return start corner, end corner and pixel (on the right) of every edge, as numbers of the flattened array."""
    padded = np.pad(pieces, 1)
    height, width = pieces.shape
    starts, ends, pixels = [], [], []
    for (dy, dx), start, end in _SIDES:
        other = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        y, x = np.nonzero((pieces > 0) & (other != pieces))
        starts.append((y + start[0]) * (width + 1) + x + start[1])
        ends.append((y + end[0]) * (width + 1) + x + end[1])
        pixels.append(y * width + x)
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(pixels)


def _follow(
    start: NDArray[np.int64], end: NDArray[np.int64], pixel: NDArray[np.int64], piece: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the edge after each edge: from its end, of the same piece, and rather of another pixel than its own.

    Where two pixels of a piece share only a corner, two edges leave it; to go on with the other pixel joins them.
    """
    if not len(start):
        return np.zeros(0, np.int64)
    span = int(piece.max()) + 1
    key = start * span + piece[pixel]
    order = np.argsort(key, kind="stable")
    wanted = end * span + piece[pixel]
    first = np.searchsorted(key[order], wanted)
    second = np.minimum(first + 1, len(order) - 1)
    one, two = order[first], order[second]
    return np.where((key[two] == wanted) & (pixel[one] == pixel), two, one)


def _walk(following: NDArray[np.int64]) -> list[list[int]]:
    """Return every closed walk along the edges."""
    step, done = following.tolist(), [False] * len(following)
    walks = []
    for first in range(len(step)):
        walk, at = [], first
        while not done[at]:
            done[at] = True
            walk.append(at)
            at = step[at]
        if walk:
            walks.append(walk)
    return walks


def _pixels(walk: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return the pixels of a walk along edges, once for each time it comes by, from the first in reading order."""
    kept = walk[walk != np.roll(walk, 1)] if (walk != walk[0]).any() else walk[:1]
    kept = np.roll(kept, -int(kept.argmin()))
    return np.column_stack([kept // width, kept % width])
