"""Hot and dead pixels of the camera."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, log_uniform, uniform

__all__ = ["HotPixels"]


@dataclass(frozen=True)
class HotPixels(Augmentation):
    """Set a few pixels to very bright, or to dark.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    fraction : tuple of float
        Range of the share of pixels, drawn log-uniform.
    intensity : tuple of float
        Range of what is added to a hot pixel.
    dead : float
        Share of the pixels that become dark instead.
    """

    probability: float = 0.1
    fraction: Range = (1e-5, 1e-3)
    intensity: Range = (0.3, 1.5)
    dead: float = 0.2

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with at least one bad pixel."""
        image = sample.image.copy()
        n = max(1, round(image.size * log_uniform(rng, self.fraction)))
        where = rng.integers(image.size, size=n)
        flat = image.reshape(-1)
        flat[where] += np.float32(uniform(rng, self.intensity))
        flat[where[: int(n * self.dead)]] = min(0.0, float(image.min()))
        return replace(sample, image=image)
