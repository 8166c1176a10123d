"""Another stain on a stained section: brown, pink or red, on cytoplasm, cell borders, fibres or some nuclei."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment import _stains
from teasel.training.augment._base import Augmentation, Range, Sample, uniform

__all__ = ["Counterstain"]


@dataclass(frozen=True)
class Counterstain(Augmentation):
    """Add a stain to a colour picture, as immunohistochemistry does; anything else stays as it is.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    density : tuple of float
        Range of the largest optical density (natural logarithm) of the stain.

    References
    ----------
    Ruifrok and Johnston 2001, Anal Quant Cytol Histol 23:291 (densities of stains).
    """

    probability: float = 0.4
    density: Range = (0.2, 2.5)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with one stain more."""
        if not sample.colour:
            return sample
        kind = _stains.PATTERNS[rng.integers(len(_stains.PATTERNS))]
        colour = _stains.colour_of(_stains.COUNTERSTAINS[rng.integers(len(_stains.COUNTERSTAINS))], rng)
        amount = np.float32(uniform(rng, self.density)) * _stains.pattern(kind, sample.labels, rng)
        return replace(sample, image=_stains.stretch(_stains.absorb(np.maximum(sample.image, 0), amount, colour)))
