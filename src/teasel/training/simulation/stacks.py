"""Simulated stacks of nuclei: bent ellipsoids that touch, with nucleoli and texture, between walls, seen in depth.

A microscope blurs most along z and sees little light deep in the tissue; planes lie one to five pixels apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.training.simulation.fields import Floats

__all__ = ["SimulatedStack", "simulate_stack"]


@dataclass(frozen=True, eq=False)
class SimulatedStack:
    """A stack of nuclei and its truth.

    Parameters
    ----------
    image : ndarray of uint16, shape (z, y, x)
        What a camera counts.
    labels : ndarray of int32, shape (z, y, x)
        Nuclei 1 .. n, 0 background.
    anisotropy : float
        Distance between planes over the width of a pixel.
    """

    image: NDArray[np.uint16]
    labels: NDArray[np.int32]
    anisotropy: float


def simulate_stack(seed: int, *, edge_px: int = 112, depth_px: int = 96) -> SimulatedStack:
    """Simulate one stack; everything that varies between tissues and microscopes follows from the seed.

    Parameters
    ----------
    seed : int
        Same seed, same stack.
    edge_px : int
        Height and width.
    depth_px : int
        Depth in pixel widths.

    Returns
    -------
    SimulatedStack

    Examples
    --------
    >>> stack = simulate_stack(3, edge_px=48, depth_px=40)
    >>> stack.labels.shape == stack.image.shape, stack.labels.max() > 0
    (True, np.True_)
    """
    rng = np.random.default_rng([seed, 3])
    shape = (depth_px, edge_px, edge_px)
    radius = float(np.exp(rng.uniform(*np.log((6, 14)))))
    labels, walls = _tissue(rng, shape, radius)
    light = _stain(rng, labels, radius)
    if rng.random() < 0.4:
        light += rng.uniform(0.05, 0.6) * walls
    light += _surroundings(rng, shape, radius)
    every = int(rng.integers(1, 6))
    return SimulatedStack(_see(rng, light)[::every], labels[::every], float(every))


def _tissue(rng: np.random.Generator, shape: tuple[int, ...], radius: float) -> tuple[NDArray[np.int32], Floats]:
    """Place ellipsoids, bend space, and give each voxel to the nucleus it is deepest in; also the walls halfway."""
    centres = _places(rng, shape, radius)
    grid = np.indices(shape).astype(np.float32)
    grid += np.stack([rng.uniform(0.05, 0.35) * radius * _noise(rng, shape, 0.7 * radius) for _ in range(3)])
    first = np.full(shape, 9.0, np.float32)  # distance to the nearest middle, 1 on its surface
    second = first.copy()
    labels = np.zeros(shape, np.int32)
    spread = rng.uniform(0.05, 0.25)
    for number, centre in enumerate(centres, start=1):
        axes = radius * np.exp(rng.normal(0, spread, 3))
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        low = np.maximum((centre - 2.2 * radius).astype(int), 0)
        box = tuple(slice(a, int(c + 2.2 * radius) + 1) for a, c in zip(low, centre, strict=True))
        away = np.tensordot(turn.T / axes[:, None], grid[(slice(None), *box)] - centre.reshape(3, 1, 1, 1), 1)
        depth = np.sqrt((away**2).sum(0)).astype(np.float32)
        nearer = depth < first[box]
        second[box] = np.where(nearer, first[box], np.minimum(second[box], depth))
        labels[box][nearer & (depth < 1)] = number
        labels[box][nearer & (depth >= 1)] = 0
        first[box][nearer] = depth[nearer]
    walls = np.exp(-(((second - first) / 0.12) ** 2)) * (first > 1) * (first < 9)
    return _connected(labels), walls.astype(np.float32)


def _places(rng: np.random.Generator, shape: tuple[int, ...], radius: float) -> list[NDArray[np.float64]]:
    """Draw middles, at least so far apart that nuclei are pressed together but not into each other."""
    crowding, apart = rng.uniform(0.06, 0.5), rng.uniform(1.5, 2.1) * radius
    wanted = int(crowding * np.prod(shape) / (4 / 3 * np.pi * radius**3)) + 1
    centres = np.zeros((0, 3))
    for _ in range(30 * wanted):
        if len(centres) == wanted:
            break
        centre = rng.uniform(-radius / 2, np.array(shape) + radius / 2)
        if not len(centres) or np.linalg.norm(centres - centre, axis=1).min() > apart:
            centres = np.vstack([centres, centre])
    return list(centres)


def _connected(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Keep the largest part of each nucleus, and number them 1 .. n."""
    from teasel.representations.cleaning import clean

    return clean(labels, min_area=30).astype(np.int32)


def _stain(rng: np.random.Generator, labels: NDArray[np.int32], radius: float) -> Floats:
    """Light up nuclei: each as bright as it happens to be, with texture, nucleoli, and perhaps brightest at its rim."""
    from scipy import ndimage

    n = int(labels.max())
    bright = np.r_[0, rng.lognormal(0, rng.uniform(0.1, 0.5), n)].astype(np.float32)[labels]
    texture = rng.uniform(0.05, 0.45) * _noise(rng, labels.shape, rng.uniform(0.08, 0.25) * radius + 0.6)
    light = bright * np.clip(1 + texture, 0.1, None)
    if rng.random() < 0.5:  # nucleoli, dark or bright
        strength = rng.choice((-0.9, -0.6, 0.8))
        spots = _noise(rng, labels.shape, rng.uniform(0.25, 0.4) * radius)
        light *= np.where(spots > rng.uniform(1.2, 1.8), 1 + strength, 1).astype(np.float32)
    if rng.random() < 0.3:  # more at the rim than inside
        inside = ndimage.distance_transform_edt(labels > 0).astype(np.float32) / radius
        light *= 1 - rng.uniform(0.2, 0.7) * np.clip(inside, 0, 1)
    return light.astype(np.float32)


def _surroundings(rng: np.random.Generator, shape: tuple[int, ...], radius: float) -> Floats:
    """Draw what shines outside nuclei: a haze, uneven over the tissue, and in some stacks debris."""
    haze = rng.uniform(0.01, 0.35) * np.clip(1 + rng.uniform(0, 0.5) * _noise(rng, shape, 2.5 * radius), 0, None)
    if rng.random() < 0.4:
        specks = _noise(rng, shape, rng.uniform(0.6, 1.5))
        haze = haze + rng.uniform(0.2, 1.0) * (specks > rng.uniform(3.2, 3.8))
    return haze.astype(np.float32)


def _see(rng: np.random.Generator, light: Floats) -> NDArray[np.uint16]:
    """Blur, most along z; lose light with depth; count photons."""
    from scipy import ndimage

    blur = rng.uniform(0.5, 1.6)
    seen = ndimage.gaussian_filter(light, (blur * rng.uniform(1.2, 3.0), blur, blur))
    seen *= np.exp(-rng.uniform(0, 1.2) * np.arange(len(light)) / len(light))[:, None, None]
    photons = float(np.exp(rng.uniform(*np.log((5, 200)))))
    counts = rng.poisson(np.clip(seen, 0, None) * photons) + rng.normal(0, rng.uniform(0, 2), seen.shape)
    return np.clip(10 * counts + 100, 0, 65535).astype(np.uint16)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], length_px: float) -> Floats:
    """Draw a smooth field of mean 0 and deviation 1 that varies over a length; coarse ones on a coarser grid."""
    from scipy import ndimage

    step = max(1, int(length_px // 2))
    coarse = [-(-n // step) + 1 for n in shape]
    field = ndimage.gaussian_filter(rng.standard_normal(coarse, dtype=np.float32), length_px / step)
    if step > 1:
        field = ndimage.zoom(field, step, order=1)
    field = field[tuple(slice(n) for n in shape)]
    return (field - field.mean()) / (field.std() + np.float32(1e-6))
