"""How much each pixel delays light: thickness of cells, nuclei, organelles, and what floats about."""

from __future__ import annotations

import numpy as np

from teasel.training.simulation.anatomy import Anatomy
from teasel.training.simulation.fields import Floats, blur, rough_field, smooth_noise

__all__ = ["debris", "optical_path", "specks"]


def optical_path(anatomy: Anatomy, rng: np.random.Generator) -> Floats:
    """Return the phase delay of a field of unstained cells, in radians, shape (y, x).

    Spread cells are plateaus with a ruffled edge, round ones domes several times as thick; where two cells meet lies a
    crevice. Nuclei add a bulge with dark nucleoli, organelles granules, vacuoles holes.
    """
    n, depth = anatomy.count, anatomy.depth
    shape, scale = depth.shape, anatomy.diameter_px / 32
    heights = rng.uniform(0.25, 0.9) * np.exp(rng.normal(0, 0.35, n))
    heights = np.where(anatomy.is_round, rng.uniform(2.0, 4.5) * np.exp(rng.normal(0, 0.15, n)), heights)
    edge = rng.uniform(0.08, 0.4)
    plateau = np.clip(depth / edge, 0, 1)
    dome = np.sqrt(np.clip(depth * (2 - depth), 0, 1))
    flatness = rng.uniform(0.2, 0.9)
    profile = flatness * plateau + (1 - flatness) * dome
    rounds = anatomy.per_cell(anatomy.is_round.astype(np.float32)) > 0
    profile = np.where(rounds, dome, profile)
    crevice = blur(anatomy.seams, 0.6 * scale + 0.5)
    profile *= 1 - rng.uniform(0.3, 1.0) * crevice / max(float(crevice.max()), 1e-6)
    texture = 1 + rng.uniform(0.03, 0.3) * rough_field(shape, rng.uniform(0.5, 1.2), 3.5 * scale, rng)
    texture += rng.uniform(0.05, 0.3) * smooth_noise(shape, 8 * scale, rng)
    path = anatomy.per_cell(heights) * profile * texture
    ruffles = blur(anatomy.rim, 0.5 * scale) * np.clip(smooth_noise(shape, 8 * scale, rng), 0, None)
    path += rng.uniform(0, 0.6) * ruffles
    inside = (anatomy.labels > 0) & (depth > 0.15)
    path += specks(inside, rng.uniform(0, 0.02), rng.uniform(0.5, 1.0) * scale**0.5, rng) * rng.uniform(-0.3, 0.6)
    visible = anatomy.nuclear_depth > 0
    bulge = np.sqrt(anatomy.nuclear_depth) * anatomy.per_cell(heights)
    path += rng.uniform(-0.3, 0.5) * np.where(rounds, 0, bulge)
    envelope = np.clip(1 - np.abs(anatomy.nuclear_depth - 0.1) / 0.12, 0, 1)
    path += rng.uniform(0, 0.35) * np.where(visible & ~rounds, envelope, 0)
    path += rng.uniform(0, 0.5) * specks(anatomy.nuclear_depth > 0.25, 0.012, 1.3 * scale**0.5, rng)
    return path.astype(np.float32)


def specks(where: np.ndarray, density: float, sigma_px: float, rng: np.random.Generator) -> Floats:
    """Return round granules of about height 1 strewn over a region, `density` per pixel of it."""
    points = np.zeros(where.shape, np.float32)
    candidates = np.flatnonzero(where)
    count = int(rng.poisson(density * len(candidates))) if len(candidates) else 0
    if count:
        points.ravel()[rng.choice(candidates, count)] = rng.exponential(1, count).astype(np.float32)
        points = blur(points, sigma_px) * np.float32(2 * np.pi * sigma_px**2)
    return points


def debris(anatomy: Anatomy, rng: np.random.Generator, *, most: float = 1.0) -> Floats:
    """Return what lies about between cells and is no cell: grains, crumbs and threads of about height 1."""
    outside = anatomy.labels == 0
    shape, scale = outside.shape, anatomy.diameter_px / 32
    amount = rng.uniform(0, most) ** 2
    found = specks(outside, 0.002 * amount, rng.uniform(0.6, 1.3), rng)
    found += specks(outside, 0.0006 * amount, rng.uniform(1.5, 2.5) * scale, rng)
    if rng.random() < 0.5:
        crumbs = smooth_noise(shape, 4 * scale, rng) + smooth_noise(shape, 12 * scale, rng)
        found += amount * np.where(outside, np.clip(crumbs - rng.uniform(2.6, 3.6), 0, 1), 0)
    return found.astype(np.float32)
