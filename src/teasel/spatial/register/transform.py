"""Where a place in the reference lies in another round: a shift, an affine map, and local displacements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ShapeError

__all__ = ["LocalShifts", "Transform", "warp"]

_UNDO_STEPS = 12  # displacements are smooth and small, each step gains a digit or more


@dataclass(frozen=True, eq=False)
class LocalShifts:
    """Displacements on a coarse grid, linear in between and constant beyond it.

    Parameters
    ----------
    nodes_px : tuple of ndarray
        Coordinates of the grid along each axis, ascending.
    shifts_px : ndarray of float64, shape (ndim, n_nodes_0, n_nodes_1, ...)
        Displacement at each node.
    """

    nodes_px: tuple[NDArray[np.float64], ...]
    shifts_px: NDArray[np.float64]

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the displacement (n, ndim) at points (n, ndim)."""
        from scipy.ndimage import map_coordinates

        ranks = np.stack(
            [np.interp(points[:, i], nodes, np.arange(len(nodes))) for i, nodes in enumerate(self.nodes_px)]
        )
        return np.stack([map_coordinates(shift, ranks, order=1, mode="nearest") for shift in self.shifts_px], axis=1)


@dataclass(frozen=True, eq=False)
class Transform:
    """Maps a point of the reference to the same place in the moving image: ``matrix @ point + offset + local``.

    Parameters
    ----------
    matrix : ndarray of float64, shape (ndim, ndim)
        Scale, rotation and shear; the identity for a shift.
    offset_px : ndarray of float64, shape (ndim,)
        What is added. A round that drifted by +3 px along x has an offset of +3 there.
    local : LocalShifts, optional
        What is added on top, depending on the place in the reference.

    Examples
    --------
    >>> drift = Transform.shift((0.5, -3.0))
    >>> drift.apply([[10.0, 10.0]])
    array([[10.5,  7. ]])
    >>> drift.undo([[10.5, 7.0]])
    array([[10., 10.]])
    """

    matrix: NDArray[np.float64]
    offset_px: NDArray[np.float64]
    local: LocalShifts | None = field(default=None)

    def __post_init__(self) -> None:
        matrix, offset = np.asarray(self.matrix, np.float64), np.asarray(self.offset_px, np.float64)
        if matrix.shape != (offset.size, offset.size):
            raise ShapeError(f"a matrix of shape {matrix.shape} does not fit an offset of {offset.size} numbers")
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "offset_px", offset)

    @classmethod
    def shift(cls, offset_px: ArrayLike) -> Transform:
        """Return a plain shift."""
        offset = np.asarray(offset_px, np.float64)
        return cls(np.eye(offset.size), offset)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.offset_px.size

    def apply(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map points (n, ndim) of the reference into the moving image."""
        points = np.asarray(points, np.float64)
        moved = points @ self.matrix.T + self.offset_px
        return moved if self.local is None else moved + self.local.at(points)

    def undo(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map points (n, ndim) of the moving image into the reference."""
        points = np.asarray(points, np.float64)
        inverse = np.linalg.inv(self.matrix)
        found = (points - self.offset_px) @ inverse.T
        if self.local is not None:
            for _ in range(_UNDO_STEPS):
                found = (points - self.offset_px - self.local.at(found)) @ inverse.T
        return found

    def moved_by(self, offset_px: ArrayLike) -> Transform:
        """Return the same map with something added to its offset."""
        return Transform(self.matrix, self.offset_px + np.asarray(offset_px, np.float64), self.local)

    def mean_shift_px(self, shape: Sequence[int]) -> NDArray[np.float64]:
        """Return the displacement (ndim,) averaged over an image of that shape."""
        axes = [np.linspace(0, n - 1, 5) for n in shape]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
        return np.asarray((self.apply(grid) - grid).mean(axis=0))


def warp(moving: ArrayLike, transform: Transform, *, order: int = 1) -> NDArray[np.float32]:
    """Bring an image onto the grid of the reference.

    Parameters
    ----------
    moving : array, shape ([z,] y, x)
        The image of another round.
    transform : Transform
        From the reference into `moving`.
    order : int
        0 nearest pixel, 1 linear, 3 cubic.

    Returns
    -------
    ndarray of float32
        Of the same shape; beyond the border of `moving` its nearest pixel is repeated.

    Examples
    --------
    >>> image = np.zeros((5, 5)); image[2, 1] = 1
    >>> warp(image, Transform.shift((0, -1)))[2]
    array([0., 0., 1., 0., 0.], dtype=float32)
    """
    from scipy.ndimage import affine_transform, map_coordinates

    image = np.asarray(moving, np.float32)
    if image.ndim != transform.ndim:
        raise ShapeError(f"a transform of {transform.ndim} dimensions does not fit an image of shape {image.shape}")
    options: dict[str, Any] = {"order": order, "mode": "nearest", "output": np.float32}
    if transform.local is None:
        return np.asarray(affine_transform(image, transform.matrix, transform.offset_px, **options))
    grid = np.stack(np.meshgrid(*map(np.arange, image.shape), indexing="ij"), axis=-1).reshape(-1, image.ndim)
    places = transform.apply(grid).T.reshape(image.ndim, *image.shape)
    return np.asarray(map_coordinates(image, places, **options))
