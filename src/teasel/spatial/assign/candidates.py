"""The nearest cells around each spot, by exact pixel distances that do not depend on tiles."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError
from teasel.spatial.assign.labels import check_places, pixels_of

__all__ = ["find_candidates", "nearest_cells"]

_CHUNK = 200_000  # spots at a time: fits the cache


def nearest_cells(positions_px: ArrayLike, labels: Any, radius_px: float, *, tile_px: int = 2048) -> NDArray[np.uint32]:
    """Give each spot the cell it lies in, or the nearest within a radius.

    Parameters
    ----------
    positions_px : array, shape (n, ndim)
        Spots, (z,) y, x.
    labels : array of int, shape ([z,] y, x)
        Label image, in memory or not.
    radius_px : float
        Largest distance from the spot's pixel to one of the cell's, centre to centre.
    tile_px : int
        Side of the tiles in which labels are read; the result is the same for all.

    Returns
    -------
    ndarray of uint32, shape (n,)
        0 where there is no cell. Of cells equally near, the one with the smallest number.

    Examples
    --------
    >>> labels = np.array([[1, 0, 0, 0, 2]])
    >>> nearest_cells([[0, 1], [0, 2], [0, 3]], labels, 1).tolist()
    [1, 0, 2]
    >>> nearest_cells([[0, 2]], labels, 2).tolist()
    [1]
    """
    return find_candidates(positions_px, labels, radius_px, 1, tile_px=tile_px)[0][:, 0]


def find_candidates(
    positions_px: ArrayLike,
    labels: Any,
    radius_px: float,
    n_candidates: int,
    *,
    tile_px: int = 2048,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Find the nearest few cells of each spot.

    Parameters
    ----------
    positions_px, labels, radius_px, tile_px
        As for `nearest_cells`.
    n_candidates : int
        How many cells at most.
    progress : callable, optional
        Called with the number of tiles done and in all.

    Returns
    -------
    cells : ndarray of uint32, shape (n, n_candidates)
        Nearest first, 0 where there is none. A spot inside a cell has that cell first.
    distances_px : ndarray of float32, shape (n, n_candidates)
        Infinite where there is none.
    """
    positions, labels = check_places(positions_px, labels)
    if not radius_px >= 0:
        raise ParameterError(f"the radius is {radius_px}; expected 0 or more pixels")
    shape = tuple(labels.shape)
    offsets, squared = _offsets(radius_px, len(shape))
    reach = int(np.floor(radius_px))
    cells = np.zeros((len(positions), n_candidates), np.uint32)
    distances = np.full((len(positions), n_candidates), np.inf, np.float32)
    pixels, inside = pixels_of(positions, shape)
    tile_of = np.where(inside, _tile_numbers(pixels, shape, tile_px), -1)
    order = np.argsort(tile_of, kind="stable")
    tiles, starts = np.unique(tile_of[order], return_index=True)
    ends = np.append(starts, len(order))[1:]
    for done, (tile, start, end) in enumerate(zip(tiles.tolist(), starts, ends, strict=True)):
        if tile >= 0:
            origin, crop = _read_tile(labels, tile, shape, tile_px, reach)
            for first in range(start, end, _CHUNK):
                rows = order[first : min(first + _CHUNK, end)]
                cells[rows], found = _search(pixels[rows] - origin, crop, offsets, squared, n_candidates)
                distances[rows] = np.sqrt(found, dtype=np.float32)
        if progress:
            progress(done + 1, len(tiles))
    return cells, distances


def _offsets(radius_px: float, ndim: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pixels of a ball, nearest first, with their squared distances."""
    reach = int(np.floor(radius_px))
    axes = [np.arange(-reach, reach + 1)] * ndim
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, ndim)
    squared = (grid**2).sum(axis=1)
    order = np.argsort(squared, kind="stable")
    order = order[squared[order] <= radius_px**2]
    return grid[order], squared[order]


def _tile_numbers(pixels: NDArray[np.int64], shape: tuple[int, ...], tile_px: int) -> NDArray[np.int64]:
    number = np.zeros(len(pixels), np.int64)
    for axis, n in enumerate(shape):
        number = number * (-(-n // tile_px)) + np.clip(pixels[:, axis], 0, n - 1) // tile_px
    return number


def _read_tile(
    labels: Any, tile: int, shape: tuple[int, ...], tile_px: int, reach: int
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return where a tile with its margin begins, and its labels; 0 beyond the image."""
    index = np.array(np.unravel_index(tile, [-(-n // tile_px) for n in shape]))
    begin, end = index * tile_px - reach, np.minimum((index + 1) * tile_px, shape) + reach
    low, high = np.maximum(begin, 0), np.minimum(end, shape)
    inside = np.asarray(labels[tuple(map(slice, low, high))])
    crop = np.zeros(end - begin, np.uint32)
    crop[tuple(map(slice, low - begin, high - begin))] = np.where(inside > 0, inside, 0)
    return begin, crop


def _search(
    pixels: NDArray[np.int64],
    crop: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    squared: NDArray[np.int64],
    n_candidates: int,
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Look at the pixels around each spot, ring by ring; in a ring, the smallest label comes first."""
    flat, strides = crop.ravel(), np.array(crop.strides) // crop.itemsize
    here, steps = pixels @ strides, offsets @ strides
    cells = np.zeros((len(pixels), n_candidates), np.uint32)
    found = np.full((len(pixels), n_candidates), np.inf)
    open_rows = np.arange(len(pixels))
    edges = np.flatnonzero(np.diff(squared, prepend=-1, append=-1))
    for first, last in pairwise(edges.tolist()):
        ring = flat[here[open_rows, None] + steps[first:last]]
        hit = np.flatnonzero(ring.any(axis=1))
        if len(hit):
            _add(cells, found, open_rows[hit], np.sort(ring[hit], axis=1), float(squared[first]))
            open_rows = open_rows[cells[open_rows, -1] == 0]
        if not len(open_rows):
            break
    return cells, found


def _add(
    cells: NDArray[np.uint32],
    found: NDArray[np.float64],
    rows: NDArray[np.int64],
    around: NDArray[np.uint32],
    squared: float,
) -> None:
    """Add the cells around to what is known of each row, smallest label first, as far as there is room."""
    for label in around.T:
        known = cells[rows]
        count = (known > 0).sum(axis=1)
        new = np.flatnonzero((label > 0) & (known != label[:, None]).all(axis=1) & (count < cells.shape[1]))
        cells[rows[new], count[new]] = label[new]
        found[rows[new], count[new]] = squared
