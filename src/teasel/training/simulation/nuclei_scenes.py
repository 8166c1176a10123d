"""Nuclei in the five looks that nuclear models meet: cultures, colonies, tissue, stained sections, bright field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.training.augment import Sample, section
from teasel.training.augment._fields import smooth_field

__all__ = ["NUCLEI_STYLES", "simulate_nuclei"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Look:
    """Ranges of one style: how full, how touching, how uneven, how deep, how blurred (in diameters), how noisy."""

    cover: tuple[float, float]
    touching: tuple[float, float]
    uneven: float
    haze: tuple[float, float]
    blur: tuple[float, float]
    noise: tuple[float, float]
    elongation: float = 0.35


_LOOKS = {
    "culture": _Look((0.05, 0.25), (0.0, 0.3), 0.3, (0.0, 0.15), (0.02, 0.06), (0.005, 0.04)),
    "colonies": _Look((0.2, 0.45), (0.5, 0.95), 0.35, (0.05, 0.3), (0.03, 0.08), (0.01, 0.05)),
    "tissue": _Look((0.2, 0.5), (0.2, 0.8), 0.5, (0.2, 0.7), (0.04, 0.10), (0.01, 0.08), 0.6),
    "stained": _Look((0.15, 0.45), (0.1, 0.6), 0.35, (0.05, 0.3), (0.03, 0.08), (0.005, 0.03), 0.5),
    "brightfield": _Look((0.08, 0.35), (0.1, 0.6), 0.3, (0.05, 0.3), (0.03, 0.08), (0.01, 0.05)),
}

NUCLEI_STYLES = tuple(_LOOKS)
"""The looks that `simulate_nuclei` knows."""


def simulate_nuclei(
    style: str, *, size_px: int = 256, diameter_px: float = 24.0, seed: int = 0
) -> tuple[Floats, NDArray[np.int32]]:
    """Make an image of nuclei with its labels.

    Parameters
    ----------
    style : str
        One of `NUCLEI_STYLES`.
    size_px : int
        Edge of the square image.
    diameter_px : float
        Diameter of a typical nucleus.
    seed : int
        The same seed gives the same image.

    Returns
    -------
    image : ndarray of float32, shape (c, y, x)
        1 channel; 3 (red, green, blue) if stained. Intensities are arbitrary.
    labels : ndarray of int32, shape (y, x)
        Nuclei 1 .. n, touching ones apart.

    Raises
    ------
    ParameterError
        If there is no such style.

    Examples
    --------
    >>> image, labels = simulate_nuclei("colonies", size_px=96, seed=3)
    >>> image.shape, labels.dtype
    ((1, 96, 96), dtype('int32'))
    """
    if style not in _LOOKS:
        raise ParameterError(f"no style {style!r} of nuclei; there are: {', '.join(_LOOKS)}")
    rng = np.random.default_rng([seed, NUCLEI_STYLES.index(style)])
    look = _LOOKS[style]
    labels, depth = _lay_out(look, size_px, diameter_px, rng)
    light = _shine(look, labels, depth, diameter_px, rng)
    if style == "stained":
        return section(Sample(_unit(light)[None], labels), rng).image, labels
    if style == "brightfield":
        light = _unit(light) * np.float32(-rng.uniform(0.3, 1)) + 0.15 * smooth_field(labels.shape, 4, rng)
    return light.astype(np.float32)[None], labels


def _lay_out(
    look: _Look, size_px: int, diameter_px: float, rng: np.random.Generator
) -> tuple[NDArray[np.int32], Floats]:
    """Place bent ellipses; where two meet, the one a pixel lies deeper in has it. Also 0 at rims, 1 at middles."""
    labels = np.zeros((size_px, size_px), np.int32)
    nearest = np.ones((size_px, size_px), np.float32)  # distance to the middle, over that to the rim
    spread = rng.uniform(0.08, 0.3)
    wanted = rng.uniform(*look.cover) * size_px**2
    touching = rng.uniform(*look.touching)
    placed: list[tuple[float, float, float]] = []
    covered = 0.0
    for _ in range(4000):
        if covered >= wanted:
            break
        radius = diameter_px / 2 * float(np.exp(spread * rng.standard_normal()))
        y, x = rng.uniform(-radius / 2, size_px + radius / 2, 2)
        if placed and rng.random() < touching:
            py, px, pr = placed[rng.integers(len(placed))]
            angle = rng.uniform(0, 2 * np.pi)
            y, x = py + 0.95 * (pr + radius) * np.sin(angle), px + 0.95 * (pr + radius) * np.cos(angle)
        if any((y - a) ** 2 + (x - b) ** 2 < (0.85 * (radius + c)) ** 2 for a, b, c in placed):
            continue
        placed.append((y, x, radius))
        covered += np.pi * radius**2 * ((0 < y < size_px) and (0 < x < size_px))
        _draw(labels, nearest, (y, x, radius), len(placed), look.elongation, rng)
    return _renumber(labels), 1 - nearest


def _draw(
    labels: NDArray[np.int32],
    nearest: Floats,
    place: tuple[float, float, float],
    number: int,
    elongation: float,
    rng: np.random.Generator,
) -> None:
    """Draw one nucleus (in place): an ellipse whose radius wavers with the angle."""
    y, x, radius = place
    reach = int(2 * radius) + 2
    rows = np.arange(max(0, int(y) - reach), min(labels.shape[0], int(y) + reach + 1))
    columns = np.arange(max(0, int(x) - reach), min(labels.shape[1], int(x) + reach + 1))
    if not len(rows) or not len(columns):
        return
    turn, stretch = rng.uniform(0, np.pi), float(np.exp(rng.uniform(0, elongation)) ** 0.5)
    dy, dx = rows[:, None] - y, columns[None] - x
    along, across = (np.cos(turn) * dx + np.sin(turn) * dy) / stretch, (np.cos(turn) * dy - np.sin(turn) * dx) * stretch
    angle = np.arctan2(across, along)
    rim = 1 + sum(rng.normal(0, 0.08 / k) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 4))
    depth = (np.hypot(along, across) / (radius * rim)).astype(np.float32)
    box = np.ix_(rows, columns)
    mine = depth < nearest[box]
    nearest[box] = np.where(mine, depth, nearest[box])
    labels[box] = np.where(mine, number, labels[box])


def _shine(
    look: _Look, labels: NDArray[np.int32], depth: Floats, diameter_px: float, rng: np.random.Generator
) -> Floats:
    """Light nuclei up: brightness of each, chromatin, haze from out of focus, blur, noise."""
    from scipy.ndimage import gaussian_filter

    shape, n = labels.shape, int(labels.max(initial=0))
    bright = np.exp(look.uneven * rng.standard_normal(n + 1)).astype(np.float32)
    bright[0] = 0
    profile = np.clip(depth, 0, 1) ** np.float32(rng.uniform(0.1, 0.6))
    grain = 1 + rng.uniform(0.05, 0.4) * smooth_field(
        shape, max(2, int(shape[0] / (diameter_px * rng.uniform(0.08, 0.3)))), rng
    )
    light = bright[labels] * profile * np.clip(grain, 0.1, None)
    ghost = np.roll(light, tuple(rng.integers(0, shape[0], 2)), (0, 1))[::-1]
    haze = rng.uniform(*look.haze) * gaussian_filter(ghost + light, diameter_px * rng.uniform(0.3, 0.8))
    ground = rng.uniform(0.0, 0.1) * (1 + 0.7 * smooth_field(shape, 3, rng))
    light = gaussian_filter(light + haze + ground, diameter_px * rng.uniform(*look.blur))
    level = rng.uniform(*look.noise)
    shot = np.sqrt(np.clip(light, 0, None)) * level * rng.uniform(0.5, 2)
    return (light + shot * rng.standard_normal(shape) + level * rng.standard_normal(shape)).astype(np.float32)


def _unit(light: Floats) -> Floats:
    """Map percentiles 1 and 99.8 to 0 and 1."""
    low, high = np.percentile(light, (1, 99.8))
    return ((light - low) / max(float(high - low), 1e-6)).astype(np.float32)


def _renumber(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number the connected nuclei 1 .. n; slivers go."""
    from skimage.measure import label as components_of

    parts = components_of(labels, background=0, connectivity=1).astype(np.int32)
    sizes = np.bincount(parts.ravel())
    kept = sizes >= 12
    kept[0] = False
    number = np.cumsum(kept).astype(np.int32) * kept
    return number[parts]
