"""Ways in which images go wrong: what a predicted score has to notice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Corruption = Callable[[Floats, np.random.Generator], Floats]


def blurred(image: Floats, rng: np.random.Generator) -> Floats:
    """Out of focus."""
    from scipy.ndimage import gaussian_filter

    sigma = rng.uniform(1.5, 7)
    return np.stack([gaussian_filter(one, sigma) for one in image])


def noisy(image: Floats, rng: np.random.Generator) -> Floats:
    """Too little light."""
    return (image + rng.uniform(0.1, 0.6) * rng.standard_normal(image.shape)).astype(np.float32)


def banded(image: Floats, rng: np.random.Generator) -> Floats:
    """Few grey levels: a dim image saved with 8 bits."""
    levels = int(rng.integers(3, 12))
    return (np.round(np.clip(image, 0, 1.2) * levels) / levels).astype(np.float32)


def saturated(image: Floats, rng: np.random.Generator) -> Floats:
    """Too much light."""
    return np.minimum(image, np.float32(np.quantile(image, rng.uniform(0.6, 0.95)))).astype(np.float32)


def uneven(image: Floats, rng: np.random.Generator) -> Floats:
    """Lit from one side."""
    y, x = np.mgrid[-1 : 1 : image.shape[1] * 1j, -1 : 1 : image.shape[2] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * x + np.sin(angle) * y
    return (image + rng.uniform(0.5, 2) * ramp).astype(np.float32)


def coarse(image: Floats, rng: np.random.Generator) -> Floats:
    """Reduced and enlarged again."""
    from teasel.inference.resample import resize

    factor = rng.uniform(0.12, 0.4)
    height, width = image.shape[1:]
    small = resize(image, (max(8, int(height * factor)), max(8, int(width * factor))))
    return resize(small, (height, width))


def shaken(image: Floats, rng: np.random.Generator) -> Floats:
    """Moved while it was taken."""
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(image, int(rng.integers(5, 25)), axis=int(rng.integers(1, 3)))


CORRUPTIONS: dict[str, Corruption] = {
    "blurred": blurred,
    "noisy": noisy,
    "banded": banded,
    "saturated": saturated,
    "uneven": uneven,
    "coarse": coarse,
    "shaken": shaken,
}
