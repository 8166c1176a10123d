"""Local maxima of a filter's answer and what each looks like: all that decides whether it is a spot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Candidates", "find_maxima", "hessian_roundness", "refine_by_parabola"]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Local maxima of one image.

    Parameters
    ----------
    pixels : ndarray of int64, shape (n, ndim)
        Where the answer has its maximum.
    positions_px : ndarray of float64, shape (n, ndim)
        Where the spot is, between pixels.
    response : ndarray of float64, shape (n,)
        Answer of the filter.
    narrow, wide : ndarray of float64, shape (n,)
        Answers at the same pixel of filters 1.5 times narrower and wider.
    roundness : ndarray of float64, shape (n,)
        Weakest over strongest curvature: 1 for a round spot, 0 for a line, below 0 for a saddle.
    """

    pixels: NDArray[np.int64]
    positions_px: NDArray[np.float64]
    response: NDArray[np.float64]
    narrow: NDArray[np.float64]
    wide: NDArray[np.float64]
    roundness: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.response)


def find_maxima(response: NDArray[np.float32], lowest: float) -> NDArray[np.int64]:
    """Return the pixels (n, ndim) that are as high as all their neighbours and higher than `lowest`."""
    from scipy.ndimage import maximum_filter

    top = (response == maximum_filter(response, 3, mode="nearest")) & (response > lowest)
    return np.argwhere(top)


def _around(response: NDArray[np.float32], pixels: NDArray[np.int64], step: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the values one step away, mirrored at the border."""
    last = np.array(response.shape) - 1
    place = np.abs(pixels + step)
    place = np.where(place > last, 2 * last - place, place)
    return response[tuple(np.clip(place, 0, last).T)].astype(np.float64)


def refine_by_parabola(response: NDArray[np.float32], pixels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the way from each maximum to the top of the parabola through it and its neighbours, along each axis."""
    way = np.zeros(pixels.shape)
    middle = response[tuple(pixels.T)].astype(np.float64)
    for axis, step in enumerate(np.eye(response.ndim, dtype=np.int64)):
        low, high = _around(response, pixels, -step), _around(response, pixels, step)
        bend = low - 2 * middle + high
        moved = np.where(bend < 0, 0.5 * (low - high) / np.where(bend < 0, bend, -1.0), 0.0)
        way[:, axis] = np.clip(moved, -0.5, 0.5)
    return way


def hessian_roundness(response: NDArray[np.float32], pixels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weakest over strongest curvature in y and x at each maximum (of the plane through it in 3D)."""
    middle = response[tuple(pixels.T)].astype(np.float64)
    y, x = np.eye(response.ndim, dtype=np.int64)[-2:]
    curved = {}
    for name, step in (("yy", y), ("xx", x)):
        curved[name] = _around(response, pixels, -step) - 2 * middle + _around(response, pixels, step)
    corners = (_around(response, pixels, s * y + t * x) * s * t for s in (-1, 1) for t in (-1, 1))
    mixed = sum(corners) / 4
    mean, half = (curved["yy"] + curved["xx"]) / 2, (curved["yy"] - curved["xx"]) / 2
    spread = np.sqrt(half**2 + mixed**2)
    return np.asarray((mean + spread) / np.minimum(mean - spread, -1e-12))
