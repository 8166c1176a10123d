"""Local shape descriptors: what each pixel's object looks like around it, a second thing to learn beside affinities."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError

__all__ = ["local_shape_descriptors", "n_descriptors"]


def n_descriptors(ndim: int) -> int:
    """Return how many descriptors there are in `ndim` dimensions: 6 in a plane, 10 in a volume."""
    return 1 + ndim + ndim + ndim * (ndim - 1) // 2


def local_shape_descriptors(
    labels: NDArray[np.integer], sigma_px: float | Sequence[float], *, stride: int = 1
) -> NDArray[np.float32]:
    """Describe, at each pixel of an object, the part of the object that lies near: its size, centre and extent.

    Each object is weighed by a Gaussian around the pixel. Moments are taken about the pixel itself, axis by axis,
    so that the work is a handful of small matrix products for all objects together.

    Parameters
    ----------
    labels : ndarray of integer, shape ([z,] y, x)
        0 background, above 0 objects, -1 unknown.
    sigma_px : float or sequence of float
        Standard deviation of the Gaussian, in pixels, for all axes or one for each.
    stride : int
        Compute on every `stride`-th pixel along each axis and repeat: descriptors are smooth, and it is faster.

    Returns
    -------
    ndarray of float32, shape (d, [z,] y, x)
        In order, all in [0, 1]: from the pixel to the centre of mass along each axis (0.5 is here; 0 and 1 are two
        sigma away), variance along each axis (1 is sigma squared), correlation of each pair of axes (0.5 is none),
        and the Gaussian's share inside the object. NaN outside objects.

    Raises
    ------
    ParameterError
        If sigma or stride is not positive.

    References
    ----------
    Sheridan et al. 2022, doi:10.1038/s41592-022-01711-z

    Examples
    --------
    >>> found = local_shape_descriptors(np.ones((9, 9), int), 2.0)
    >>> found.shape, found[:2, 4, 4].round(3).tolist()
    ((6, 9, 9), [0.5, 0.5])
    """
    ndim = labels.ndim
    sigma = np.broadcast_to(np.asarray(sigma_px, float), (ndim,))
    if not (sigma > 0).all() or stride < 1:
        raise ParameterError(f"sigma_px is {sigma_px}, stride {stride}; expected numbers above 0")
    coarse = labels[(slice(None, None, stride),) * ndim]
    ids = np.unique(coarse[coarse > 0])
    result = np.full((n_descriptors(ndim), *coarse.shape), np.nan, np.float32)
    if len(ids):
        inside = coarse > 0
        owner = np.searchsorted(ids, coarse[inside])
        moments = _moments(coarse, ids, sigma / stride)
        own = {order: moment[(owner, *np.nonzero(inside))] for order, moment in moments.items()}
        result[:, inside] = _describe(own, sigma / stride)
    for axis, n in enumerate(labels.shape):
        result = result.repeat(stride, axis=1 + axis).take(np.arange(n), axis=1 + axis) if stride > 1 else result
    result[:, labels <= 0] = np.nan
    return result


def _moments(
    labels: NDArray[np.integer], ids: NDArray[np.integer], sigma: NDArray[np.float64]
) -> dict[tuple[int, ...], NDArray[np.float32]]:
    """Return Gaussian moments about every pixel, of total order 0 to 2, for every object: (objects, [z,] y, x)."""
    partial: dict[tuple[int, ...], NDArray[np.float32]] = {
        (): (labels[None] == ids.reshape(-1, *(1,) * labels.ndim)).astype(np.float32)
    }
    for axis, n in enumerate(labels.shape):
        away = np.arange(n)[None] - np.arange(n)[:, None]
        weight = np.exp(-0.5 * (away / sigma[axis]) ** 2) / (sigma[axis] * np.sqrt(2 * np.pi))
        matrices = [(weight * away**order).astype(np.float32) for order in range(3)]
        partial = {
            (*done, order): np.moveaxis(np.tensordot(matrices[order], array, (1, 1 + axis)), 0, 1 + axis)
            for (done, array), order in product(partial.items(), range(3))
            if sum(done) + order <= 2
        }
    return partial


def _describe(own: dict[tuple[int, ...], NDArray[np.float32]], sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the moments of the pixel's own object, (pixels,) each, into descriptors, (d, pixels)."""
    ndim = len(sigma)
    unit = np.eye(ndim, dtype=int)
    mass = own[(0,) * ndim].astype(float)
    centre = [own[tuple(unit[a])] / mass for a in range(ndim)]
    variance = [np.maximum(own[tuple(2 * unit[a])] / mass - centre[a] ** 2, 1e-6) for a in range(ndim)]
    rows = [0.5 + 0.25 * centre[a] / sigma[a] for a in range(ndim)]
    rows += [variance[a] / sigma[a] ** 2 for a in range(ndim)]
    for a in range(ndim):
        for b in range(a + 1, ndim):
            together = own[tuple(unit[a] + unit[b])] / mass - centre[a] * centre[b]
            rows.append(0.5 + 0.5 * together / np.sqrt(variance[a] * variance[b]))
    return np.clip([*rows, mass], 0, 1)
