"""Fields that overlap become one: global coordinates, molecules and cells that two fields show counted once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError, InputNotFound, ParameterError

__all__ = ["Place", "Twins", "keep_cells", "neighbours", "read_places", "same_cells", "same_molecules"]

_SAME = 0.5  # of the smaller cell that must be covered


@dataclass(frozen=True)
class Place:
    """Where a field lies.

    Parameters
    ----------
    origin_px : ndarray of float64, shape (2,)
        Of its first pixel, y and x, on the grid of the whole.
    shape : tuple of int
        Its height and width.
    """

    origin_px: NDArray[np.float64]
    shape: tuple[int, int]

    @property
    def centre_px(self) -> NDArray[np.float64]:
        """Its middle, y and x."""
        return self.origin_px + (np.array(self.shape) - 1) / 2

    def overlaps(self, other: Place, margin_px: float = 0.0) -> bool:
        """Say whether two fields show something in common."""
        low = np.maximum(self.origin_px, other.origin_px)
        high = np.minimum(self.origin_px + self.shape, other.origin_px + other.shape)
        return bool((low - margin_px < high).all())


def read_places(path: Path, fields: tuple[str, ...], pixel_size_um: float | None) -> dict[str, NDArray[np.float64]]:
    """Read where fields lie.

    Parameters
    ----------
    path : pathlib.Path
        CSV with a column ``field`` and the corner of each, ``y_px`` and ``x_px``, or ``y_um`` and ``x_um``.
    fields : tuple of str
        Those that are needed.
    pixel_size_um : float, optional
        Micrometres per pixel, for positions in micrometres.

    Returns
    -------
    dict of str to ndarray
        Pixels, y and x, counted from the first field at the top and at the left.

    Raises
    ------
    InputNotFound, FormatError, ParameterError
        If the file, a column, a field, or the pixel size is missing.
    """
    import pandas

    if not path.is_file():
        raise InputNotFound(f"there is no file of positions {path}; check stitch.positions, it counts from the recipe")
    table = pandas.read_csv(path, dtype={"field": str})
    unit = next((u for u in ("px", "um") if {"field", f"y_{u}", f"x_{u}"} <= set(table)), None)
    if unit is None:
        raise FormatError(
            f"{path.name} has the columns {', '.join(map(str, table))}; expected field, y_px, x_px or field, y_um, x_um"
        )
    if unit == "um" and not pixel_size_um:
        raise ParameterError(f"{path.name} is in micrometres: set images.pixel_size_um, or give y_px and x_px")
    where = dict(zip(table["field"], table[[f"y_{unit}", f"x_{unit}"]].to_numpy(np.float64), strict=True))
    missing = [field for field in fields if field not in where or not np.isfinite(where[field]).all()]
    if missing:
        raise FormatError(f"{path.name} has no position of field {missing[0]!r}; it has: {', '.join(list(where)[:10])}")
    chosen = np.array([where[field] for field in fields]) / (pixel_size_um if unit == "um" and pixel_size_um else 1.0)
    return dict(zip(fields, chosen - chosen.min(axis=0), strict=True))


def same_cells(one: NDArray[Any], other: NDArray[Any], step_px: tuple[int, int]) -> list[tuple[int, int]]:
    """Return pairs of labels of two fields that are the same cell.

    Parameters
    ----------
    one, other : ndarray of int, shape ([z,] y, x)
        Labels of two fields; labels of different dimensions have nothing in common.
    step_px : tuple of int
        Where the other field's first pixel lies on the first's grid, (y, x).

    Returns
    -------
    list of (int, int)
        Labels of which at least half of the smaller one (within what both fields show) is covered by the other; each
        label once, largest overlap first.

    Examples
    --------
    >>> same_cells(np.array([[0, 4, 4]]), np.array([[7, 7, 0]]), (0, 1))
    [(4, 7)]
    """
    if one.ndim != other.ndim:
        return []
    windows = []
    for start, n, m in zip(step_px, one.shape[-2:], other.shape[-2:], strict=True):
        low, high = max(start, 0), min(n, start + m)
        if high <= low:
            return []
        windows.append((slice(low, high), slice(low - start, high - start)))
    (y_one, y_other), (x_one, x_other) = windows
    a, b = (part.astype(np.int64) for part in (one[..., y_one, x_one], other[..., y_other, x_other]))
    sizes = [dict(zip(*np.unique(part, return_counts=True), strict=True)) for part in (a, b)]
    both = (a > 0) & (b > 0)
    pairs, shared = np.unique(np.stack([a[both], b[both]], axis=1), axis=0, return_counts=True)
    found: list[tuple[int, int]] = []
    used: tuple[set[int], set[int]] = (set(), set())
    for k in np.lexsort((pairs[:, 1], pairs[:, 0], -shared)):
        first, second = pairs[k].tolist()
        enough = shared[k] >= _SAME * min(sizes[0][first], sizes[1][second])
        if enough and first not in used[0] and second not in used[1]:
            found.append((first, second))
            used[0].add(first)
            used[1].add(second)
    return found


def keep_cells(
    pairs: list[tuple[tuple[int, int], tuple[int, int]]], sizes: dict[tuple[int, int], int]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Decide which of the cells that are the same is kept: the largest, as the others are cut by a border.

    Parameters
    ----------
    pairs : list of two cells
        A cell is (number of its field, label).
    sizes : dict
        Pixels of each cell in `pairs`.

    Returns
    -------
    dict
        For each cell that is dropped, the one that stands for it.
    """
    parent = {cell: cell for pair in pairs for cell in pair}

    def root(cell: tuple[int, int]) -> tuple[int, int]:
        while parent[cell] != cell:
            parent[cell] = cell = parent[parent[cell]]
        return cell

    for one, other in pairs:
        parent[root(one)] = root(other)
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for cell in sorted(parent):
        groups.setdefault(root(cell), []).append(cell)
    stands = {}
    for cells in groups.values():
        best = min(cells, key=lambda cell: (-sizes[cell], cell))
        stands.update({cell: best for cell in cells if cell != best})
    return stands


@dataclass(frozen=True, eq=False)
class Twins:
    """Molecules that two fields show.

    Parameters
    ----------
    rows : ndarray of int64, shape (n, 2)
        Row of each in its field's table.
    apart_px : ndarray of float64, shape (n, 2)
        Where the second field has it, less where the first has it, y and x.
    """

    rows: NDArray[np.int64]
    apart_px: NDArray[np.float64]


def same_molecules(
    one_px: NDArray[np.float64],
    other_px: NDArray[np.float64],
    one_word: NDArray[Any],
    other_word: NDArray[Any],
    merge_px: float,
) -> Twins:
    """Pair molecules of one word that are each other's nearest, at most `merge_px` apart.

    Parameters
    ----------
    one_px, other_px : ndarray of float64, shape (n, ndim)
        Positions on the grid of the whole.
    one_word, other_word : ndarray of int, shape (n,)
        What they are.
    merge_px : float
        Pixels.

    Examples
    --------
    >>> same_molecules(np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([3]), np.array([3]), 2.0).rows
    array([[0, 0]])
    """
    from scipy.spatial import cKDTree

    if not len(one_px) or not len(other_px):
        return Twins(np.zeros((0, 2), np.int64), np.zeros((0, 2)))
    # words as one more axis, further apart than anything is merged
    one, other = (
        np.column_stack([positions, 4 * merge_px * words])
        for positions, words in ((one_px, one_word), (other_px, other_word))
    )
    away, there = cKDTree(other).query(one, distance_upper_bound=merge_px)
    back = cKDTree(one).query(other, distance_upper_bound=merge_px)[1]
    rows = np.flatnonzero(np.isfinite(away))
    rows = rows[back[there[rows]] == rows]
    pairs = np.stack([rows, there[rows]], axis=1)
    return Twins(pairs, other_px[pairs[:, 1], -2:] - one_px[pairs[:, 0], -2:])


def neighbours(places: list[Place], margin_px: float) -> list[tuple[int, int]]:
    """Return the pairs of fields that overlap."""
    return [(a, b) for a, b in combinations(range(len(places)), 2) if places[a].overlaps(places[b], margin_px)]
