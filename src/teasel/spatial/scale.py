"""How wide the spots of an image are: found from the brightest of them, along each axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["FALLBACK_PX", "estimate_sigmas"]

SIGMAS = np.geomspace(0.7, 4.0, 11)
FALLBACK_PX = 1.4
BRIGHTEST = 200
FEWEST = 3
ABOVE = 6.0  # deviations of the maxima above their median
WIDEST_Z = 6.0


def estimate_sigmas(samples: Sequence[NDArray[np.float32]]) -> tuple[float, ...] | None:
    """Estimate the width of the point spread function.

    A Laplacian of Gaussian, multiplied by its variance, answers a Gaussian spot most strongly when it is as wide as the
    spot. The brightest maxima in place and scale are taken, and the median of their scales. Along z, the answer of the
    planes above and below says how fast a spot fades.

    Parameters
    ----------
    samples : sequence of ndarray of float32, each ([z,] y, x)
        Parts of one image.

    Returns
    -------
    tuple of float or None
        Standard deviation along each axis in pixels, 0.7 to 4 in the plane; None if nothing stands out.

    References
    ----------
    Lindeberg 1998, doi:10.1023/A:1008045108935 (scale selection).

    Examples
    --------
    >>> from teasel.spatial.simulation import Scene, simulate
    >>> image = simulate((128, 128), Scene(sigma_px=1.8, detectability=40), seed=3).image
    >>> abs(estimate_sigmas([image])[0] - 1.8) < 0.15
    True
    """
    found = [_scales(plane, volume, k) for volume in samples for k, plane in enumerate(_planes(volume))]
    strengths = np.concatenate([f[0] for f in found])
    if len(strengths) < FEWEST:
        return None
    middle = np.median(strengths)
    bar = middle + ABOVE * 1.4826 * np.median(np.abs(strengths - middle))
    bar = max(bar, np.sort(strengths)[-min(BRIGHTEST, len(strengths))])
    chosen = strengths >= bar
    if chosen.sum() < FEWEST:
        return None
    plane_sigma = float(np.exp(np.median(np.concatenate([f[1] for f in found])[chosen])))
    if samples[0].ndim == 2:
        return (plane_sigma, plane_sigma)
    z_sigmas = np.concatenate([f[2] for f in found])[chosen]
    z_sigmas = z_sigmas[np.isfinite(z_sigmas)]
    z_sigma = float(np.median(z_sigmas)) if len(z_sigmas) >= FEWEST else plane_sigma
    return (float(np.clip(z_sigma, 0.5, WIDEST_Z)), plane_sigma, plane_sigma)


def _planes(volume: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
    """List the planes of a volume, or the one plane."""
    return list(volume) if volume.ndim == 3 else [volume]


def _scales(
    plane: NDArray[np.float32], volume: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return strength, log width and width along z of the maxima of one plane in place and scale."""
    from scipy.ndimage import gaussian_laplace, maximum_filter

    stack = np.stack([-s * s * gaussian_laplace(plane, s, mode="mirror") for s in SIGMAS])
    top = (stack == maximum_filter(stack, 3, mode="nearest")) & (stack > 0)
    top[[0, -1]] = False
    at = np.nonzero(top)
    middle = stack[at].astype(np.float64)
    below, above = (stack[(at[0] + d, *at[1:])].astype(np.float64) for d in (-1, 1))
    bend = below - 2 * middle + above
    shift = np.where(bend < 0, 0.5 * (below - above) / np.where(bend < 0, bend, -1.0), 0.0)
    log_width = np.log(SIGMAS[0]) + (at[0] + shift) * np.log(SIGMAS[1] / SIGMAS[0])
    if volume.ndim == 2:
        return middle, log_width, np.full(len(middle), np.nan)
    return middle, log_width, _fading(volume, k, at, middle)


def _fading(
    volume: NDArray[np.float32], k: int, at: tuple[NDArray[np.intp], ...], middle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the width along z from the answers one plane above and below; NaN where this plane is not the best."""
    from scipy.ndimage import gaussian_laplace

    width = np.full(len(middle), np.nan)
    if not 0 < k < len(volume) - 1 or not len(middle):
        return width
    beside = []
    for step in (-1, 1):
        stack = {
            i: -(SIGMAS[i] ** 2) * gaussian_laplace(volume[k + step], SIGMAS[i], mode="mirror") for i in set(at[0])
        }
        beside.append(np.array([stack[i][y, x] for i, y, x in zip(*at, strict=True)], np.float64))
    peak = (middle > beside[0]) & (middle > beside[1]) & (np.minimum(*beside) > 0)
    bend = 2 * np.log(middle[peak]) - np.log(beside[0][peak]) - np.log(beside[1][peak])
    width[peak] = 1 / np.sqrt(np.maximum(bend, 1e-3))
    return width
