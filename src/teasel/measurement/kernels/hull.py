"""Convex hulls of many plane objects at once, and what is read off them.

Only the first and last pixel of each row can be a corner. A pixel that does not stand out beyond the line between the
pixels before and after it is none; when all such pixels are dropped, again and again, the hull remains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "feret_diameters", "hull_areas", "hull_corners", "row_ends"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """The first and last pixel of each row of each object: arrays of one length, object after object, downwards."""

    owner: Ints
    y: Ints
    left: Ints
    right: Ints


def row_ends(owner: NDArray[np.int32], y: NDArray[np.int32], x: NDArray[np.int32]) -> Rows:
    """Find the ends of the rows of objects whose pixels come in the order of the image.

    Examples
    --------
    >>> ends = row_ends(np.array([0, 0, 0]), np.array([0, 0, 1]), np.array([4, 6, 5]))
    >>> ends.left.tolist(), ends.right.tolist()
    ([4, 5], [6, 5])
    """
    begins = np.ones(len(owner), bool)
    begins[1:] = (owner[1:] != owner[:-1]) | (y[1:] != y[:-1])
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(owner)) - 1 if len(first) else first
    return Rows(*(part.astype(np.int64) for part in (owner[first], y[first], x[first], x[last])))


def hull_corners(rows: Rows) -> tuple[Ints, Ints, Ints]:
    """Return the corners of the convex hull of the pixel centres.

    Returns
    -------
    owner, y, x : ndarray of int64, shape (n,)
        Corners, object after object, each once around.
    """
    left = _chain(rows.owner, rows.y, rows.left)
    right = _chain(rows.owner, rows.y, -rows.right)
    ends = _is_end(rows.owner[right]) & (rows.left[right] == rows.right[right])
    right = right[~ends][::-1]  # a top or bottom of one pixel is in the left chain already
    owner = np.concatenate([rows.owner[left], rows.owner[right]])
    order = np.argsort(owner, kind="stable")
    y, x = np.concatenate([rows.y[left], rows.y[right]]), np.concatenate([rows.left[left], rows.right[right]])
    return owner[order], y[order], x[order]


def hull_areas(rows: Rows, n: int) -> Ints:
    """Count the pixels whose centre lies in the convex hull of each object's pixels, in whole numbers throughout.

    Notes
    -----
    As scikit-image's ``convex_hull_image``: a pixel is the rhombus between the middles of its edges, and a centre on
    the outline is inside.

    Examples
    --------
    >>> hull_areas(Rows(*np.array([[0, 0, 0], [0, 1, 2], [0, 0, 0], [2, 0, 0]])), 1)
    array([6])
    """
    ends = [_half_rows(rows.owner, rows.y, 2 * edge) for edge in (rows.left, -rows.right)]
    owner, first, last = _spans(rows, n)
    counts = last - first + 1
    at = np.repeat(np.arange(len(owner)), counts)
    own = owner[at]
    level = 2 * (np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts) + first[at])
    bounds = [_first_inside(*end, own, level) for end in ends]
    inside = np.maximum(-bounds[1] - bounds[0] + 1, 0)
    return np.bincount(own, inside, minlength=n).astype(np.int64)


def feret_diameters(owner: Ints, y: NDArray, x: NDArray, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest distance between two parallel lines that hold an object between them.

    Parameters
    ----------
    owner, y, x
        Corners of convex polygons, in any unit of length; as from `hull_corners`.
    n : int
        Number of objects.
    """
    counts = np.bincount(owner, minlength=n)
    starts = np.cumsum(counts) - counts
    ahead = np.arange(len(owner)) + 1
    ahead = np.where(ahead == (starts + counts)[owner], starts[owner], ahead)
    pairs = counts[owner]
    one = np.repeat(np.arange(len(owner)), pairs)
    other = np.arange(len(one)) - np.repeat(np.cumsum(pairs) - pairs, pairs) + starts[owner[one]]
    dy, dx = y[other] - y[one], x[other] - x[one]
    greatest = np.zeros(n)
    np.maximum.at(greatest, owner[one], np.hypot(dy, dx))
    ey, ex = y[ahead] - y, x[ahead] - x
    length = np.hypot(ey, ex)
    beyond = np.abs(ey[one] * dx - ex[one] * dy)
    first = np.cumsum(pairs) - pairs
    width = np.maximum.reduceat(beyond, first) if len(first) else beyond
    width = np.divide(width, length, out=np.zeros(len(owner)), where=length > 0)
    least = np.full(n, np.inf)
    np.minimum.at(least, owner, width)
    return np.where(np.isfinite(least), least, 0.0), greatest


def _chain(owner: Ints, u: Ints, v: Ints) -> Ints:
    """Return which points are corners of the hull towards small v; u ascends within each owner."""
    keep = np.arange(len(owner))
    while True:
        o, a, b = owner[keep], u[keep], v[keep]
        inner = ~_is_end(o)
        stands_out = (b[1:-1] - b[:-2]) * (a[2:] - a[1:-1]) < (b[2:] - b[1:-1]) * (a[1:-1] - a[:-2])
        gone = inner.copy()
        gone[1:-1] &= ~stands_out
        if not gone.any():
            return keep
        keep = keep[~gone]


def _is_end(owner: Ints) -> NDArray[np.bool_]:
    """Say which entries are the first or the last of their owner."""
    ends = np.ones(len(owner), bool)
    if len(owner) > 1:
        ends[1:-1] = (owner[1:-1] != owner[:-2]) | (owner[1:-1] != owner[2:])
    return ends


def _half_rows(owner: Ints, y: Ints, edge: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the chain of the corners of rhombi towards small values, in half pixels."""
    owners = np.concatenate([owner, owner, owner])
    levels = np.concatenate([2 * y - 1, 2 * y, 2 * y + 1])
    values = np.concatenate([edge, edge - 1, edge])
    order = np.lexsort((values, levels, owners))
    owners, levels, values = owners[order], levels[order], values[order]
    new = np.ones(len(owners), bool)
    new[1:] = (owners[1:] != owners[:-1]) | (levels[1:] != levels[:-1])
    owners, levels, values = owners[new], levels[new], values[new]
    keep = _chain(owners, levels, values)
    return owners[keep], levels[keep], values[keep]


def _spans(rows: Rows, n: int) -> tuple[Ints, Ints, Ints]:
    """Return the first and last row of each object that has one."""
    begins = np.flatnonzero(np.diff(rows.owner, prepend=-1))
    stops = np.append(begins[1:], len(rows.owner)) - 1 if len(begins) else begins
    return rows.owner[begins], rows.y[begins], rows.y[stops]


def _first_inside(owners: Ints, levels: Ints, values: Ints, own: Ints, level: Ints) -> Ints:
    """Return the first whole pixel that is not before the chain, at each level."""
    if not len(own):
        return own
    span = int(levels.max() - levels.min()) + 2
    after = np.searchsorted(owners * span + (levels - levels.min()), own * span + (level - levels.min()))
    rise, run = values[after] - values[after - 1], levels[after] - levels[after - 1]
    top = values[after - 1] * run + rise * (level - levels[after - 1])
    return -(-top // (2 * run))
