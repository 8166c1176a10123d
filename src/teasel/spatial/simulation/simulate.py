"""Draw a scene: an image, and where its spots are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ShapeError
from teasel.spatial.simulation.background import draw_background
from teasel.spatial.simulation.camera import noise_of, take_picture
from teasel.spatial.simulation.optics import add_spots, widths_of
from teasel.spatial.simulation.places import draw_places, merge_close
from teasel.spatial.simulation.scene import Scene
from teasel.spatial.spots import Spots

__all__ = ["Simulated", "simulate"]

SEEN = 3.5
"""Detectability from which a spot counts as there; between `UNSEEN` and it, nobody could say."""
UNSEEN = 2.5
BRIGHTEST_PUNCTUM = 0.45
"""Height of the brightest off-target punctum over that of the median spot."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """An image with its truth.

    Parameters
    ----------
    image : ndarray of float32, shape ([z,] y, x)
        Photons.
    spots : Spots
        Every spot, brightest first, with ``height`` (photons above background), ``detectability`` (matched-filter
        signal over what the filter gives without spots, nearby) and ``sigma_px``.
    scene : Scene
        What was drawn.
    """

    image: NDArray[np.float32]
    spots: Spots
    scene: Scene

    @property
    def visible(self) -> Spots:
        """The spots that can be seen: detectability 3.5 or more."""
        return self.spots.take(self.spots["detectability"] >= SEEN)

    @property
    def weights(self) -> NDArray[np.float64]:
        """1 for spots that can be seen, NaN for those that nobody could tell, 0 for invisible ones; shape (n,)."""
        detectability = self.spots["detectability"]
        return np.where(detectability >= SEEN, 1.0, np.where(detectability >= UNSEEN, np.nan, 0.0))


def simulate(
    shape: Sequence[int],
    scene: Scene | None = None,
    *,
    seed: int | np.random.Generator = 0,
    background: NDArray[np.float64] | None = None,
) -> Simulated:
    """Simulate an image of fluorescent spots.

    Parameters
    ----------
    shape : sequence of int
        (y, x) or (z, y, x).
    scene : Scene, optional
        What to draw; defaults are a plain field of spots.
    seed : int or numpy.random.Generator
        The same seed gives the same image.
    background : ndarray of float64, shape as `shape`, optional
        What lies behind the spots, 0 or more with a median near 1, in place of a drawn one; see `real_background`.

    Returns
    -------
    Simulated
        Image and truth.

    Raises
    ------
    ShapeError
        If `shape` is no 2 or 3 sizes, or the background has another shape.

    Examples
    --------
    >>> made = simulate((64, 64), Scene(density=0.005), seed=1)
    >>> made.image.shape, len(made.spots) > 5
    ((64, 64), True)
    """
    shape = tuple(int(n) for n in shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise ShapeError(f"shape {shape}; expected (y, x) or (z, y, x)")
    if background is not None and background.shape != shape:
        raise ShapeError(f"the background has shape {background.shape}; expected {shape}")
    scene = scene or Scene()
    random = np.random.default_rng(seed)
    ground, inside = draw_background(shape, scene, random) if background is None else (background, None)
    positions = draw_places(shape, scene, inside, random)
    noise = _filtered_noise(ground, scene)
    relative = np.exp(random.normal(0, 1, len(positions)) * scene.brightness_spread)
    dimmed = random.random(len(positions)) < scene.dimmed
    relative[dimmed] *= random.random(int(dimmed.sum()))
    heights = relative * scene.detectability * float(np.median(noise))  # photons
    widths = widths_of(len(positions), scene.sigmas(len(shape)), scene.sigma_spread, scene.ellipticity, random)
    lit = ground * scene.photons
    if scene.off_target:
        lit = _add_puncta(lit, scene, inside, scene.detectability * float(np.median(noise)), random)
    lit = add_spots(lit, positions, heights, widths, angle=random.uniform(0, np.pi), halo=scene.halo)
    image = take_picture(lit / scene.photons, scene, random)
    nearest = tuple(np.clip(np.round(positions).astype(int), 0, np.array(shape) - 1).T)
    own = np.sqrt(1 + heights / np.maximum(noise_of(ground, scene)[nearest] ** 2, 1e-9))  # a spot's own photons
    seen = heights / (noise[nearest] * np.minimum(own, 2.0))
    columns = {"height": heights, "detectability": seen, "sigma_px": widths[:, -1]}
    spots = merge_close(Spots(positions, columns), 0.9 * max(scene.sigma_px, 1.0))
    return Simulated(image, spots, scene)


def _add_puncta(
    lit: NDArray[np.float64],
    scene: Scene,
    inside: NDArray[np.bool_] | None,
    height: float,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Add faint puncta that are no spots, given the height of the median spot."""
    dense = replace(scene, density=scene.density * scene.off_target, clustering=0.0)
    positions = draw_places(lit.shape, dense, inside, random)
    relative = random.uniform(0.05, 0.3) * np.exp(random.normal(0, random.uniform(0.2, 0.7), len(positions)))
    heights = height * np.minimum(relative, BRIGHTEST_PUNCTUM)
    widths = widths_of(len(positions), scene.sigmas(lit.ndim), scene.sigma_spread, 1.0, random)
    return add_spots(lit, positions, heights, widths)


def _filtered_noise(ground: NDArray[np.float64], scene: Scene) -> NDArray[np.float64]:
    """Return how high a spot must be to equal one standard deviation after a matched filter, in photons, per pixel.

    Noise of the camera is known; what structure of the background adds is measured nearby.
    """
    from scipy.ndimage import gaussian_filter, gaussian_laplace

    sigmas = scene.sigmas(ground.ndim)
    camera = noise_of(gaussian_filter(ground, [2 * s for s in sigmas]), scene)
    # a Laplacian of Gaussian of width s: white noise of deviation 1 becomes `gain`, a spot of height 1 becomes `peak`
    blur = 1 + 2 * (scene.noise_blur_px / np.mean(sigmas)) ** 2
    size = [int(8 * s) | 1 for s in sigmas]
    point = np.zeros(size)
    point[tuple(n // 2 for n in size)] = 1.0
    gain = float(np.sqrt((gaussian_laplace(point, sigmas) ** 2).sum())) / blur**0.5
    spot = add_spots(np.zeros(size), np.array([[n // 2 for n in size]], float), np.ones(1), np.array([sigmas]))
    peak = -float(gaussian_laplace(spot, sigmas)[tuple(n // 2 for n in size)])
    structure = gaussian_laplace(ground * scene.photons, sigmas)
    around = np.sqrt(gaussian_filter(structure**2, [5 * s for s in sigmas]))
    return np.asarray(np.sqrt((camera * gain) ** 2 + around**2) / peak)
