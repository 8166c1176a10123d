"""Fluorescence turned into a stained section: the same nuclei, blue on white, with pink or brown around them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from teasel.training.augment import _stains
from teasel.training.augment._base import Sample
from teasel.training.augment._fields import smooth_field

__all__ = ["section"]


def section(sample: Sample, rng: np.random.Generator) -> Sample:
    """Render the objects of a fluorescence image as if haematoxylin had stained them.

    What shines becomes what absorbs, in the colour of haematoxylin, on a ground of eosin or of nothing.

    Parameters
    ----------
    sample : Sample
        With one channel, in which objects are bright; any other is returned as it is.
    rng : Generator
        Draws strengths, colours and textures.

    Returns
    -------
    Sample
        With three channels, red, green and blue, and the same labels.
    """
    image, inside = sample.image[0], sample.labels > 0
    if len(sample.image) != 1 or not inside.any() or inside.all() or image[inside].mean() < image[~inside].mean() + 0.1:
        return sample
    shape = sample.labels.shape
    ground = 1 + 0.6 * smooth_field(shape, int(rng.integers(8, 64)), rng) + 0.4 * smooth_field(shape, 3, rng)
    nuclei = np.clip(image, 0, 1.3) * np.float32(rng.uniform(0.5, 2.0))
    white = np.full((3, *shape), 1.0, np.float32)
    blue = _stains.absorb(white, nuclei, _stains.colour_of("haematoxylin", rng))
    ground = np.clip(ground, 0, None).astype(np.float32) * np.float32(rng.uniform(0, 0.6))
    stain = ("eosin", "haematoxylin")[rng.integers(2)]
    both = _stains.absorb(blue, ground, _stains.colour_of(stain, rng))
    return replace(sample, image=_stains.stretch(both), colour=True)
