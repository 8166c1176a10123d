"""Shifted sections: planes that were not aligned with their neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from teasel.training.augment._base import Augmentation, Sample

__all__ = ["ShiftedSections"]


@dataclass(frozen=True)
class ShiftedSections(Augmentation):
    """Move a few single planes of a volume within themselves; the rim is repeated. Planar images stay as they are.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    sections : int
        At most so many planes.
    shift_px : int
        At most so far along y and x.

    References
    ----------
    Lee et al. 2017, arXiv:1706.00120 (slip misalignment)
    """

    probability: float = 0.25
    sections: int = 3
    shift_px: int = 6

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with planes moved; labels stay, so that a network learns to see across the slip."""
        if sample.labels.ndim == 2:
            return sample
        depth, height, width = sample.labels.shape
        image = sample.image.copy()
        for z in rng.choice(depth, int(rng.integers(1, min(self.sections, depth) + 1)), replace=False):
            dy, dx = rng.integers(-self.shift_px, self.shift_px + 1, 2)
            rows = np.clip(np.arange(height) + dy, 0, height - 1)
            columns = np.clip(np.arange(width) + dx, 0, width - 1)
            image[:, z] = sample.image[:, z][:, rows[:, None], columns]
        return replace(sample, image=image)
