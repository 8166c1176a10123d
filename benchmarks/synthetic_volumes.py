"""Affinities of synthetic tissue, easy and hard: bent cells of random points, true affinities, correlated noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

NEAR = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
FAR = ((4, 0, 0), (0, 4, 0), (0, 0, 4), (0, 4, 4), (4, 0, 4), (4, 4, 0))

NOISE = {"easy": 0.15, "hard": 0.45}
"""Standard deviation of the noise; affinities are 0 or 1 before."""


def make_labels(shape: Sequence[int], seed: int = 0, spacing: float = 22.0) -> NDArray[np.uint32]:
    """Label a volume with bent cells, about `spacing` voxels apart."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, shape, (max(2, int(np.prod(shape) / spacing**3)), 3))
    bends = [
        ndimage.zoom(rng.normal(0, 6, [n // 16 + 2 for n in shape]).astype(np.float32), 16, order=1) for _ in range(3)
    ]
    tree, labels = cKDTree(points), np.empty(shape, np.uint32)
    for z in range(shape[0]):
        y, x = np.mgrid[: shape[1], : shape[2]]
        where = np.stack([np.full(y.shape, z), y, x], -1) + np.stack([b[z, : shape[1], : shape[2]] for b in bends], -1)
        labels[z] = tree.query(where)[1] + 1
    return labels


def make_affinities(labels: NDArray[np.uint32], kind: str, seed: int = 1, far: bool = False) -> NDArray[np.uint8]:
    """Widen borders to three voxels, blur them, add correlated noise, and store 8 bits: (3 or 9, z, y, x)."""
    rng = np.random.default_rng(seed)
    found = []
    for offset in NEAR + (FAR if far else ()):
        there = tuple(slice(o, None) for o in offset)
        here = tuple(slice(None, n - o) for n, o in zip(labels.shape, offset, strict=True))
        same = np.zeros(labels.shape, np.float32)
        same[here] = labels[here] == labels[there]
        noise = ndimage.gaussian_filter(rng.standard_normal(labels.shape, np.float32), 1.0)
        value = ndimage.uniform_filter(ndimage.minimum_filter(same, 3), 3) + NOISE[kind] * noise / noise.std()
        found.append(np.floor(np.clip(value, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.stack(found)


def write_zarr(path: str, array: NDArray[np.generic]) -> None:
    """Write an array in chunks of 64."""
    import zarr

    chunks = tuple(min(n, 64) for n in array.shape)
    zarr.create_array(path, shape=array.shape, dtype=array.dtype, chunks=chunks)[...] = array
