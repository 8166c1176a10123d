"""The smallest circle around each object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["smallest_circles"]

_SLACK = 1e-9  # of the radius, within which a point counts as on the circle

Floats = NDArray[np.float64]


def smallest_circles(owner: NDArray[np.int64], points: Floats, n: int) -> tuple[Floats, Floats]:
    """Return the smallest circle that holds every point of an object.

    Parameters
    ----------
    owner : ndarray of int64, shape (points,)
        Which object each point belongs to, ascending; every object has at least one.
    points : ndarray of float64, shape (2, points)
        Corners of its convex hull.
    n : int
        Number of objects.

    Returns
    -------
    centres : ndarray of float64, shape (n, 2)
    radii : ndarray of float64, shape (n,)

    Notes
    -----
    For all objects in step: the circle on two points, or around three; where a point lies outside, the farthest comes
    in and one that is no longer needed goes. The radius grows with each step, so it ends.

    References
    ----------
    Elzinga & Hearn, Geometrical solutions for some minimax location problems (1972), doi:10.1287/trsc.6.4.379.

    Examples
    --------
    >>> centres, radii = smallest_circles(np.zeros(3, int), np.array([[0.0, 0.0, 1.0], [0.0, 4.0, 2.0]]), 1)
    >>> centres.tolist(), radii.tolist()
    ([[0.0, 2.0]], [2.0])
    """
    corners, known = _padded(owner, points, n)  # (n, most, 2), (n, most)
    start = corners[:, 0]
    support = np.stack([start, _farthest(corners, known, start)[0], start], axis=1)  # (n, 3, 2)
    three = np.zeros(n, bool)
    centres, radii = np.zeros((n, 2)), np.zeros(n)
    open_ = np.arange(n)
    while len(open_):
        support[open_], three[open_] = _reduced(support[open_], three[open_])
        centres[open_] = _centre(support[open_], three[open_])
        radii[open_] = np.sqrt(((support[open_, 0] - centres[open_]) ** 2).sum(-1))
        point, distance = _farthest(corners[open_], known[open_], centres[open_])
        outside = distance > radii[open_] * (1 + _SLACK) + 1e-300
        open_ = open_[outside]
        support[open_], three[open_] = _exchanged(support[open_], three[open_], centres[open_], point[outside])
    return centres, radii


def _padded(owner: NDArray[np.int64], points: Floats, n: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the points as one row per object."""
    counts = np.bincount(owner, minlength=n)
    slot = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
    corners = np.zeros((n, int(counts.max(initial=1)), 2))
    known = np.zeros(corners.shape[:2], bool)
    corners[owner, slot] = points.T
    known[owner, slot] = True
    return corners, known


def _farthest(corners: Floats, known: NDArray[np.bool_], centre: Floats) -> tuple[Floats, Floats]:
    """Return the point farthest from a centre, and its distance."""
    square = np.where(known, ((corners - centre[:, None]) ** 2).sum(-1), -1.0)
    best = square.argmax(1)
    each = np.arange(len(corners))
    return corners[each, best], np.sqrt(square[each, best])


def _reduced(support: Floats, three: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """Where three points make no acute triangle, keep the two ends of its longest side."""
    sides = np.stack([((support[:, (k + 1) % 3] - support[:, (k + 2) % 3]) ** 2).sum(-1) for k in range(3)], axis=1)
    longest = sides.argmax(1)
    blunt = three & (2 * sides.max(1) >= sides.sum(1) * (1 - 1e-14))
    each = np.arange(len(support))
    ends = np.stack([support[each, (longest + 1) % 3], support[each, (longest + 2) % 3]], axis=1)
    ends = np.concatenate([ends, ends[:, :1]], axis=1)
    return np.where(blunt[:, None, None], ends, support), three & ~blunt


def _centre(support: Floats, three: NDArray[np.bool_]) -> Floats:
    """Return the middle of two points, or the centre of the circle through three."""
    a, b, c = support[:, 0], support[:, 1], support[:, 2]
    p, q = b - a, c - a
    area = 2 * (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])
    pp, qq = (p**2).sum(-1), (q**2).sum(-1)
    turned = np.stack([q[:, 1] * pp - p[:, 1] * qq, p[:, 0] * qq - q[:, 0] * pp], axis=1)
    round_ = a + np.divide(turned, area[:, None], out=np.zeros_like(turned), where=area[:, None] != 0)
    return np.where((three & (area != 0))[:, None], round_, (a + b) / 2)


def _exchanged(
    support: Floats, three: NDArray[np.bool_], centre: Floats, point: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Take in a point outside: as the third, or in place of the one that is no longer needed."""
    each = np.arange(len(support))
    far = ((support - point[:, None]) ** 2).sum(-1).argmax(1)
    q, r, s = (support[each, (far + k) % 3] for k in range(3))
    axis = centre - q

    def side(other: Floats) -> Floats:
        return axis[:, 0] * (other - q)[:, 1] - axis[:, 1] * (other - q)[:, 0]

    opposite = np.where((side(point) * side(r) < 0)[:, None], r, s)
    swapped = np.stack([q, opposite, point], axis=1)
    grown = np.stack([support[:, 0], support[:, 1], point], axis=1)
    return np.where(three[:, None, None], swapped, grown), np.ones(len(support), bool)
