"""Centre points become labels where the model already sees an object; elsewhere they become hints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["place_points"]

CORE = 0.5
"""Share of the typical diameter around a point that is surely inside its object."""


def place_points(
    known: NDArray[np.int32], points: NDArray[np.float64], predicted: NDArray[np.integer], diameter_px: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Use centre points as far as they go.

    A predicted object with one point becomes an object; one with several is shared out to the nearest point (its
    Voronoi cell inside the object); where nothing is predicted, only a small disc around the point is surely object.

    Parameters
    ----------
    known : ndarray of int32, shape (y, x)
        What is said already; objects there win.
    points : ndarray of float, shape (n, 2)
        Middles (y, x) in pixels.
    predicted : ndarray of int, shape (y, x)
        What the model finds.
    diameter_px : float
        Typical diameter of an object.

    Returns
    -------
    labels : ndarray of int32, shape (y, x)
        `known` with the new objects.
    hint : ndarray of float32, shape (y, x)
        Above 0 in the discs around points without a predicted object: how central the pixel is, up to 1.

    Examples
    --------
    >>> predicted = np.array([[1, 1, 1, 1, 0, 0]])
    >>> labels, hint = place_points(np.full((1, 6), -1, np.int32), np.array([[0.0, 0.0], [0, 3]]), predicted, 2.0)
    >>> labels.tolist()
    [[1, 1, 2, 2, -1, -1]]
    """
    labels, hint = known.copy(), np.zeros(known.shape, np.float32)
    cells = np.rint(points).astype(int)
    free = [k for k, cell in enumerate(cells) if known[tuple(cell)] <= 0]
    next_id = int(max(known.max(initial=0), 0)) + 1
    owners = [int(predicted[tuple(cells[k])]) for k in free]
    for owner in sorted(set(owners) - {0}):
        mine = np.array([points[k] for k, one in zip(free, owners, strict=True) if one == owner])
        where = np.argwhere((predicted == owner) & (labels <= 0))
        nearest = ((where[:, None] - mine[None]) ** 2).sum(-1).argmin(1)
        labels[tuple(where.T)] = next_id + nearest
        next_id += len(mine)
    alone = np.array([points[k] for k, one in zip(free, owners, strict=True) if one == 0])
    if len(alone):
        y, x = np.indices(known.shape, np.float32)
        for py, px in alone:
            central = 1 - np.hypot(y - py, x - px) / np.float32(diameter_px / 2)
            hint = np.maximum(hint, np.where((central > CORE) & (labels <= 0), central, 0))
    labels[(hint > 0) & (labels == 0)] = -1
    return labels, hint.astype(np.float32)
