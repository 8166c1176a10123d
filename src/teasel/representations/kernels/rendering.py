"""Stars to pixels: polygons and polyhedra in one form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.representations.kernels.stars import _inside_reference, paint_stars
from teasel.representations.rays import Rays

__all__ = ["render_stars"]


def render_stars(
    centres: NDArray[np.floating],
    lengths: NDArray[np.floating],
    rays: Rays,
    shape: tuple[int, ...],
    spacing: Sequence[float],
) -> NDArray[np.int32]:
    """Paint stars into a label image; where they overlap, the first keeps the pixel.

    Parameters
    ----------
    centres : ndarray of float, shape (n, ndim)
        In pixels.
    lengths : ndarray of float, shape (n, n_rays)
        Ray lengths above 0, in the unit of `spacing`.
    rays : Rays
        Directions of the rays.
    shape : tuple of int
        Of the label image.
    spacing : sequence of float
        Edge lengths of a pixel.

    Returns
    -------
    ndarray of int32, shape `shape`
        Star ``i`` is label ``i + 1``; 0 elsewhere.
    """
    labels = np.zeros(shape, np.int32)
    paint_stars(
        labels.ravel(),
        np.array(shape, np.int64),
        np.ascontiguousarray(centres, np.float64),
        np.ascontiguousarray(lengths, np.float32),
        np.asarray(spacing, np.float64),
        rays.facets,
        rays.inverse,
        rays.beside,
    )
    return labels


def _render_reference(
    centres: NDArray[np.floating],
    lengths: NDArray[np.floating],
    rays: Rays,
    shape: tuple[int, ...],
    spacing: Sequence[float],
) -> NDArray[np.int32]:
    """Ask every pixel about every star: the slow, obvious version of `render_stars`."""
    labels = np.zeros(shape, np.int32)
    for pixel in np.ndindex(shape):
        for star, centre in enumerate(centres):
            point = (np.array(pixel) - centre) * np.asarray(spacing)
            if labels[pixel] == 0 and _inside_reference(point, lengths[star], rays):
                labels[pixel] = star + 1
    return labels
