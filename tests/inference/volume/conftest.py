"""Volumes of affinities on disk, and the hash of everything a run leaves."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import zarr
from scipy import ndimage

from teasel.agglomeration import affinities_of_boundaries

SHAPE = (64, 56, 72)


def make_boundaries(shape=SHAPE, seed=0):
    """Winding sheets with weak spots, and noise: hard enough that blocks would leave traces."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape).astype(np.float32), 3.0)
    sheets = np.exp(-((field / field.std() / 0.35) ** 2))
    noisy = sheets * rng.uniform(0.4, 1.0, shape) + 0.15 * rng.random(shape)
    return (np.clip(noisy, 0, 1) * 255).astype(np.uint8)


def write(folder: Path, name: str, array: np.ndarray) -> Path:
    """Write a zarr array whose chunks fit no block of the tests."""
    chunks = tuple(min(n, 25) for n in array.shape)
    target = zarr.create_array(folder / name, shape=array.shape, dtype=array.dtype, chunks=chunks)
    target[...] = array
    return folder / name


def hash_of_files(result: Path) -> str:
    """Hash names and bytes of every file of a result."""
    digest = hashlib.sha256()
    for path in sorted(p for p in result.rglob("*") if p.is_file()):
        digest.update(path.relative_to(result).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="session")
def affinity_file(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("affinities")
    return write(folder, "aff.zarr", affinities_of_boundaries(make_boundaries()))


@pytest.fixture(scope="session")
def hash_files():
    return hash_of_files
