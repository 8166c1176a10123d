"""From light to numbers: photons, read-out, projections, patterns, hot pixels, few grey values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.simulation.scene import Scene

__all__ = ["noise_of", "take_picture"]


def noise_of(light: NDArray[np.float64], scene: Scene) -> NDArray[np.float64]:
    """Return the standard deviation of the noise at each pixel, in photons, before it is blurred or projected."""
    return np.sqrt(light * scene.photons + scene.read_noise**2)


def take_picture(light: NDArray[np.float64], scene: Scene, random: np.random.Generator) -> NDArray[np.float32]:
    """Turn brightness into the values a camera gives.

    Parameters
    ----------
    light : ndarray of float64, shape ([z,] y, x)
        Brightness, 0 or more; 1 is the ground, which gives ``scene.photons``.
    scene : Scene
        The camera.
    random : numpy.random.Generator
        Where the numbers come from.

    Returns
    -------
    ndarray of float32, shape ([z,] y, x)
        Photons, noise included.
    """
    from scipy.ndimage import gaussian_filter

    mean = light * scene.photons
    picture = _expose(mean, scene, random)
    if scene.projected > 1:
        for _ in range(min(scene.projected, 5) - 1):  # more planes hardly change the shape of the noise
            picture = np.maximum(picture, _expose(mean, scene, random))
    if scene.noise_blur_px:
        noise = gaussian_filter(picture - mean, scene.noise_blur_px)
        picture = mean + noise
    scale = float(np.median(noise_of(light, scene)))
    if scene.pattern:
        picture += _pattern(light.shape, random) * scene.pattern * scale
    if scene.hot_pixels:
        n = random.poisson(scene.hot_pixels * light.size)
        where = random.integers(0, light.size, n)
        picture.reshape(-1)[where] += scale * np.exp(random.normal(2.5, 0.8, n))
    if scene.levels:
        low, high = float(picture.min()), float(picture.max())
        step = max(high - low, 1e-9) / scene.levels
        picture = low + step * np.round((picture - low) / step)
    return picture.astype(np.float32)


def _expose(mean: NDArray[np.float64], scene: Scene, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw photons and read-out noise once."""
    return random.poisson(mean) + random.normal(0, scene.read_noise, mean.shape)


def _pattern(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float64]:
    """Draw rows and columns that are brighter in a fixed rhythm."""
    period = int(random.integers(4, 24))
    rows, columns = (np.arange(n) % period < np.intp(max(1, period // 6)) for n in shape[-2:])
    return np.broadcast_to(rows[:, None] * random.random() + columns[None] * random.random(), shape)
