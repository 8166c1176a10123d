"""Inversion: dark objects on a bright ground, and the other way round."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Sample

__all__ = ["Inversion"]


@dataclass(frozen=True)
class Inversion(Augmentation):
    """Turn intensities over: 1 becomes 0. Colour pictures are left alone: no microscope gives their negative.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    """

    probability: float = 0.15

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the negative."""
        return sample if sample.colour else replace(sample, image=1 - sample.image)
