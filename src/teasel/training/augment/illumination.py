"""Uneven light: a slow multiplicative field and a sloping background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, uniform
from teasel.training.augment._fields import smooth_field

__all__ = ["Illumination"]


@dataclass(frozen=True)
class Illumination(Augmentation):
    """Multiply by a smooth field (shading) and add a background that slopes and bends (stray light, haze).

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    shading : tuple of float
        Range of the largest natural logarithm of the multiplicative field.
    background : tuple of float
        Range of the height of the added background.
    cells : int
        Most cells of the random grid along each axis: 1 is a plain slope.
    """

    probability: float = 0.35
    shading: Range = (0.0, 0.6)
    background: Range = (0.0, 0.25)
    cells: int = 3

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample under uneven light."""
        shape = sample.labels.shape
        shading = smooth_field(shape, int(rng.integers(1, self.cells + 1)), rng)
        shading *= uniform(rng, self.shading)
        background = smooth_field(shape, int(rng.integers(1, self.cells + 1)), rng)
        background = (background + 1) * np.float32(uniform(rng, self.background) / 2)
        # A bright field cannot be lit beyond its light source: there the background takes light away.
        sign = np.float32(-1 if np.median(sample.image[..., ::8, ::8]) > 0.5 else 1)
        return replace(sample, image=sample.image * np.exp(shading) + sign * background)
