"""Grey-scale erosion and reconstruction inside objects, for all objects of a batch at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["erode", "reconstruct"]

_FEW = 8  # a sweep costs as much as following one voxel in so many


def erode(image: NDArray, mask: NDArray[np.bool_]) -> NDArray:
    """Return the least value among each voxel and those of its face neighbours that are in the object.

    Parameters
    ----------
    image : ndarray, shape ([z,] y, x, object)
        Values above 0 inside.
    mask : ndarray of bool, same shape
        Inside; with a margin of at least one voxel.

    Examples
    --------
    >>> row = np.array([[0], [3], [5], [9], [0]])
    >>> erode(row, row > 0).ravel().tolist()
    [0, 3, 3, 5, 0]
    """
    high = np.where(mask, image, np.array(np.iinfo(image.dtype).max, image.dtype))
    least = high.copy()
    for axis in range(image.ndim - 1):
        layers, source = np.moveaxis(least, axis, 0), np.moveaxis(high, axis, 0)
        np.minimum(layers[1:], source[:-1], out=layers[1:])
        np.minimum(layers[:-1], source[1:], out=layers[:-1])
    least[~mask] = 0
    return least


def reconstruct(seed: NDArray, image: NDArray) -> NDArray:
    """Let a seed grow from face neighbour to face neighbour, nowhere above the image.

    Parameters
    ----------
    seed, image : ndarray, shape ([z,] y, x, object)
        Values of at least 0, the seed nowhere above the image; 0 in a margin of at least one voxel.

    Notes
    -----
    Sweeps along every axis, both ways, until few voxels still grow; from then on those alone are followed.

    References
    ----------
    Vincent, Morphological grayscale reconstruction in image analysis (1993), doi:10.1109/83.217222.

    Examples
    --------
    >>> image = np.array([[0], [7], [5], [9], [0]])
    >>> seed = np.array([[0], [0], [0], [9], [0]])
    >>> reconstruct(seed, image).ravel().tolist()
    [0, 5, 5, 9, 0]
    """
    grown = seed.copy()
    while True:
        before = grown.copy()
        for axis in range(image.ndim - 1):
            layers, roof = np.moveaxis(grown, axis, 0), np.moveaxis(image, axis, 0)
            room = np.empty(roof.shape[1:], image.dtype)
            for i in range(1, len(layers)):
                np.minimum(layers[i - 1], roof[i], out=room)
                np.maximum(layers[i], room, out=layers[i])
            for i in range(len(layers) - 2, -1, -1):
                np.minimum(layers[i + 1], roof[i], out=room)
                np.maximum(layers[i], room, out=layers[i])
        growing = np.flatnonzero((before != grown).ravel())
        if len(growing) <= grown.size // _FEW:
            _follow(growing, grown, image)
            return grown


def _follow(growing: NDArray[np.int64], grown: NDArray, image: NDArray) -> None:
    """Let the growing voxels lift their neighbours, those theirs, and so on, until none is lifted; in place."""
    level, roof = grown.reshape(-1), image.reshape(-1)
    steps = [s * stride // image.itemsize for stride in image.strides[:-1] for s in (-1, 1)]
    while len(growing):
        lifted = []
        for step in steps:
            beside = growing + step
            height = np.minimum(level[growing], roof[beside])
            higher = height > level[beside]
            beside = beside[higher]
            level[beside] = height[higher]
            lifted.append(beside)
        growing = np.sort(np.concatenate(lifted))
        growing = growing[np.diff(growing, prepend=-1) != 0]
