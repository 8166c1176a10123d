"""From light to numbers: point spread, uneven light, photons and read noise, and the range an image is kept in."""

from __future__ import annotations

import numpy as np

from teasel.training.simulation.fields import Floats, blur, smooth_noise

__all__ = ["expose", "in_range"]

Range = tuple[float, float]


def expose(
    light: Floats, rng: np.random.Generator, *, photons: Range = (30.0, 3000.0), blur_px: Range = (0.3, 1.2)
) -> Floats:
    """Take a picture: blur, light unevenly, count photons, add read noise, and bring each channel into range.

    Parameters
    ----------
    light : ndarray of float32, shape (c, y, x)
        Light, 0 or more.
    rng : Generator
        Source of chance.
    photons : tuple of float
        Range of the photons counted where the light is strong (99th percentile), drawn log-uniform.
    blur_px : tuple of float
        Range of the standard deviation of the point spread.

    Returns
    -------
    ndarray of float32, shape (c, y, x)
        See `in_range`.
    """
    pictures = []
    for plane in light:
        seen = blur(plane, rng.uniform(*blur_px))
        if rng.random() < 0.5:
            seen = seen * np.exp(rng.uniform(0, 0.25) * smooth_noise(seen.shape, max(seen.shape) * 0.8, rng))
        full = float(np.exp(rng.uniform(*np.log(photons)))) / max(float(np.percentile(seen[::2, ::2], 99)), 1e-6)
        counts = np.maximum(seen, 0) * np.float32(full)
        variance = counts + np.float32(rng.uniform(0, 3) ** 2)  # photons, and the camera's own
        pictures.append(counts + np.sqrt(variance) * rng.standard_normal(counts.shape, dtype=np.float32))
    return in_range(np.stack(pictures))


def in_range(image: Floats, low: float = 1.0, high: float = 99.8) -> Floats:
    """Map two percentiles of each channel to 0 and 1, as images are for a network; a constant channel becomes 0."""
    a, b = np.percentile(image, (low, high), axis=(1, 2), keepdims=True)
    return ((image - a) / np.maximum(b - a, 1e-6)).astype(np.float32)
