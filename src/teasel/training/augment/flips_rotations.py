"""Flips and quarter turns, which lose nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from teasel.training.augment._base import Augmentation, Sample

__all__ = ["FlipsRotations"]


@dataclass(frozen=True)
class FlipsRotations(Augmentation):
    """Mirror every axis by chance and, where the plane is square, swap y and x: all 8 poses alike.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    """

    changes_labels: ClassVar[bool] = True

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample in one of its poses."""
        steps = rng.choice((-1, 1), sample.labels.ndim)
        flips = tuple(slice(None, None, int(step)) for step in steps)
        image, labels = sample.image[(slice(None), *flips)], sample.labels[flips]
        if labels.shape[-1] == labels.shape[-2] and rng.random() < 0.5:
            image, labels = image.swapaxes(-1, -2), labels.swapaxes(-1, -2)
        return Sample(image.copy(), labels.copy(), sample.colour)
