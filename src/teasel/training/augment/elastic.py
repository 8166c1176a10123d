"""Elastic warps: tissue is soft, and sections stretch where they are cut and laid down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from teasel.training.augment._base import Augmentation, Range, Sample, uniform
from teasel.training.augment._fields import smooth_field

__all__ = ["Elastic"]


@dataclass(frozen=True)
class Elastic(Augmentation):
    """Bend image and labels together along smooth random fields.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    shift_px : tuple of float
        Range of the largest shift, in pixels.
    cells : int
        The field varies over a `cells`-th of each axis.
    within_planes : bool
        Shift along y and x only, as sections are bent; the field still changes from plane to plane.
    """

    changes_labels: ClassVar[bool] = True

    probability: float = 0.4
    shift_px: Range = (1.0, 6.0)
    cells: int = 3
    within_planes: bool = False

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the bent sample; what comes from beyond the edge is mirrored. Intensities linear, labels nearest."""
        from scipy import ndimage

        shape = sample.labels.shape
        strength = np.float32(uniform(rng, self.shift_px))
        where = [
            np.arange(n, dtype=np.float32).reshape([-1 if a == b else 1 for b in range(len(shape))])
            for a, n in enumerate(shape)
        ]
        still = len(shape) - 2 if self.within_planes else 0
        moved = [
            np.broadcast_to(w, shape)
            if axis < still
            else w + np.float32(strength) * smooth_field(shape, self.cells, rng)
            for axis, w in enumerate(where)
        ]
        image = np.stack([ndimage.map_coordinates(p, moved, order=1, mode="mirror") for p in sample.image])
        labels = ndimage.map_coordinates(sample.labels, moved, order=0, mode="mirror")
        return Sample(image.astype(np.float32), labels.astype(np.int32), sample.colour)
