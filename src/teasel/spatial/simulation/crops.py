"""Training examples by number: simulated images, normalised and varied, with the targets of a representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
    """Simulated crops by number; number 17 is always the same one.

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
    pool : int
        Number of images that are simulated; they come again turned, mirrored and in another range, which takes a tenth
        of the time. 0 simulates each crop anew.
    seed : int
        Another seed is another endless set.
    """

    representation: PointRepresentation
    backgrounds: Sequence[NDArray[np.generic]] = ()
    crop_px: int = 128
    real_share: float = 0.4
    percentiles: tuple[float, float] = (1.0, 99.8)
    pool: int = 0
    seed: int = 0
    _kept: dict[int, Simulated] = field(default_factory=dict, init=False, repr=False)

    def __call__(self, number: int) -> tuple[NDArray[np.float32], Fields]:
        """Return image ``(1, y, x)`` and targets of crop `number`."""
        random = np.random.default_rng([self.seed, number])
        made = self._from_pool(int(random.integers(self.pool))) if self.pool else self.simulated(random)
        image, points = _turned(normalise(made.image, self.percentiles), made.spots.positions_px, random)
        image = image * np.float32(np.exp(random.normal(0, 0.35))) + np.float32(random.normal(0, 0.08))
        targets = self.representation.encode(points, image.shape, made.weights)
        return np.ascontiguousarray(image[None], np.float32), targets

    def _from_pool(self, which: int) -> Simulated:
        """Return one image of the pool; it is simulated when first asked for."""
        if which not in self._kept:
            self._kept[which] = self.simulated(np.random.default_rng([self.seed, which, self.pool]))
        return self._kept[which]

    def simulated(self, random: np.random.Generator) -> Simulated:
        """Draw one image with its truth, before normalisation."""
        scene = random_scene(random)
        if random.random() < EMPTY_SHARE:
            scene = replace(scene, density=0.0)
        shape = (self.crop_px, self.crop_px)
        background = None
        if len(self.backgrounds) and random.random() < self.real_share:
            image = self.backgrounds[int(random.integers(len(self.backgrounds)))]
            background = real_background(image, shape, scene.sigma_px, random)
            if random.random() < 0.5:  # fainter or stronger against the ground than it was
                background = np.maximum(1 + (background - 1) * np.exp(random.normal(0, 0.5)), 0)
        return simulate(shape, scene, seed=random, background=background)


def _turned(
    image: NDArray[np.float32], points: NDArray[np.float64], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Mirror and turn a square image and its points at random."""
    points = points.copy()
    for axis in (0, 1):
        if random.random() < 0.5:
            image = np.flip(image, axis)
            points[:, axis] = image.shape[axis] - 1 - points[:, axis]
    if random.random() < 0.5:
        image, points = image.T, points[:, ::-1]
    return image, points


def normalise(image: NDArray[np.generic], percentiles: tuple[float, float]) -> NDArray[np.float32]:
    """Scale an image so that two of its percentiles become 0 and 1; a constant image becomes 0."""
    low, high = np.percentile(image.astype(np.float64), percentiles)
    return ((image - low) / max(high - low, 1e-6)).astype(np.float32)
