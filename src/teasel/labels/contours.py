"""Outlines of objects as polygons along pixel edges."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ShapeError
from teasel.labels.check import check_labels
from teasel.labels.connected import label_pieces

__all__ = ["Polygon", "contours"]

Ring = NDArray[Any]


class Polygon(NamedTuple):
    """One connected piece of an object: its outer ring, and one ring per hole.

    Rings are corners (y, x), shape (n, 2), not closed (the first corner is not repeated at the end), without
    corners on straight lines, and meet no corner twice. The enclosed area of `exterior` minus that of `holes`
    is the number of pixels.
    """

    exterior: Ring
    holes: tuple[Ring, ...]


def contours(labels: ArrayLike) -> dict[int, tuple[Polygon, ...]]:
    """Trace the outline of every object along the edges of its pixels.

    Parameters
    ----------
    labels : array_like of int, shape (y, x)
        0 background, -1 pixels not judged.

    Returns
    -------
    dict of int to tuple of Polygon
        The pieces of each object, by label, ascending; pieces in the order of their first pixel. Coordinates
        are pixel edges: the pixel (row, column) covers y from row to row + 1 and x from column to column + 1.

    Raises
    ------
    ShapeError
        If the array is not two-dimensional.

    Notes
    -----
    Pixels that share only a corner are separate pieces. Exteriors run with the object on their
    right as seen with y pointing down (clockwise on the screen), holes the other way. Rings may touch each
    other at corners, never themselves, so that the polygons are valid for geometry libraries.

    Examples
    --------
    >>> contours([[0, 7, 7], [0, 0, 0]])[7][0].exterior.tolist()
    [[0, 1], [0, 3], [1, 3], [1, 1]]
    """
    array = check_labels(labels)
    if array.ndim != 2:
        raise ShapeError(f"labels have shape {array.shape}; contours are traced in planes (y, x), one at a time")
    pieces, owner = label_pieces(array)
    edges = _find_edges(pieces)
    following = _link(edges, array.shape[1])
    rings: dict[int, list[Ring]] = {}
    for piece, ring in _trace(edges, following):
        rings.setdefault(piece, []).extend(_simplify(part) for part in _split_at_repeats(ring))
    result: dict[int, list[Polygon]] = {}
    for piece in sorted(rings):
        parts = sorted(rings[piece], key=_signed_area, reverse=True)  # the one exterior first, then holes
        result.setdefault(int(owner[piece]), []).append(Polygon(parts[0], tuple(parts[1:])))
    return {label: tuple(result[label]) for label in sorted(result)}


class _Edges(NamedTuple):
    """Directed unit edges with their pixel on the right: start and end corner, flat pixel number, piece."""

    start: NDArray[np.int64]  # (n, 2)
    end: NDArray[np.int64]  # (n, 2)
    pixel: NDArray[np.int64]  # (n,)
    piece: NDArray[np.int64]  # (n,)


def _find_edges(pieces: NDArray[np.int64]) -> _Edges:
    """List the edges between each piece and whatever else, in the order top, right, bottom, left."""
    padded = np.pad(pieces, 1)
    starts, ends, pixels, owners = [], [], [], []
    #         neighbour      start      end        of the edge, relative to the pixel's upper left corner
    sides = (((-1, 0), (0, 0), (0, 1)), ((0, 1), (0, 1), (1, 1)), ((1, 0), (1, 1), (1, 0)), ((0, -1), (1, 0), (0, 0)))
    height, width = pieces.shape
    for (dy, dx), start, end in sides:
        neighbour = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        at = np.argwhere((pieces > 0) & (neighbour != pieces))
        starts.append(at + start)
        ends.append(at + end)
        pixels.append(at @ np.array([width, 1]))
        owners.append(pieces[at[:, 0], at[:, 1]])
    return _Edges(*(np.concatenate(part) for part in (starts, ends, pixels, owners)))


def _link(edges: _Edges, width: int) -> NDArray[np.int64]:
    """Return the edge that follows each edge: of the same pixel where it turns there, else of the same piece."""
    corners = width + 1
    start, end = edges.start @ np.array([corners, 1]), edges.end @ np.array([corners, 1])
    following = _match(start, edges.pixel, end, edges.pixel)
    open_ends = np.flatnonzero(following < 0)
    taken = np.zeros(len(start), bool)
    taken[following[following >= 0]] = True
    free = np.flatnonzero(~taken)
    found = _match(start[free], edges.piece[free], end[open_ends], edges.piece[open_ends])
    following[open_ends] = free[found]
    return following


def _match(
    corner: NDArray[np.int64], owner: NDArray[np.int64], wanted: NDArray[np.int64], by: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each (wanted, by) the position of the same (corner, owner), -1 without one."""
    if not len(corner):
        return np.full(len(wanted), -1)
    span = int(max(owner.max(), by.max(initial=0))) + 1
    keys = corner * span + owner
    order = np.argsort(keys, kind="stable")
    looked_for = wanted * span + by
    place = np.minimum(np.searchsorted(keys[order], looked_for), len(keys) - 1)
    return np.where(keys[order][place] == looked_for, order[place], -1)


def _trace(edges: _Edges, following: NDArray[np.int64]) -> list[tuple[int, Ring]]:
    """Walk along the edges, and return each closed walk with its piece."""
    step, done = following.tolist(), [False] * len(following)
    rings = []
    for first in range(len(step)):
        walk = []
        at = first
        while not done[at]:
            done[at] = True
            walk.append(at)
            at = step[at]
        if walk:
            rings.append((int(edges.piece[first]), edges.start[walk]))
    return rings


def _split_at_repeats(ring: Ring) -> list[Ring]:
    """Cut a ring that comes to a corner twice into rings that do not."""
    keys = [tuple(corner) for corner in ring.tolist()]
    if len(set(keys)) == len(keys):
        return [ring]
    parts, path, where = [], [], {}  # type: ignore[var-annotated]
    for key in keys:
        if key in where:
            cut = where[key]
            parts.append(np.array(path[cut:]))
            for passed in path[cut:]:
                del where[passed]
            del path[cut:]
        where[key] = len(path)
        path.append(key)
    return [*parts, np.array(path)]


def _simplify(ring: Ring) -> Ring:
    """Drop corners on straight lines, and start with the first corner that is left in reading order."""
    steps = ring - np.concatenate([ring[-1:], ring[:-1]])
    kept = ring[(steps != np.concatenate([steps[1:], steps[:1]])).any(axis=1)]
    first = np.lexsort((kept[:, 1], kept[:, 0]))[0]
    return np.concatenate([kept[first:], kept[:first]])


def _signed_area(ring: Ring) -> float:
    """Return the enclosed area, above 0 for exteriors."""
    y, x = ring[:, 0], ring[:, 1]
    return float(x[:-1] @ y[1:] - x[1:] @ y[:-1] + x[-1] * y[0] - x[0] * y[-1]) / 2
