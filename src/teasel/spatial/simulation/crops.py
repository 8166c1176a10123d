"""Training examples by number: simulated images, normalised and varied, with the targets of a representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from teasel.representations import Fields, PointRepresentation
from teasel.spatial.simulation.background import real_background
from teasel.spatial.simulation.scene import random_scene
from teasel.spatial.simulation.simulate import Simulated, simulate

__all__ = ["SimulatedCrops"]

EMPTY_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class SimulatedCrops:
    """Endless simulated crops; number 17 is always the same one.

    Parameters
    ----------
    representation : PointRepresentation
        Encodes the spots.
    backgrounds : sequence of ndarray, each (y, x)
        Real images; whatever is as small as a spot is taken away before spots are added.
    crop_px : int
        Edge length in pixels.
    real_share : float
        Share of crops over a real background, if there are any.
    percentiles : tuple of two float
        Of each crop, become 0 and 1, before the range is varied.
    seed : int
        Another seed is another endless set.
    """

    representation: PointRepresentation
    backgrounds: Sequence[NDArray[np.generic]] = ()
    crop_px: int = 128
    real_share: float = 0.4
    percentiles: tuple[float, float] = (1.0, 99.8)
    seed: int = 0

    def __call__(self, number: int) -> tuple[NDArray[np.float32], Fields]:
        """Return image ``(1, y, x)`` and targets of crop `number`."""
        random = np.random.default_rng([self.seed, number])
        made = self.simulated(random)
        image = normalise(made.image, self.percentiles)
        image = image * np.float32(np.exp(random.normal(0, 0.35))) + np.float32(random.normal(0, 0.08))
        targets = self.representation.encode(made.spots.positions_px, made.image.shape, made.weights)
        return image[None].astype(np.float32), targets

    def simulated(self, random: np.random.Generator) -> Simulated:
        """Draw one image with its truth, before normalisation."""
        scene = random_scene(random)
        if random.random() < EMPTY_SHARE:
            scene = replace(scene, density=0.0)
        shape = (self.crop_px, self.crop_px)
        background = None
        if len(self.backgrounds) and random.random() < self.real_share:
            image = self.backgrounds[random.integers(len(self.backgrounds))]
            background = real_background(image, shape, scene.sigma_px, random)
            if random.random() < 0.5:  # fainter or stronger against the ground than it was
                background = np.maximum(1 + (background - 1) * np.exp(random.normal(0, 0.5)), 0)
        return simulate(shape, scene, seed=random, background=background)


def normalise(image: NDArray[np.generic], percentiles: tuple[float, float]) -> NDArray[np.float32]:
    """Scale an image so that two of its percentiles become 0 and 1; a constant image becomes 0."""
    low, high = np.percentile(image, percentiles)
    return ((image - low) / max(high - low, 1e-6)).astype(np.float32)
