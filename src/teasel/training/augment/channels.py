"""Channels: order, absence and stain strength."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Sample

__all__ = ["Channels"]


@dataclass(frozen=True)
class Channels(Augmentation):
    """Change what channels mean, differently for colour pictures and for stacks of stains.

    Colour pictures: each channel's optical density is scaled a little (stain and white balance), or all
    become their grey mean. Anything else with two channels or more: channels are permuted, or one becomes 0.
    Never a change of hue for fluorescence. One channel stays as it is.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    grey : float
        How often a colour picture becomes grey.
    stain_jitter : float
        Standard deviation of the logarithm of the density factors of a colour picture.
    drop : float
        How often a channel that is no colour becomes 0; otherwise the channels are permuted.
    """

    probability: float = 0.3
    grey: float = 0.3
    stain_jitter: float = 0.1
    drop: float = 0.2

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with changed channels."""
        if sample.colour:
            return self._stain(sample, rng)
        image, n = sample.image, len(sample.image)
        if n == 1:
            return sample
        if rng.random() < self.drop:
            image = image.copy()
            image[rng.integers(n)] = 0
            return replace(sample, image=image)
        return replace(sample, image=image[rng.permutation(n)])

    def _stain(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return a grey picture, or one whose densities are scaled: density is -log(intensity)."""
        if rng.random() < self.grey:
            grey = sample.image.mean(axis=0, keepdims=True)
            return replace(sample, image=np.repeat(grey, 3, axis=0))
        shape = (3, *(1,) * sample.labels.ndim)
        power = np.exp(self.stain_jitter * rng.standard_normal(shape)).astype(np.float32)
        return replace(sample, image=np.maximum(sample.image, 1e-3) ** power)
