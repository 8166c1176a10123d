"""The nearest cells around each spot, by exact pixel distances that do not depend on tiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError
from teasel.spatial.assign.labels import check_places, pixels_of

__all__ = ["find_candidates", "nearest_cells"]


def nearest_cells(positions_px: ArrayLike, labels: Any, radius_px: float, *, tile_px: int = 1024) -> NDArray[np.uint32]:
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
    tile_px: int = 1024,
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
            rows = order[start:end]
            cells[rows], found = _search(pixels[rows] - origin, crop, radius_px, n_candidates)
            distances[rows] = np.sqrt(found, dtype=np.float32)
        if progress:
            progress(done + 1, len(tiles))
    return cells, distances


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
    pixels: NDArray[np.int64], crop: NDArray[np.uint32], radius_px: float, n_candidates: int
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Measure each cell of a tile against the spots around it, and keep the nearest cells of each spot."""
    from scipy.ndimage import distance_transform_edt, find_objects

    names, inverse = np.unique(crop, return_inverse=True)
    number: NDArray[np.int32] = inverse.reshape(crop.shape).astype(np.int32)
    if names[0] != 0:
        number = np.asarray(number + 1, np.int32)
    names = names[names > 0]
    flat = np.ravel_multi_index(tuple(pixels.T), crop.shape)
    order = np.argsort(flat, kind="stable")
    flat, reach = flat[order], int(np.floor(radius_px))
    pairs: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
    for k, box in enumerate(find_objects(number)):
        window = tuple(
            slice(max(s.start - reach, 0), min(s.stop + reach, n)) for s, n in zip(box, crop.shape, strict=True)
        )
        rows = _inside(flat, window, crop.shape)
        if len(rows):
            squared = np.rint(distance_transform_edt(number[window] != k + 1) ** 2).astype(np.int64)
            local = np.unravel_index(flat[rows], crop.shape)
            found = squared[tuple(at - cut.start for at, cut in zip(local, window, strict=True))]
            near = found <= radius_px**2
            pairs.append((order[rows[near]], found[near], np.full(int(near.sum()), k, np.int64)))
    return _nearest_few(pairs, names, len(pixels), n_candidates)


def _inside(flat: NDArray[np.int64], window: tuple[slice, ...], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the ranks, in sorted pixel numbers, of those inside a window."""
    lines: NDArray[np.int64] = np.zeros(1, np.int64)
    for cut, n in zip(window[:-1], shape[:-1], strict=True):
        lines = np.asarray(lines[:, None] * n + np.arange(cut.start, cut.stop), np.int64).reshape(-1)
    low = np.searchsorted(flat, lines * shape[-1] + window[-1].start)
    high = np.searchsorted(flat, lines * shape[-1] + window[-1].stop)
    length = high - low
    return np.repeat(low - np.concatenate([[0], np.cumsum(length)[:-1]]), length) + np.arange(length.sum())


def _nearest_few(
    pairs: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]],
    names: NDArray[np.uint32],
    n: int,
    n_candidates: int,
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Keep the nearest cells of each spot; of equally near ones those with the smallest labels."""
    cells, found = np.zeros((n, n_candidates), np.uint32), np.full((n, n_candidates), np.inf)
    if pairs:
        spot, squared, cell = (np.concatenate(part) for part in zip(*pairs, strict=True))
        by = np.lexsort((cell, squared, spot))
        spot, squared, cell = spot[by], squared[by], cell[by]
        starts = np.flatnonzero(np.diff(spot, prepend=-1))
        rank = np.arange(len(spot)) - np.repeat(starts, np.diff(np.append(starts, len(spot))))
        kept = rank < n_candidates
        cells[spot[kept], rank[kept]] = names[cell[kept]]
        found[spot[kept], rank[kept]] = squared[kept]
    return cells, found
