"""Noise of light and camera."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from teasel.training.augment._base import Augmentation, Range, Sample, log_uniform, uniform

__all__ = ["Noise"]


@dataclass(frozen=True)
class Noise(Augmentation):
    """Add shot noise (Poisson), read noise and additive Gaussian noise.

    Poisson plus Gaussian values are drawn in one go through the generalised Anscombe transform, in which
    they have unit variance: skewed as counts are, and several times faster than drawing counts.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    photons : tuple of float
        Range of the photons counted at intensity 1, drawn log-uniform.
    read_noise : tuple of float
        Range of the standard deviation of read noise, in photons.
    gaussian : tuple of float
        Range of the standard deviation of noise that does not depend on the light, in intensity.

    References
    ----------
    Starck, Murtagh and Bijaoui, Image Processing and Data Analysis: The Multiscale Approach (1998),
    doi 10.1017/CBO9780511564352 (generalised Anscombe transform).
    """

    probability: float = 0.5
    photons: Range = (20.0, 2000.0)
    read_noise: Range = (0.0, 3.0)
    gaussian: Range = (0.0, 0.03)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with noise; what lies below 0 gives no light and is kept as an offset."""
        photons = log_uniform(rng, self.photons)
        variance = uniform(rng, self.read_noise) ** 2 + (uniform(rng, self.gaussian) * photons) ** 2
        offset = np.float32(variance + 3 / 8)
        image = sample.image
        dark = np.minimum(image, 0)
        root = (image - dark) * np.float32(photons)
        root += offset
        np.sqrt(root, out=root)
        root += _half_noise(image.shape, rng)
        root *= root
        # The square of a root with variance 1/4 is that much too large on average.
        root -= offset + np.float32(0.25)
        root /= np.float32(photons)
        root += dark
        return replace(sample, image=root)


def _half_noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw normal noise of deviation 1/2; channels share one draw, each rolled by a random distance."""
    noise = np.empty(shape, np.float32)
    first = rng.standard_normal(int(np.prod(shape[1:])), dtype=np.float32)
    first *= np.float32(0.5)
    for channel in noise.reshape(shape[0], -1):
        start = rng.integers(first.size)
        channel[: first.size - start] = first[start:]
        channel[first.size - start :] = first[:start]
    return noise
