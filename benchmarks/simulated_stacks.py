"""Simulated stacks of nuclei: textured ellipsoids, some touching, seen through a microscope that blurs most along z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["SimulatedStack", "simulate_stack"]


@dataclass(frozen=True, eq=False)
class SimulatedStack:
    """A stack, its truth and how far its planes lie apart, in pixel widths."""

    image: NDArray[np.uint16]
    labels: NDArray[np.int32]
    anisotropy: float


def simulate_stack(seed: int, *, edge_px: int = 120, depth_px: int = 96) -> SimulatedStack:
    """Simulate one stack; size, density, contrast, noise, blur, attenuation and anisotropy follow from the seed.

    Parameters
    ----------
    seed : int
        Same seed, same stack.
    edge_px, depth_px : int
        Height and width, and depth in pixel widths.
    """
    rng = np.random.default_rng(seed)
    radius = rng.uniform(7, 13)
    shape = (depth_px, edge_px, edge_px)
    labels = _ellipsoids(rng, shape, radius, crowding=rng.uniform(0.1, 0.35))
    bright = np.r_[0, rng.lognormal(0, rng.uniform(0.1, 0.5), int(labels.max()))][labels]
    texture = ndimage.gaussian_filter(rng.normal(size=shape), rng.uniform(1.5, 3))
    light = bright * np.clip(1 + rng.uniform(0, 0.35) * texture / texture.std(), 0.1, None)
    light = ndimage.gaussian_filter(light, (rng.uniform(1.5, 3.5), *[rng.uniform(0.8, 1.6)] * 2))
    light += rng.uniform(0.02, 0.25) * (1 + 0.3 * ndimage.gaussian_filter(rng.normal(size=shape), 20) * 100)
    light *= np.exp(-rng.uniform(0, 1) * np.arange(shape[0]) / shape[0])[:, None, None]
    every = int(rng.integers(1, 6))
    planes = light[::every]
    counts = rng.poisson(np.clip(planes, 0, None) * rng.uniform(6, 120)) + rng.normal(0, 1.5, planes.shape)
    return SimulatedStack(np.clip(counts + 20, 0, None).astype(np.uint16), labels[::every], float(every))


def _ellipsoids(rng: np.random.Generator, shape: tuple[int, ...], radius: float, crowding: float) -> NDArray[np.int32]:
    """Place ellipsoids until they fill a share of the space; later ones give way where they meet."""
    labels = np.zeros(shape, np.int32)
    grid = np.stack(np.indices(shape, np.float32), -1)
    wanted = int(crowding * np.prod(shape) / (4 / 3 * np.pi * radius**3))
    centres: list[NDArray[np.float64]] = []
    for _ in range(30 * wanted):
        if len(centres) == wanted:
            break
        centre = rng.uniform(-radius / 2, np.array(shape) + radius / 2)
        if any(np.linalg.norm(centre - other) < 1.7 * radius for other in centres):
            continue
        centres.append(centre)
        axes = radius * np.exp(rng.normal(0, 0.18, 3))
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        box = tuple(
            slice(max(0, int(c - 2 * radius)), min(n, int(c + 2 * radius) + 1))
            for c, n in zip(centre, shape, strict=True)
        )
        inside = ((((grid[box] - centre) @ turn) / axes) ** 2).sum(-1) <= 1
        piece = labels[box]
        piece[inside & (piece == 0)] = len(centres)
    return labels
