"""Resample: images that were once smaller, along one axis or both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, log_uniform
from teasel.training.augment._fields import resize_planes

__all__ = ["Resample"]


@dataclass(frozen=True)
class Resample(Augmentation):
    """Shrink each plane and grow it back, so that detail is lost as in an upscaled image.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    factor : tuple of float
        Range of the factor, drawn log-uniform.
    anisotropic : float
        How often the two axes get factors of their own.
    """

    probability: float = 0.2
    factor: Range = (1.0, 4.0)
    anisotropic: float = 0.3

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample after a loss of resolution."""
        first = log_uniform(rng, self.factor)
        second = log_uniform(rng, self.factor) if rng.random() < self.anisotropic else first
        y, x = sample.image.shape[-2:]
        small = resize_planes(sample.image, (max(1, round(y / first)), max(1, round(x / second))))
        return replace(sample, image=resize_planes(small, (y, x), smooth=bool(rng.random() < 0.8)))
