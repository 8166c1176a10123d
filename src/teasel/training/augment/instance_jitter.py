"""Instance jitter: neighbours of unlike brightness."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample
from teasel.training.augment._objects import background_level

__all__ = ["InstanceJitter"]


@dataclass(frozen=True)
class InstanceJitter(Augmentation):
    """Scale how far each object stands out from the background by a factor of its own.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    factor : tuple of float
        Range of the factor, drawn log-uniform for each object.

    References
    ----------
    Lee et al., MEDIAR: harmony of data-centric and model-centric for multi-modality microscopy (2022),
    doi 10.48550/arXiv.2212.03465 (cell-wise intensity perturbation).
    """

    probability: float = 0.25
    factor: Range = (0.35, 1.4)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with objects brightened and dimmed."""
        from scipy import ndimage

        labels = np.maximum(sample.labels, 0)
        n = int(labels.max(initial=0))
        if n == 0:
            return sample
        low, high = np.log(self.factor)
        table = np.exp(rng.uniform(low, high, n + 1)).astype(np.float32)
        table[0] = 1
        # A camera never shows a step at the outline: let the factor fade over a pixel.
        size = (1,) * (labels.ndim - 2) + (3, 3)
        factor = ndimage.uniform_filter(table[labels], size, mode="nearest")
        level = background_level(sample.image, sample.labels)
        return replace(sample, image=(sample.image - level) * factor + level)
