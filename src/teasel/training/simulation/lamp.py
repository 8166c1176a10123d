"""Faults of the light that unstained cells are seen in: an uneven lamp, dust far out of focus, light from a side."""

from __future__ import annotations

import numpy as np

from teasel.training.simulation.fields import Floats

__all__ = ["dust_rings", "slope_along", "uneven"]


def slope_along(path: Floats, rng: np.random.Generator) -> Floats:
    """Return the slope of a delay along one direction, in radians per pixel, shape (y, x)."""
    dy, dx = np.gradient(path)
    direction = rng.uniform(0, 2 * np.pi)
    return np.asarray(np.cos(direction) * dx + np.sin(direction) * dy, np.float32)


def uneven(shape: tuple[int, int], most: float, rng: np.random.Generator) -> Floats:
    """Return light of mean 1 that rises along one direction by up to `most` from edge to edge, shape (y, x)."""
    y, x = (np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in shape)
    direction, rise = rng.uniform(0, 2 * np.pi), most * rng.uniform(0, 1) ** 2
    return 1 + np.float32(rise * np.sin(direction)) * y[:, None] + np.float32(rise * np.cos(direction)) * x


def dust_rings(shape: tuple[int, int], number: float, diameter_px: float, rng: np.random.Generator) -> Floats:
    """Return light of about 1 with faint rings around specks of dust far from the focus, shape (y, x).

    Parameters
    ----------
    shape : tuple of int
        Height and width.
    number : float
        Mean number of specks.
    diameter_px : float
        Diameter of a typical cell; the rings of a speck are as large, or several times so.
    rng : Generator
        Source of chance.
    """
    light = np.ones(shape, np.float32)
    for _ in range(rng.poisson(number)):
        middle = rng.uniform(0, 1, 2) * shape
        radius = diameter_px * float(np.exp(rng.uniform(np.log(0.5), np.log(3.0))))
        y = (np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(middle[0])) / np.float32(radius)
        x = (np.arange(shape[1], dtype=np.float32) - np.float32(middle[1])) / np.float32(radius)
        squared = y**2 + x**2
        # a Fresnel pattern: rings ever closer, fading outwards
        rings = np.cos(np.float32(rng.uniform(4, 14)) * squared + np.float32(rng.uniform(0, 6))) * np.exp(-2 * squared)
        light += np.float32(rng.uniform(-0.06, 0.06)) * rings
    return light
