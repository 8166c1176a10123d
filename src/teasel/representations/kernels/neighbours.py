"""Neighbours as steps in a flat array, so that one loop serves any number of dimensions."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["face_steps", "full_steps", "inside"]


def full_steps(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Steps to the 8 (2D) or 26 (3D) neighbours in a C-contiguous array of that shape, in scan order."""
    strides = np.cumprod((1, *shape[:0:-1]))[::-1]
    steps = [int(np.dot(offset, strides)) for offset in product((-1, 0, 1), repeat=len(shape)) if any(offset)]
    return np.array(steps, np.int64)


def face_steps(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Steps to the 4 (2D) or 6 (3D) neighbours that share a face, in scan order."""
    strides = np.cumprod((1, *shape[:0:-1]))[::-1].astype(np.int64)
    return np.sort(np.concatenate([-strides, strides]))


def inside(ndim: int, width: int = 1) -> tuple[slice, ...]:
    """Index that takes off a margin of `width` pixels along every axis."""
    return (slice(width, -width),) * ndim
