"""Coarser grids and voxel edges: what members agree on about where things lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError

__all__ = ["as_int32", "check_ndim", "edge_lengths", "inner_boundary", "sampled"]


def as_int32(labels: NDArray[np.integer]) -> NDArray[np.int32]:
    """Copy labels into the type that kernels take; if ids exceed the number of pixels, ranks take their place.

    Tables with a row per id then never need more memory than the image.

    Examples
    --------
    >>> as_int32(np.array([0, 2**31 - 1, -1])).tolist()
    [0, 1, -1]
    """
    if labels.size and int(labels.max()) > labels.size:
        ids, rank = np.unique(labels, return_inverse=True)
        ranks = np.where(ids > 0, np.cumsum(ids > 0), np.sign(ids))
        return np.ascontiguousarray(ranks[rank].reshape(labels.shape), np.int32)
    return np.array(labels, np.int32, order="C")


def check_ndim(name: str, ndim: int) -> int:
    """Refuse anything but 2 or 3 spatial dimensions.

    Raises
    ------
    ShapeError
        If `ndim` is not 2 or 3.
    """
    if ndim not in (2, 3):
        raise ShapeError(f"{name} needs 2 or 3 spatial dimensions, got {ndim}; take one plane or one volume at a time")
    return ndim


def edge_lengths(spacing: Sequence[float] | None, ndim: int) -> tuple[float, ...]:
    """Scale voxel edges so that the shortest is 1; lengths then count pixels of the finest axis.

    Raises
    ------
    ShapeError
        If there is not one edge per axis.
    ParameterError
        If an edge is not a number above 0.

    Examples
    --------
    >>> edge_lengths((2.0, 0.5, 0.5), 3)
    (4.0, 1.0, 1.0)
    """
    if spacing is None:
        return (1.0,) * ndim
    edges = np.asarray(spacing, np.float64)
    if edges.shape != (ndim,):
        raise ShapeError(f"spacing {tuple(spacing)} names {edges.size} axes, the array has {ndim}; give one edge each")
    if not (np.isfinite(edges).all() and (edges > 0).all()):
        raise ParameterError(f"spacing {tuple(spacing)}: expected edge lengths above 0")
    return tuple(float(edge) for edge in edges / edges.min())


def sampled(array: NDArray, stride: int) -> NDArray:
    """Take one pixel per grid cell, from the middle of the cell (of the two next to it, the later).

    Examples
    --------
    >>> sampled(np.arange(7), 2).tolist()
    [1, 3, 5, 6]
    """
    for axis, n in enumerate(array.shape):
        array = np.take(array, np.minimum(np.arange(0, n, stride) + stride // 2, n - 1), axis)
    return array


def inner_boundary(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Mark object pixels that share a face with another label.

    Examples
    --------
    >>> inner_boundary(np.array([[0, 3, 3, 3, 4]])).astype(int).tolist()
    [[0, 1, 0, 1, 1]]
    """
    edge = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        value, mark = np.moveaxis(labels, axis, 0), np.moveaxis(edge, axis, 0)
        differs = value[1:] != value[:-1]
        mark[1:] |= differs
        mark[:-1] |= differs
    return edge & (labels > 0)
