"""Affinities from what networks give: probabilities to 8 bits, boundary maps to affinities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, ShapeError

__all__ = ["UNIT_OFFSETS", "affinities_of_boundaries", "quantise"]

UNIT_OFFSETS = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
"""Steps of one voxel along z, y and x: a voxel and the next."""


def quantise(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Turn probabilities into 0 .. 255, rounding to nearest; uint8 stays as it is.

    Parameters
    ----------
    values : ndarray of float in [0, 1], or of uint8 (0 .. 255), or bool
        Not finite becomes 0.

    Returns
    -------
    ndarray of uint8, same shape

    Raises
    ------
    DataError
        If the values are of another type, or floats outside [0, 1].

    Examples
    --------
    >>> quantise(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 128, 255]
    """
    if values.dtype == np.uint8:
        return np.asarray(values)
    if values.dtype == bool:
        return np.where(values, 255, 0).astype(np.uint8)
    if values.dtype.kind != "f":
        raise DataError(f"values of type {values.dtype}; expected floats in [0, 1], or uint8 from 0 to 255")
    good = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if good.size and (good.min() < 0 or good.max() > 1):
        raise DataError(f"floats from {good.min():.3g} to {good.max():.3g}; expected probabilities in [0, 1]")
    return np.floor(good.astype(np.float64) * 255 + 0.5).astype(np.uint8)


def affinities_of_boundaries(boundaries: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn a boundary map into affinities of face neighbours: as low as the more boundary-like of the two.

    Parameters
    ----------
    boundaries : ndarray of uint8, shape (z, y, x)
        255 is boundary.

    Returns
    -------
    ndarray of uint8, shape (3, z, y, x)
        Along z, y and x (`UNIT_OFFSETS`); 0 at the last voxel of each line, which has no next.

    Examples
    --------
    >>> affinities_of_boundaries(np.array([[[0, 255, 10]]], np.uint8))[2].tolist()
    [[[0, 0, 0]]]
    """
    if boundaries.ndim != 3 or boundaries.dtype != np.uint8:
        raise ShapeError(f"boundaries are {boundaries.dtype} {boundaries.shape}; expected uint8 (z, y, x)")
    result = np.zeros((3, *boundaries.shape), np.uint8)
    for axis in range(3):
        here, there = [slice(None)] * 3, [slice(None)] * 3
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        result[axis][tuple(here)] = 255 - np.maximum(boundaries[tuple(here)], boundaries[tuple(there)])
    return result
