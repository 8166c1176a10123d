"""The convex hull of one volume object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hull_volume"]

_SLACK = 1e-10  # voxels; a centre that near to a face is inside


def hull_volume(places: NDArray[np.int32]) -> int:
    """Count the voxels whose centre lies in the convex hull of an object's voxels.

    Parameters
    ----------
    places : ndarray of int, shape (3, n)
        Its voxels, in the order of the image.

    Notes
    -----
    As scikit-image's ``convex_hull_image``: a voxel is the octahedron between the middles of its faces. Only the first
    and the last voxel of a line can be a corner; lines are then cut by the faces of the hull.

    Examples
    --------
    >>> hull_volume(np.array([[0, 0, 0], [0, 0, 0], [0, 1, 4]]))
    5
    """
    from scipy.spatial import ConvexHull

    line = places[0].astype(np.int64) * (int(places[1].max()) + 1) + places[1]
    first = np.flatnonzero(np.diff(line, prepend=-1))
    last = np.append(first[1:], len(line)) - 1
    corners = places[:, np.unique(np.concatenate([first, last]))].T.astype(np.float64)
    shifts = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    faces = ConvexHull((corners[:, None] + shifts).reshape(-1, 3)).equations  # (n, 4)
    faces = np.unique(faces.round(12), axis=0)
    z, y = (axis.ravel() for axis in np.mgrid[: int(places[0].max()) + 1, : int(places[1].max()) + 1])
    low, high = np.full(len(z), -np.inf), np.full(len(z), np.inf)
    for nz, ny, nx, offset in faces:
        rest = nz * z + ny * y + offset - _SLACK
        if nx > 1e-12:
            np.minimum(high, -rest / nx, out=high)
        elif nx < -1e-12:
            np.maximum(low, -rest / nx, out=low)
        else:
            high[rest > 0] = -np.inf
    inside = np.floor(high) - np.ceil(low) + 1
    return int(np.maximum(np.where(np.isfinite(inside), inside, 0), 0).sum())
