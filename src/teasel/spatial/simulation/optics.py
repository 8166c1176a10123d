"""What a point looks like through a microscope, and adding many of them to an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["add_spots", "widths_of"]

REACH = 4.0  # widths beyond which a spot is cut off
SKIRT = 2.5  # width of the ring-like skirt over that of the core


def add_spots(
    image: NDArray[np.float64],
    positions: NDArray[np.float64],
    heights: NDArray[np.float64],
    widths: NDArray[np.float64],
    *,
    angle: float = 0.0,
    halo: float = 0.0,
) -> NDArray[np.float64]:
    """Return the image with Gaussian or Airy-like spots added.

    Parameters
    ----------
    image : ndarray of float64, shape ([z,] y, x)
        What is there already.
    positions : ndarray of float64, shape (n, ndim)
        Centres in pixels.
    heights : ndarray of float64, shape (n,)
        Value at the centre.
    widths : ndarray of float64, shape (n, ndim)
        Standard deviation along each axis; the last two turned by `angle` in the plane.
    angle : float
        Radians.
    halo : float
        Share of the height in a skirt of 2.5 times the width.

    Returns
    -------
    ndarray of float64, shape ([z,] y, x)

    Examples
    --------
    >>> spot = add_spots(np.zeros((9, 9)), np.array([[4.0, 4.0]]), np.array([2.0]), np.array([[1.0, 1.0]]))
    >>> float(spot[4, 4])
    2.0
    """
    result = image.copy()
    turn = np.eye(image.ndim)
    turn[-2:, -2:] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    for position, height, width in zip(positions, heights, widths, strict=True):
        reach = REACH * (SKIRT if halo else 1) * np.full(image.ndim, width.max())
        reach[: image.ndim - 2] = REACH * width[: image.ndim - 2] * (SKIRT if halo else 1)
        low = np.maximum(np.floor(position - reach).astype(int), 0)
        high = np.minimum(np.ceil(position + reach).astype(int) + 1, image.shape)
        if (high <= low).any():
            continue
        window = tuple(map(slice, low, high))
        away = [np.arange(a, b) - p for a, b, p in zip(low, high, position, strict=True)]
        grid = np.meshgrid(*away, indexing="ij", sparse=True)
        turned = [sum(turn[i, j] * grid[j] for j in range(image.ndim) if turn[i, j]) for i in range(image.ndim)]
        squared = sum((part / w) ** 2 for part, w in zip(turned, width, strict=True))
        core = np.exp(-0.5 * squared)
        result[window] += height * ((1 - halo) * core + halo * np.exp(-0.5 * squared / SKIRT**2) if halo else core)
    return result


def widths_of(
    n: int, sigmas: tuple[float, ...], spread: float, ellipticity: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the widths of `n` spots, shape (n, ndim): broader or narrower as a whole, longer along one axis."""
    scale = np.exp(random.normal(0, 1, n) * spread)
    widths = scale[:, None] * np.array(sigmas)
    widths[:, -1] *= np.sqrt(ellipticity)
    widths[:, -2] /= np.sqrt(ellipticity)
    return widths
