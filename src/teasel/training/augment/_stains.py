"""Light absorbed by stains: amounts in patterns that follow cells, and colours by the law of Lambert and Beer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from teasel.training.augment._fields import smooth_field

__all__ = ["absorb", "colour_of", "pattern", "stretch"]

Floats = NDArray[np.float32]

#: Optical density per channel (red, green, blue): the vectors of Ruifrok and Johnston 2001 (Anal Quant Cytol Histol
#: 23:291) for haematoxylin, DAB and eosin, and a red chromogen.
STAINS = {
    "haematoxylin": (0.65, 0.70, 0.29),
    "dab": (0.27, 0.57, 0.78),
    "eosin": (0.07, 0.99, 0.11),
    "red": (0.21, 0.85, 0.48),
}
COUNTERSTAINS = ("dab", "dab", "eosin", "red")
PATTERNS = ("cytoplasm", "membrane", "nuclei", "fibres")


def colour_of(stain: str, rng: np.random.Generator, jitter: float = 0.08) -> Floats:
    """Return the density vector of a stain, a little off as stains are, of length 1."""
    vector = np.clip(np.asarray(STAINS[stain]) + jitter * rng.standard_normal(3), 0.02, None)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def absorb(image: Floats, amount: Floats, colour: Floats) -> Floats:
    """Let a stain of `amount` (..., y, x) take its part of the light of `image` (3, ..., y, x)."""
    return image * np.exp(-colour.reshape(3, *(1,) * amount.ndim) * amount)


def stretch(image: Floats) -> Floats:
    """Map percentiles 1 and 99.8 to 0 and 1 again, as every image is given to a network."""
    low, high = np.percentile(image[..., ::2, ::2], (1, 99.8))
    return ((image - low) / max(high - low, 1e-3)).astype(np.float32)


def pattern(kind: str, labels: NDArray[np.int32], rng: np.random.Generator) -> Floats:
    """Draw where a stain lies, 0 to about 1: in the cytoplasm, at cell borders, in some nuclei, or in fibres.

    Cells are the pixels nearest to each object. A smooth region of the image, or all of it, takes part.
    """
    shape = labels.shape
    region = smooth_field(shape, int(rng.integers(1, 5)), rng) + np.float32(rng.uniform(-0.4, 1.2))
    amount = np.clip(3 * region, 0, 1)
    amount *= 1 + np.float32(rng.uniform(0, 0.5)) * smooth_field(shape, int(rng.integers(16, 64)), rng)
    inside = labels > 0
    if kind == "fibres" or not inside.any():
        wave = smooth_field(shape, int(rng.integers(4, 24)), rng)
        return amount * np.exp(-((wave / np.float32(rng.uniform(0.05, 0.3))) ** 2))
    if kind == "nuclei":
        chosen = rng.random(int(labels.max()) + 1) < rng.uniform(0.1, 0.9)
        strength = (chosen * rng.uniform(0.4, 1.0, chosen.size)).astype(np.float32)
        return amount * strength[np.maximum(labels, 0)] * inside
    distance, nearest = distance_transform_edt(~inside, return_indices=True)
    within = np.where(inside, np.float32(rng.uniform(0, 0.5)), 1).astype(np.float32)
    reach = np.float32(rng.uniform(4, 40))
    cytoplasm = amount * within * np.exp(-((distance.astype(np.float32) / reach) ** 2))
    if kind == "cytoplasm":
        return cytoplasm
    owner = labels[tuple(nearest)]
    edge = np.zeros(shape, bool)
    for axis in range(labels.ndim - 2, labels.ndim):
        step = np.diff(owner, axis=axis) != 0
        edge[(slice(None),) * axis + (slice(1, None),)] |= step
    from_edge = distance_transform_edt(~edge).astype(np.float32)
    line = np.exp(-((from_edge / np.float32(rng.uniform(0.7, 3))) ** 2))
    return np.maximum(np.float32(rng.uniform(0, 0.6)) * cytoplasm, amount * line)
