"""Blobs: light from outside the focal plane, and debris, that are no objects."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from teasel.training.augment._base import Augmentation, Range, Sample, log_uniform, uniform

__all__ = ["Blobs"]


@dataclass(frozen=True)
class Blobs(Augmentation):
    """Add soft discs that carry no label: dark ones where the background is bright.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    count : tuple of int
        Range of the number of discs.
    radius_px : tuple of float
        Range of the radius, drawn log-uniform.
    softness : tuple of float
        Range of the width of the rim, as a share of the radius; never under 4 pixels.
    intensity : tuple of float
        Range of what is added in the middle.
    """

    probability: float = 0.15
    count: tuple[int, int] = (1, 4)
    radius_px: Range = (6.0, 50.0)
    softness: Range = (0.7, 1.6)
    intensity: Range = (0.05, 0.35)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with discs added in every plane."""
        image = sample.image.copy()
        sign = -1 if np.median(image[..., ::8, ::8]) > 0.5 else 1
        for _ in range(int(rng.integers(self.count[0], self.count[1] + 1))):
            radius = log_uniform(rng, self.radius_px)
            disc, box = _disc(image.shape[-2:], radius, max(4.0, radius * uniform(rng, self.softness)), rng)
            image[(Ellipsis, *box)] += np.float32(sign * uniform(rng, self.intensity)) * disc
        return replace(sample, image=image)


def _disc(
    shape: tuple[int, ...], radius: float, rim: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], tuple[slice, slice]]:
    """Return a soft ellipse of height 1 around a random point, and the box where it lies in the plane."""
    reach = 1.3 * radius + rim
    centre = [rng.uniform(0, n) for n in shape]
    box = tuple(slice(max(0, int(c - reach)), min(n, int(c + reach) + 1)) for c, n in zip(centre, shape, strict=True))
    stretch = log_uniform(rng, (0.75, 1.3))
    y, x = (np.arange(s.start, s.stop, dtype=np.float32) - c for s, c in zip(box, centre, strict=True))
    distance = np.hypot(y[:, None] * np.float32(stretch), x[None, :] / np.float32(stretch))
    t = np.clip((np.float32(radius + rim / 2) - distance) / np.float32(rim), 0, 1)
    return t * t * (3 - 2 * t), (box[0], box[1])
