"""Contrast and brightness, together and a little apart in each channel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, log_uniform, uniform

__all__ = ["ContrastBrightness"]


@dataclass(frozen=True)
class ContrastBrightness(Augmentation):
    """Stretch intensities about their mean and shift them.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    contrast : tuple of float
        Range of the factor, drawn log-uniform.
    brightness : tuple of float
        Range of what is added.
    channel_spread : float
        Each channel differs from the common draw by this share of it (standard deviation); 0 for colour
        pictures, whose colour balance `Channels` changes.
    """

    probability: float = 0.5
    contrast: Range = (0.6, 1.6)
    brightness: Range = (-0.15, 0.15)
    channel_spread: float = 0.15

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with another contrast and brightness."""
        image = sample.image
        shape = (len(image), *(1,) * (image.ndim - 1))
        spread = 0.0 if sample.colour else self.channel_spread
        own = np.exp(spread * rng.standard_normal(shape))
        factor = (log_uniform(rng, self.contrast) * own).astype(np.float32)
        shift = np.float32(uniform(rng, self.brightness))
        mean = image.mean(axis=tuple(range(1, image.ndim)), keepdims=True)
        return replace(sample, image=image * factor + (mean * (1 - factor) + shift))
