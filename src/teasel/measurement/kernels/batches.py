"""Objects of about the same size as one array each, so that a loop over its rows serves them all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batch", "make_batches"]

_LARGEST = 1 << 21  # voxels; what still fits the cache of a processor


@dataclass(frozen=True, eq=False)
class Batch:
    """Some objects on arrays of one shape ([z,] y, x, object), each with a margin of at least one voxel.

    Parameters
    ----------
    shape : tuple of int
        ([z,] y, x, object).
    members : ndarray of int64, shape (object,)
        Which objects.
    voxels : ndarray of int64, shape (n,)
        Which voxels of the list.
    at : ndarray of int64, shape (n,)
        Where each of them lies in an array of `shape`, flattened.
    """

    shape: tuple[int, ...]
    members: NDArray[np.int64]
    voxels: NDArray[np.int64]
    at: NDArray[np.int64]

    def mask(self) -> NDArray[np.bool_]:
        """Return where the objects are."""
        return self.scatter(np.ones(len(self.at), bool), False)

    def scatter(self, values: NDArray, fill: float | bool) -> NDArray:
        """Put one value per voxel of the batch into an array."""
        array = np.full(self.shape, fill, values.dtype)
        array.ravel()[self.at] = values
        return array

    def gather(self, array: NDArray) -> NDArray:
        """Read one value per voxel out of an array."""
        return array.ravel()[self.at]


def make_batches(
    places: NDArray[np.int32], owner: NDArray[np.int32], counts: NDArray[np.int64], extents: NDArray[np.int64]
) -> list[Batch]:
    """Sort objects by size into batches.

    Parameters
    ----------
    places : ndarray of int32, shape (ndim, n)
        Each voxel within the bounding box of its object.
    owner : ndarray of int32, shape (n,)
        Its object, ascending.
    counts : ndarray of int64, shape (objects,)
        Voxels of each object.
    extents : ndarray of int64, shape (objects, ndim)
        Size of each bounding box.

    Examples
    --------
    >>> one = make_batches(np.array([[0, 0]]), np.array([0, 1]), np.array([1, 1]), np.array([[1], [1]]))[0]
    >>> one.shape, one.mask()[1].tolist()
    ((4, 2), [True, True])
    """
    sizes = _rounded(extents + 2)
    shapes, group = np.unique(sizes, axis=0, return_inverse=True)
    starts = np.cumsum(counts) - counts
    batches = []
    for number, size in enumerate(shapes):
        members = np.flatnonzero(group.ravel() == number)
        step = max(1, _LARGEST // int(np.prod(size)))
        for first in range(0, len(members), step):
            some = members[first : first + step]
            shape = (*(int(s) for s in size), len(some))
            slots = np.repeat(np.arange(len(some)), counts[some])
            voxels = np.arange(len(slots)) + np.repeat(
                starts[some] - (np.cumsum(counts[some]) - counts[some]), counts[some]
            )
            where = (*(places[:, voxels] + 1), slots)
            batches.append(Batch(shape, some, voxels, np.ravel_multi_index(where, shape)))
    return batches


def _rounded(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round up, large sizes more coarsely, so that shapes are few and little is wasted."""
    power = np.floor(np.log2(np.maximum(sizes, 1))).astype(np.int64)
    step = np.where(sizes > 64, 2 ** np.maximum(power - 1, 0), np.maximum(2 ** np.maximum(power - 2, 0), 4))
    return -(-sizes // step) * step
