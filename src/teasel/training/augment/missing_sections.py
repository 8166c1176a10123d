"""Missing sections: planes lost in cutting or imaging."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, uniform

__all__ = ["MissingSections"]


@dataclass(frozen=True)
class MissingSections(Augmentation):
    """Fill whole or half planes of a volume with one grey value; planar images stay as they are.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    sections : int
        At most so many neighbouring planes.
    grey : tuple of float
        Range of the value they are filled with.
    partial : float
        How often only the part beyond a straight line is missing, in [0, 1].

    References
    ----------
    Lee et al. 2017, arXiv:1706.00120
    """

    probability: float = 0.25
    sections: int = 2
    grey: Range = (0.0, 1.0)
    partial: float = 0.5

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with planes missing; labels go on through them."""
        if sample.labels.ndim == 2:
            return sample
        depth, height, width = sample.labels.shape
        count = int(rng.integers(1, min(self.sections, depth) + 1))
        first = int(rng.integers(0, depth - count + 1))
        image = sample.image.copy()
        y, x = np.mgrid[:height, :width]
        angle = rng.uniform(0, 2 * np.pi)
        across = (y - rng.integers(0, height)) * np.sin(angle) + (x - rng.integers(0, width)) * np.cos(angle)
        gone = across > 0 if rng.random() < self.partial else np.ones((height, width), bool)
        image[:, first : first + count, gone] = uniform(rng, self.grey)
        return replace(sample, image=image)
