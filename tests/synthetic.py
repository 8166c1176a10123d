"""Seeded synthetic label images and pictures of them, in any number of dimensions.

Every function is a pure function of its arguments: the same seed gives the same array on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

__all__ = ["discs", "random_labels", "render", "touching", "tubes"]

Labels = NDArray[np.int32]


def discs(shape: Sequence[int], n: int, radius: float, seed: int) -> Labels:
    """Up to `n` balls of one radius that neither overlap nor touch, labelled 1, 2, ... as placed."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(tuple(shape), np.int32)
    centres: list[NDArray[np.float64]] = []
    for _ in range(50 * n):
        if len(centres) == n:
            break
        centre = rng.uniform(0, np.array(shape) - 1)
        if all(np.linalg.norm(centre - other) > 2 * radius + 2 for other in centres):
            centres.append(centre)
            _paint_ball(labels, centre, radius, len(centres))
    return labels


def touching(shape: Sequence[int], seed: int, n: int | None = None) -> Labels:
    """A cluster of cells that share borders: the cells of random points, cut off by one outer shape."""
    rng = np.random.default_rng(seed)
    n = n or max(4, int(np.prod(shape) // 20 ** len(shape)))
    points = rng.uniform(0, np.array(shape), (n, len(shape)))
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, len(shape))
    cells = cKDTree(points).query(grid)[1].reshape(tuple(shape)) + 1
    middle = (np.array(shape) - 1) / 2
    inside = (((grid - middle) / (0.46 * np.array(shape))) ** 2).sum(-1).reshape(tuple(shape)) <= 1
    used = np.unique(cells[inside])
    rank = np.zeros(n + 1, np.int32)
    rank[used] = np.arange(1, len(used) + 1)
    return np.where(inside, rank[cells], 0).astype(np.int32)


def tubes(shape: Sequence[int], n: int, radius: float, seed: int) -> Labels:
    """`n` winding tubes, each a smooth random walk of balls; a later one never paints over an earlier."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(tuple(shape), np.int32)
    for label in range(1, n + 1):
        position = rng.uniform(0, np.array(shape) - 1)
        direction = rng.normal(size=len(shape))
        tube = np.zeros_like(labels)
        for _ in range(int(2 * max(shape) / max(radius, 1))):
            direction = direction / np.linalg.norm(direction) + 0.3 * rng.normal(size=len(shape))
            position = position + radius / 2 * direction / np.linalg.norm(direction)
            _paint_ball(tube, position, radius, label)
        labels = np.where(labels == 0, tube, labels)
    return labels


def random_labels(shape: Sequence[int], n: int, seed: int) -> Labels:
    """About `n` arbitrary ragged regions, partly in several pieces, some touching, with gaps in the ids."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(tuple(shape), np.int32)
    if n == 0:
        return labels
    fields = ndimage.gaussian_filter(rng.normal(size=tuple(shape)), 1.5)
    cells = touching(shape, seed + 1, n=n)
    ids = np.sort(rng.choice(np.arange(1, 5 * n + 1), size=n, replace=False)).astype(np.int32)
    rng.shuffle(ids)
    keep = fields > np.quantile(fields, rng.uniform(0.1, 0.6))
    labels = np.where((cells > 0) & keep, np.concatenate([[0], ids])[cells], 0)
    return labels.astype(np.int32)


def render(labels: NDArray[np.integer], seed: int, *, noise: float = 0.05, blur_px: float = 1.0) -> NDArray[np.float32]:
    """A fluorescence-like picture of a label image: own brightness per object, blur, background, noise."""
    rng = np.random.default_rng(seed)
    ids, inverse = np.unique(labels, return_inverse=True)
    brightness = np.where(ids > 0, rng.uniform(0.5, 1.0, len(ids)), 0.0)
    image = ndimage.gaussian_filter(brightness[inverse.reshape(labels.shape)], blur_px)
    return (0.1 + image + noise * rng.normal(size=labels.shape)).astype(np.float32)


def _paint_ball(labels: Labels, centre: NDArray[np.float64], radius: float, label: int) -> None:
    """Paint a ball, clipped at the border, in its bounding box only."""
    low = np.maximum(np.floor(centre - radius).astype(int), 0)
    high = np.minimum(np.ceil(centre + radius).astype(int) + 1, labels.shape)
    if np.any(high <= low):
        return
    axes = [(np.arange(a, b) - c) ** 2 for a, b, c in zip(low, high, centre, strict=True)]
    inside = sum(np.meshgrid(*axes, indexing="ij")) <= radius**2
    labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))][inside] = label
