"""Blurred sections: planes imaged out of focus."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, uniform

__all__ = ["BlurredSections"]


@dataclass(frozen=True)
class BlurredSections(Augmentation):
    """Blur a few single planes of a volume; planar images stay as they are.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    sections : int
        At most so many planes.
    sigma_px : tuple of float
        Range of the standard deviation of the Gaussian.

    References
    ----------
    Lee et al. 2017, arXiv:1706.00120
    """

    probability: float = 0.25
    sections: int = 3
    sigma_px: Range = (0.7, 2.5)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with some planes out of focus."""
        from scipy.ndimage import gaussian_filter

        if sample.labels.ndim == 2:
            return sample
        depth = sample.labels.shape[0]
        image = sample.image.copy()
        for z in rng.choice(depth, int(rng.integers(1, min(self.sections, depth) + 1)), replace=False):
            sigma = uniform(rng, self.sigma_px)
            image[:, z] = gaussian_filter(image[:, z], (0, sigma, sigma))
        return replace(sample, image=image)
