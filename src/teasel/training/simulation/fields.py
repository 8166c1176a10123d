"""Random fields that make simulated cells irregular: smooth ones for shape and light, rough ones for texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "blur", "rough_field", "smooth_noise"]

Floats = NDArray[np.float32]


def smooth_noise(shape: tuple[int, int], length_px: float, rng: np.random.Generator) -> Floats:
    """Draw a field of mean 0 and deviation about 1 that varies over a length.

    Parameters
    ----------
    shape : tuple of int
        Height and width.
    length_px : float
        Distance between the random values that are joined by smoothstep weights.
    rng : Generator
        Source of chance.

    Returns
    -------
    ndarray of float32, shape (y, x)
    """
    counts = [max(2, int(np.ceil(n / length_px)) + 1) for n in shape]
    rows, columns = (_weights(n, length_px, count, rng) for n, count in zip(shape, counts, strict=True))
    coarse = rng.standard_normal((counts[0] + 1, counts[1] + 1), dtype=np.float32)
    field: Floats = (rows @ coarse @ columns.T).astype(np.float32)
    return field * np.float32(1.35)  # joining takes a quarter of the deviation away


def _weights(n: int, length_px: float, count: int, rng: np.random.Generator) -> Floats:
    """Return the (n, count + 1) weights of grid points, the grid begun at a random phase."""
    position = np.arange(n, dtype=np.float32) / np.float32(length_px) + np.float32(rng.uniform(0, 1))
    cell = np.minimum(position.astype(np.intp), count - 1)
    t = np.clip(position - cell, 0, 1)
    t = t * t * (3 - 2 * t)
    weights = np.zeros((n, count + 1), np.float32)
    weights[np.arange(n), cell] = 1 - t
    weights[np.arange(n), cell + 1] = t
    return weights


def rough_field(shape: tuple[int, int], fine_px: float, coarse_px: float, rng: np.random.Generator) -> Floats:
    """Draw a field of mean 0 and deviation 1 with detail between two lengths: the texture of cytoplasm.

    White noise is blurred to the finer length; what remains after blurring to the coarser one is taken off.
    """
    noise = rng.standard_normal(shape, dtype=np.float32)
    fine = blur(noise, fine_px)
    field = fine - blur(fine, coarse_px)
    return field / np.float32(field.std() + 1e-6)


def blur(image: Floats, sigma_px: float) -> Floats:
    """Blur with a Gaussian, mirrored at the border; wide ones on a reduced grid, which is as exact as it is smooth."""
    from scipy import ndimage

    step = max(int(sigma_px // 4), 2 if sigma_px >= 5 else 1)
    if step < 2:
        return ndimage.gaussian_filter(image, sigma_px, truncate=3.0) if sigma_px > 0.15 else image
    height, width = image.shape
    rows, columns = -(-height // step), -(-width // step)
    padded = np.pad(image, ((0, rows * step - height), (0, columns * step - width)), mode="symmetric")
    small = padded.reshape(rows, step, columns, step).mean((1, 3), dtype=np.float32)
    small = ndimage.gaussian_filter(small, sigma_px / step, truncate=3.0)
    return _between(height, rows, step) @ small @ _between(width, columns, step).T


def _between(n: int, count: int, step: int) -> Floats:
    """Return the (n, count) weights that join values in the middle of blocks of `step` pixels by straight lines."""
    position = np.clip((np.arange(n, dtype=np.float32) - (step - 1) / 2) / step, 0, count - 1)
    cell = np.minimum(position.astype(np.intp), max(count - 2, 0))
    weights = np.zeros((n, count), np.float32)
    weights[np.arange(n), cell] = 1 - (position - cell)
    if count > 1:
        weights[np.arange(n), cell + 1] = position - cell
    return weights
