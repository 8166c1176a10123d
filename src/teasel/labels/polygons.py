"""From outlines back to label images: the inverse of `contours`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.labels.contours import Polygon
from teasel.labels.dtype import smallest_dtype

__all__ = ["fill_polygons"]


def fill_polygons(objects: Mapping[int, Sequence[Polygon]], shape: tuple[int, int]) -> NDArray[np.unsignedinteger]:
    """Draw objects into a label image.

    Parameters
    ----------
    objects : mapping of int to sequence of Polygon
        Pieces of each object, by label (1 or more), in pixel edges as `contours` gives them; corners may lie between.
    shape : tuple of int
        Height and width of the image in pixels; what lies outside is cut off.

    Returns
    -------
    ndarray of uint8, uint16 or uint32, shape (y, x)
        A pixel belongs to an object if its centre does. Where objects overlap, the one drawn last wins.

    Raises
    ------
    ParameterError
        If a label is below 1 or the shape is not two numbers above 0.

    Examples
    --------
    >>> square = Polygon(np.array([[0, 1], [0, 3], [2, 3], [2, 1]]), ())
    >>> fill_polygons({7: [square]}, (2, 4))
    array([[0, 7, 7, 0],
           [0, 7, 7, 0]], dtype=uint8)
    """
    if len(shape) != 2 or min(shape) < 1:
        raise ParameterError(f"the shape is {shape}; expected height and width in pixels, above 0")
    if objects and min(objects) < 1:
        raise ParameterError(f"an object has the label {min(objects)}; expected 1 or more")
    labels = np.zeros(shape, smallest_dtype(max(objects, default=0)))
    for label, pieces in objects.items():
        for piece in pieces:
            _draw(labels, label, piece)
    return labels


def _draw(labels: NDArray[np.unsignedinteger], label: int, piece: Polygon) -> None:
    """Set the pixels of one piece: inside the exterior, outside every hole."""
    corners = np.asarray(piece.exterior, float)
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int), labels.shape)
    if (high <= low).any():
        return
    inside = _cover(corners - low, tuple(high - low))
    for hole in piece.holes:
        inside &= ~_cover(np.asarray(hole, float) - low, tuple(high - low))
    labels[low[0] : high[0], low[1] : high[1]][inside] = label


def _cover(ring: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Say which pixel centres lie inside a ring (even-odd): each edge flips what lies right of it in a row."""
    height, width = shape
    flips = np.zeros((height, width + 1), np.int64)
    (y0, x0), (y1, x1) = ring.T, np.roll(ring, -1, axis=0).T
    steep = y0 != y1
    y0, x0, y1, x1 = y0[steep], x0[steep], y1[steep], x1[steep]
    first = np.ceil(np.minimum(y0, y1) - 0.5).astype(int).clip(0, height)
    last = np.ceil(np.maximum(y0, y1) - 0.5).astype(int).clip(0, height)
    count = last - first
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    x = x0[edge] + (row + 0.5 - y0[edge]) * (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
    np.add.at(flips, (row, np.ceil(x - 0.5).astype(int).clip(0, width)), 1)
    return (np.cumsum(flips, axis=1)[:, :width] & 1).astype(bool)
