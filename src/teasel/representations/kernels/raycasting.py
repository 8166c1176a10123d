"""Length of rays from points inside objects to where they leave them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.representations.grid import as_int32
from teasel.representations.kernels import compiled

__all__ = ["ray_lengths"]


def ray_lengths(
    labels: NDArray[np.integer],
    points: NDArray[np.floating],
    directions: NDArray[np.floating],
    spacing: Sequence[float],
    *,
    cut_is_nan: bool = False,
) -> NDArray[np.float32]:
    """Follow rays pixel face by pixel face until the label changes.

    Parameters
    ----------
    labels : ndarray of int, shape ([z,] y, x)
        Label image.
    points : ndarray of float, shape (n_points, ndim)
        Where rays start, in pixels; the label there (rounded, halves up) is the ray's object.
    directions : ndarray of float, shape (n_rays, ndim)
        Unit vectors in units of length.
    spacing : sequence of float
        Edge lengths of a pixel.
    cut_is_nan : bool
        Give NaN rather than the length up to the image border for rays that leave the image.

    Returns
    -------
    ndarray of float32, shape (n_points, n_rays)
        Lengths in the unit of `spacing`, exact to the pixel face.

    References
    ----------
    Amanatides and Woo 1987, doi:10.2312/egtp.19871000
    """
    padded = np.pad(as_int32(labels), 1, constant_values=_OUTSIDE)
    strides = np.cumprod((1, *padded.shape[:0:-1]))[::-1].astype(np.int64)
    steps = np.ascontiguousarray(directions, np.float64) / np.asarray(spacing, np.float64)  # pixels per unit of length
    starts = np.ascontiguousarray(points, np.float64).reshape(-1, labels.ndim) + 1
    top = np.array(labels.shape, np.float64)
    return _cast(padded.ravel(), strides, top, starts, np.ascontiguousarray(steps), cut_is_nan)


_OUTSIDE = np.iinfo(np.int32).min


@compiled
def _cast(labels, strides, top, starts, steps, cut_is_nan):
    """Walk from pixel to pixel through the nearest face (Amanatides and Woo)."""
    ndim = len(strides)
    lengths = np.empty((len(starts), len(steps)), np.float32)
    cell = np.empty(ndim, np.float64)
    nearest = np.empty(ndim, np.float64)  # length at which the next face of each axis is met
    for i in range(len(starts)):
        home = np.int64(0)
        for d in range(ndim):
            cell[d] = min(max(np.floor(starts[i, d] + 0.5), 1.0), top[d])
            home += np.int64(cell[d]) * strides[d]
        for k in range(len(steps)):
            for d in range(ndim):
                nearest[d] = np.inf
                if steps[k, d] > 1e-9:
                    nearest[d] = max((cell[d] + 0.5 - starts[i, d]) / steps[k, d], 0.0)
                elif steps[k, d] < -1e-9:
                    nearest[d] = max((cell[d] - 0.5 - starts[i, d]) / steps[k, d], 0.0)
            p = home
            length = 0.0
            while labels[p] == labels[home]:
                axis = 0
                for d in range(1, ndim):
                    if nearest[d] < nearest[axis]:
                        axis = d
                length = nearest[axis]
                if steps[k, axis] > 0:
                    p += strides[axis]
                    nearest[axis] += 1.0 / steps[k, axis]
                else:
                    p -= strides[axis]
                    nearest[axis] -= 1.0 / steps[k, axis]
            lengths[i, k] = np.nan if cut_is_nan and labels[p] == _OUTSIDE else length
    return lengths


def _lengths_reference(
    labels: NDArray[np.integer],
    points: NDArray[np.floating],
    directions: NDArray[np.floating],
    spacing: Sequence[float],
    step: float = 0.01,
) -> NDArray[np.float32]:
    """Creep along each ray in tiny steps: the slow, obvious version of `ray_lengths`, exact to `step`."""
    lengths = np.zeros((len(points), len(directions)), np.float32)
    top = np.array(labels.shape)
    for i, point in enumerate(points):
        own = labels[tuple(np.clip(np.floor(point + 0.5).astype(int), 0, top - 1))]
        for k, direction in enumerate(directions):
            while True:
                pixel = np.floor(point + lengths[i, k] * direction / np.asarray(spacing) + 0.5).astype(int)
                if (pixel < 0).any() or (pixel >= top).any() or labels[tuple(pixel)] != own:
                    break
                lengths[i, k] += step
    return lengths
