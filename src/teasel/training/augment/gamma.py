"""Gamma: how brightness grows with the amount of light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, log_uniform

__all__ = ["Gamma"]


@dataclass(frozen=True)
class Gamma(Augmentation):
    """Raise intensities to a random power; 0 and 1 stay where they are.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    exponent : tuple of float
        Range of the power, drawn log-uniform.
    """

    probability: float = 0.5
    exponent: Range = (0.5, 2.0)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample under another gamma; values below 0 are mirrored."""
        exponent = np.float32(log_uniform(rng, self.exponent))
        return replace(sample, image=np.copysign(np.abs(sample.image) ** exponent, sample.image))
