"""Smooth random fields, monotone curves and resizing: what several augmentations draw on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["apply_curve", "resize_planes", "smooth_field"]

Floats = NDArray[np.float32]


def smooth_field(shape: Sequence[int], cells: int, rng: np.random.Generator) -> Floats:
    """Draw a field in about [-1, 1] that varies over a `cells`-th of each axis.

    Random values on a coarse grid are joined by smoothstep weights, one axis after the other.
    """
    field = rng.uniform(-1, 1, (cells + 1,) * len(shape)).astype(np.float32)
    for axis, n in enumerate(shape):
        field = np.moveaxis(np.tensordot(_weights(n, cells), field, (1, axis)), 0, axis)
    return field


def _weights(n: int, cells: int) -> Floats:
    """Return the (n, cells + 1) weights of grid points at each pixel."""
    position = np.linspace(0, cells, n, dtype=np.float32)
    cell = np.minimum(position.astype(np.intp), cells - 1)
    t = position - cell
    t = t * t * (3 - 2 * t)
    weights = np.zeros((n, cells + 1), np.float32)
    weights[np.arange(n), cell] = 1 - t
    weights[np.arange(n), cell + 1] = t
    return weights


def apply_curve(image: Floats, x: Floats, y: Floats) -> Floats:
    """Map intensities along the straight segments through knots (x, y), going on straight beyond the ends.

    A sum of clipped ramps: with a handful of knots this is faster than a table or `numpy.interp`.
    """
    slopes = np.diff(y) / np.diff(x)
    result = np.full_like(image, y[0])
    for k, slope in enumerate(slopes):
        low = -np.inf if k == 0 else 0.0
        high = np.inf if k == len(slopes) - 1 else x[k + 1] - x[k]
        ramp = image - np.float32(x[k])
        np.clip(ramp, low, high, out=ramp)
        ramp *= np.float32(slope)
        result += ramp
    return result


def resize_planes(image: Floats, shape: tuple[int, int], *, smooth: bool = True) -> Floats:
    """Resize the last two axes: averaged when shrunk, bilinear (nearest, if not `smooth`) when grown."""
    from PIL import Image

    planes = image.reshape(-1, *image.shape[-2:])
    shrinks = shape[0] * shape[1] < planes.shape[1] * planes.shape[2]
    grow = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    method = Image.Resampling.BOX if shrinks else grow
    resized = [np.asarray(Image.fromarray(plane).resize(shape[::-1], method)) for plane in planes]
    return np.stack(resized).reshape(*image.shape[:-2], *shape)
