"""JPEG: the blocks and ringing of compressed pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from teasel.training.augment._base import Augmentation, Sample

__all__ = ["Jpeg"]


@dataclass(frozen=True)
class Jpeg(Augmentation):
    """Pass each plane through JPEG: colour pictures as colour, anything else channel by channel.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    quality : tuple of int
        Range of the quality setting, in 1 .. 95.
    """

    probability: float = 0.15
    quality: tuple[int, int] = (30, 90)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample after compression; the range of its values becomes 8 bits."""
        quality = int(rng.integers(self.quality[0], self.quality[1] + 1))
        image = sample.image
        low, high = image.min(), image.max()
        step = (high - low) / np.float32(255)
        if step <= 0:
            return sample
        coded = ((image - low) / step + np.float32(0.5)).astype(np.uint8)
        planes = coded.reshape(3, -1, *coded.shape[-2:]).transpose(1, 2, 3, 0) if sample.colour else coded
        planes = planes if sample.colour else planes.reshape(-1, *coded.shape[-2:])
        decoded = np.stack([_compress(plane, quality) for plane in planes])
        decoded = decoded.transpose(3, 0, 1, 2) if sample.colour else decoded
        return replace(sample, image=decoded.reshape(image.shape).astype(np.float32) * step + low)


def _compress(plane: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Encode and decode one (y, x) or (y, x, 3) picture."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(plane)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
