"""Of stars that overlap too much, the best one stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.representations.kernels.stars import _inside_reference, choose_stars
from teasel.representations.rays import Rays

__all__ = ["suppress"]

SHELLS = 4  # sample points per ray, each standing for an equal share of the volume


def suppress(
    centres: NDArray[np.floating], lengths: NDArray[np.floating], rays: Rays, threshold: float
) -> NDArray[np.intp]:
    """Go through stars from best to worst and drop those that overlap a better one too much.

    The overlap of two stars is the share of the smaller that lies in the larger, taken at four points along
    each of its rays. Kept stars are found through a hash of grid cells two mean radii wide, and pairs whose
    bounding spheres are apart are passed over, so time is near-linear in stars.

    Parameters
    ----------
    centres : ndarray of float, shape (n, ndim)
        In units of length, best star first.
    lengths : ndarray of float, shape (n, n_rays)
        Ray lengths above 0, in units of length.
    rays : Rays
        Directions of the rays.
    threshold : float
        Largest overlap that is allowed, in [0, 1].

    Returns
    -------
    ndarray of intp, shape (m,)
        Indices of the stars that stay, ascending.

    References
    ----------
    Schmidt et al. 2018, doi:10.1007/978-3-030-00934-2_30
    """
    if len(centres) == 0:
        return np.zeros(0, np.intp)
    lengths = np.ascontiguousarray(lengths, np.float32)
    centres = np.ascontiguousarray(centres, np.float64)
    radii = lengths.max(1).astype(np.float64)
    cell = max(2 * float(lengths.mean()), float(radii.max()) / 3)  # a giant is searched for in few cells too
    kept = choose_stars(
        centres,
        lengths,
        radii,
        _sizes(lengths, centres.shape[1]),
        np.floor((centres - centres.min(0)) / cell).astype(np.int64),
        cell,
        float(threshold),
        _shells(centres.shape[1]),
        np.ascontiguousarray(rays.directions),
        rays.facets,
        rays.inverse,
        rays.beside,
    )
    return np.flatnonzero(kept)


def _sizes(lengths: NDArray[np.float32], ndim: int) -> NDArray[np.float64]:
    """Area or volume of each star, up to a common factor."""
    return (lengths.astype(np.float64) ** ndim).sum(1)


def _shells(ndim: int) -> NDArray[np.float64]:
    """Fractions of a ray's length at the middles of parts of equal volume."""
    return ((np.arange(SHELLS) + 0.5) / SHELLS) ** (1 / ndim)


def _suppress_reference(
    centres: NDArray[np.floating], lengths: NDArray[np.floating], rays: Rays, threshold: float
) -> NDArray[np.intp]:
    """Compare every star with every better one that stayed: the slow, obvious version of `suppress`."""
    ndim = centres.shape[1]
    sizes = _sizes(np.asarray(lengths, np.float32), ndim)
    kept: list[int] = []
    for star in range(len(centres)):
        for other in kept:
            small, large = (star, other) if sizes[star] <= sizes[other] else (other, star)
            shared = 0.0
            for direction, length in zip(rays.directions, lengths[small], strict=True):
                for shell in _shells(ndim):
                    point = centres[small] - centres[large] + shell * length * direction
                    shared += _inside_reference(point, lengths[large], rays) * float(length) ** ndim / SHELLS
            if shared > threshold * sizes[small]:
                break
        else:
            kept.append(star)
    return np.array(kept, np.intp)
