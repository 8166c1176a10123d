"""Directions in which a star-shaped object is measured, and the facets between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError

__all__ = ["Rays", "spread_rays"]


@dataclass(frozen=True)
class Rays:
    """Directions and the cones between neighbours: segments of a circle in 2D, triangles of a sphere in 3D.

    A point at `p` from the centre lies in the cone whose coefficients ``p @ inverse[facet]`` are all 0 or
    above. Divided by their sum they are weights of the cone's rays; the point is inside a star if it is no
    further from the centre than the weighted mean of their lengths. One form serves any number of dimensions.

    Parameters
    ----------
    directions : ndarray of float64, shape (n_rays, ndim)
        Unit vectors, in units of length rather than pixels.
    facets : ndarray of int32, shape (n_facets, ndim)
        Rays that span each cone.
    inverse : ndarray of float64, shape (n_facets, ndim, ndim)
        Inverse of the matrix whose rows are a cone's directions.
    beside : ndarray of int32, shape (n_facets, ndim)
        The cone on the other side of the face opposite each ray.
    """

    directions: NDArray[np.float64]
    facets: NDArray[np.int32]
    inverse: NDArray[np.float64]
    beside: NDArray[np.int32]


@lru_cache(maxsize=16)
def spread_rays(n_rays: int, ndim: int) -> Rays:
    """Spread rays evenly over the circle (equal angles) or the sphere (golden spiral).

    Directions are even in units of length; whoever walks along them over anisotropic pixels divides by the
    pixel's edges, so that a round object is measured evenly however thick the slices are.

    Parameters
    ----------
    n_rays : int
        How many; at least 4 in 2D, 8 in 3D.
    ndim : int
        2 or 3.

    Returns
    -------
    Rays

    Raises
    ------
    ParameterError
        If there are too few rays to enclose a point.

    References
    ----------
    Weigert et al. 2020, doi:10.1109/WACV45572.2020.9093435

    Examples
    --------
    >>> np.abs(spread_rays(4, 2).directions).round(6).tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    least = 4 if ndim == 2 else 8
    if n_rays < least:
        raise ParameterError(f"{n_rays} rays are too few in {ndim}D; expected at least {least}")
    from scipy.spatial import ConvexHull

    directions = _circle(n_rays) if ndim == 2 else _spiral(n_rays)
    hull = ConvexHull(directions)
    facets = np.ascontiguousarray(hull.simplices, np.int32)
    return Rays(
        directions,
        facets,
        np.ascontiguousarray(np.linalg.inv(directions[facets])),
        np.ascontiguousarray(hull.neighbors, np.int32),
    )


def _circle(n_rays: int) -> NDArray[np.float64]:
    """Unit vectors (y, x) at equal angles, from +x towards +y."""
    angles = 2 * np.pi * np.arange(n_rays) / n_rays
    return np.stack([np.sin(angles), np.cos(angles)], 1)


def _spiral(n_rays: int) -> NDArray[np.float64]:
    """Unit vectors (z, y, x) on a golden spiral from pole to pole."""
    z = np.linspace(-1, 1, n_rays)
    angles = np.pi * (3 - np.sqrt(5)) * np.arange(n_rays)
    radius = np.sqrt(np.maximum(1 - z * z, 0))
    return np.stack([z, radius * np.sin(angles), radius * np.cos(angles)], 1)
