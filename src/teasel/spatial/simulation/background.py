"""What lies behind the spots: cells, smooth structure, autofluorescent bodies, filaments, illumination."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.simulation.optics import add_spots
from teasel.spatial.simulation.scene import Scene

__all__ = ["draw_background", "real_background"]


def draw_background(
    shape: Sequence[int], scene: Scene, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Draw everything but spots and noise.

    Parameters
    ----------
    shape : sequence of int
        ([z,] y, x).
    scene : Scene
        What to draw.
    random : numpy.random.Generator
        Where the numbers come from.

    Returns
    -------
    background : ndarray of float64, shape ([z,] y, x)
        Brightness; the ground is 1.
    inside : ndarray of bool, shape ([z,] y, x)
        Where spots may lie: in cells, or everywhere if there are none.
    """
    from scipy.ndimage import gaussian_filter

    shape = tuple(shape)
    ground = np.ones(shape)
    inside = np.zeros(shape, bool)
    for _ in range(scene.cells):
        cell = _blob(shape, random)
        soft = gaussian_filter(cell.astype(float), random.uniform(0.6, 4.0))
        brightness = scene.cell_contrast * random.uniform(0.5, 1.5)
        ground += brightness * soft
        if scene.membrane:
            ground += scene.membrane * 4 * soft * (1 - soft)
        if random.random() < 0.5:
            nucleus = gaussian_filter(_blob(shape, random, size=0.18).astype(float), random.uniform(0.6, 3.0))
            ground += brightness * random.uniform(-0.6, 0.6) * nucleus * soft
        inside |= cell
    if scene.texture:
        ground *= np.exp(scene.texture * _structure(shape, 3 * scene.sigma_px, random))
    ground = _add_bodies(ground, scene, random)
    if scene.filaments:
        ground += _filaments(shape, scene, random)
    if scene.vignetting:
        ground *= _illumination(shape, scene.vignetting, random)
    return np.maximum(ground, 0.0), inside if scene.cells else np.ones(shape, bool)


def real_background(
    image: NDArray[np.generic], shape: Sequence[int], sigma_px: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Cut a piece of a real image and take away whatever is as small as a spot.

    Parameters
    ----------
    image : ndarray, shape (y, x)
        A real image, at least as large as the piece after turning.
    shape : sequence of int
        (y, x) of the piece.
    sigma_px : float
        Width of spots; an opening over five widths takes them away.
    random : numpy.random.Generator
        Chooses the place, mirrors and turns.

    Returns
    -------
    ndarray of float64, shape (y, x)
        Its median is 1.
    """
    from scipy.ndimage import gaussian_filter, grey_opening

    image = np.rot90(image, int(random.integers(4)))
    image = image[:: random.choice([-1, 1])]
    corner = [random.integers(0, max(n - m, 0) + 1) for n, m in zip(image.shape, shape, strict=True)]
    piece = image[tuple(slice(c, c + m) for c, m in zip(corner, shape, strict=True))].astype(np.float64)
    piece = np.pad(piece, [(0, m - n) for n, m in zip(piece.shape, shape, strict=True)], mode="symmetric")
    size = 2 * int(np.ceil(2.5 * sigma_px)) + 1
    smooth = gaussian_filter(grey_opening(piece, size, mode="mirror"), 0.5 * sigma_px)
    smooth -= min(smooth.min(), np.percentile(piece, 0.1))
    return smooth / max(np.median(smooth), 0.05 * smooth.max(), 1e-9)


def _blob(shape: tuple[int, ...], random: np.random.Generator, size: float = 0.35) -> NDArray[np.bool_]:
    """Draw a smooth irregular body: where a smooth random field around a centre is high."""
    grid = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij", sparse=True)
    centre, axes = random.random(len(shape)), random.uniform(0.5, 1.2, len(shape)) * size
    radius = np.sqrt(sum(((g - c) / a) ** 2 for g, c, a in zip(grid, centre, axes, strict=True)))
    wobble = _structure(shape, max(shape) / 8, random)
    inside: NDArray[np.bool_] = radius + 0.15 * wobble < 1
    return inside


def _structure(shape: tuple[int, ...], scale_px: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw a smooth random field of standard deviation 1 with structure from `scale_px` up to ten times it."""
    from scipy.ndimage import gaussian_filter

    total = np.zeros(shape)
    for factor in (1.0, 3.0, 10.0):
        step = max(scale_px * factor * random.uniform(0.7, 1.4), 1.0)
        coarse = gaussian_filter(random.normal(size=[int(np.ceil(n / step)) + 6 for n in shape]), 0.7)
        part = _interpolate(coarse, shape, step, random)
        total += random.uniform(0.3, 1.0) * part / max(float(part.std()), 1e-9)
    return (total - total.mean()) / max(float(total.std()), 1e-9)


def _interpolate(
    coarse: NDArray[np.float64], shape: tuple[int, ...], step: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Give a coarse grid at every pixel, smoothly, one axis after the other."""
    for axis, n in enumerate(shape):
        place = (np.arange(n) / step) + random.random()
        low = np.floor(place).astype(int)
        part = place - low
        part = part * part * (3 - 2 * part)
        weight = part.reshape([-1 if a == axis else 1 for a in range(len(shape))])
        coarse = coarse.take(low, axis) * (1 - weight) + coarse.take(low + 1, axis) * weight
    return coarse


def _add_bodies(ground: NDArray[np.float64], scene: Scene, random: np.random.Generator) -> NDArray[np.float64]:
    """Add autofluorescent bodies: broader than spots, often flat-topped, of any brightness."""
    n = random.poisson(scene.blobs * ground.size)
    if not n:
        return ground
    positions = random.random((n, ground.ndim)) * np.array(ground.shape)
    scale = random.uniform(2.0, 6.0, n)
    widths = scale[:, None] * np.array(scene.sigmas(ground.ndim)) * random.uniform(0.7, 1.4, (n, ground.ndim))
    heights = np.exp(random.normal(0, 1, n)) * float(ground.std() + 0.2)
    bodies = add_spots(np.zeros(ground.shape), positions, heights, widths, angle=random.uniform(0, np.pi))
    if random.random() < 0.5:
        bodies = np.minimum(bodies, np.median(heights))
    return ground + bodies


def _filaments(shape: tuple[int, ...], scene: Scene, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw winding lines about as thin as spots."""
    from scipy.ndimage import gaussian_filter

    drawn = np.zeros(shape)
    for _ in range(scene.filaments):
        steps = 2 * max(shape)
        heading = random.normal(size=len(shape))
        heading /= np.linalg.norm(heading)
        turns = random.normal(0, 0.08, (steps, len(shape))).cumsum(0) + heading
        path = random.random(len(shape)) * shape + (turns / np.linalg.norm(turns, axis=1, keepdims=True)).cumsum(0)
        cells = np.round(path).astype(int)
        cells = cells[((cells >= 0) & (cells < shape)).all(1)]
        drawn[tuple(cells.T)] = np.exp(random.normal(0, 0.5))
    smooth = gaussian_filter(drawn, [s * random.uniform(0.8, 1.5) for s in scene.sigmas(len(shape))])
    return smooth / max(float(smooth.max()), 1e-9) * random.uniform(0.2, 2.0)


def _illumination(shape: tuple[int, ...], loss: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw uneven illumination: brightest somewhere, falling off towards the corners."""
    grid = np.meshgrid(*(np.linspace(0, 1, n) for n in shape[-2:]), indexing="ij", sparse=True)
    centre = random.uniform(0.2, 0.8, 2)
    squared = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
    lit: NDArray[np.float64] = 1 - loss * squared / squared.max()
    return np.broadcast_to(lit, shape)
