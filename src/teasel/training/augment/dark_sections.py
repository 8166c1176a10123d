"""Dark sections: planes darker or brighter, flatter or starker than their neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, uniform

__all__ = ["DarkSections"]


@dataclass(frozen=True)
class DarkSections(Augmentation):
    """Change brightness and contrast of single planes of a volume; planar images stay as they are.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    share : tuple of float
        Range of the share of planes that are changed, in [0, 1].
    brightness : tuple of float
        Range of what is added.
    contrast : tuple of float
        Range of the factor about the plane's mean.

    References
    ----------
    Lee et al. 2017, arXiv:1706.00120
    """

    probability: float = 0.4
    share: Range = (0.05, 1.0)
    brightness: Range = (-0.25, 0.15)
    contrast: Range = (0.6, 1.3)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with some planes darkened or brightened."""
        if sample.labels.ndim == 2:
            return sample
        image = sample.image.copy()
        share = uniform(rng, self.share)
        for z in np.flatnonzero(rng.random(sample.labels.shape[0]) < share):
            mean = image[:, z].mean()
            image[:, z] = (image[:, z] - mean) * uniform(rng, self.contrast) + mean + uniform(rng, self.brightness)
        return replace(sample, image=image)
