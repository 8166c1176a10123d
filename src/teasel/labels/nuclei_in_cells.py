"""Nuclei and whole cells of one field, brought to agree: every nucleus lies in one cell, or in none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError
from teasel.labels.connected import keep_largest
from teasel.labels.fill import fill_holes

__all__ = ["NucleiInCells", "pair_nuclei"]


@dataclass(frozen=True, eq=False)
class NucleiInCells:
    """Nuclei and cells that agree, and which belongs to which.

    Parameters
    ----------
    nuclei : ndarray of uint32, shape ([z,] y, x)
        Nuclei 1 .. n; each shares pixels with its own cell at most.
    cells : ndarray of uint32, shape ([z,] y, x)
        Whole cells, numbered as given.
    given : ndarray of int64, shape (n,)
        The number each nucleus was given with; one of which nothing is left is not among them.
    cell_of : ndarray of int64, shape (n,)
        ``cell_of[i]`` is the cell of nucleus ``i + 1``; 0 if it has none.
    nucleus_of : ndarray of int64, shape (m,)
        ``nucleus_of[i]`` is the largest nucleus of cell ``i + 1``; 0 if it has none.
    n_nuclei : ndarray of int64, shape (m,)
        Nuclei of each cell.
    nuclear_area_px : ndarray of int64, shape (m,)
        Pixels of all nuclei of each cell.
    """

    nuclei: NDArray[np.uint32]
    cells: NDArray[np.uint32]
    given: NDArray[np.int64]
    cell_of: NDArray[np.int64]
    nucleus_of: NDArray[np.int64]
    n_nuclei: NDArray[np.int64]
    nuclear_area_px: NDArray[np.int64]

    @property
    def cells_without_nucleus(self) -> NDArray[np.int64]:
        """Labels of the cells that have no nucleus."""
        return np.flatnonzero(self.n_nuclei == 0) + 1

    @property
    def nuclei_without_cell(self) -> NDArray[np.int64]:
        """Labels of the nuclei that lie in no cell."""
        return np.flatnonzero(self.cell_of == 0) + 1


def pair_nuclei(nuclei: NDArray[np.integer], cells: NDArray[np.integer], *, least_share: float = 0.5) -> NucleiInCells:
    """Give each nucleus to the cell that holds most of it, and make the two label images agree.

    Parameters
    ----------
    nuclei : ndarray of int, shape ([z,] y, x)
        Nuclei 1 .. n, each connected; 0 is background.
    cells : ndarray of int, shape ([z,] y, x)
        Whole cells 1 .. m, each connected and without holes.
    least_share : float
        Share of a nucleus, above 0 to 1, that must lie in cells; one with less has no cell.

    Returns
    -------
    NucleiInCells
        A nucleus gives up what lies in other cells. A cell takes in what sticks out of it into the background, as a
        nucleus is part of its cell. Both stay connected. A nucleus without a cell gives up what lies in cells.

    Raises
    ------
    ShapeError
        If the two differ in shape.
    ParameterError
        If `least_share` is out of its range.

    Examples
    --------
    >>> cells = np.array([[1, 1, 1, 2, 2, 0]])
    >>> nuclei = np.array([[0, 1, 1, 1, 2, 2]])
    >>> found = pair_nuclei(nuclei, cells)
    >>> found.cell_of.tolist(), found.nuclei.tolist(), found.cells.tolist()
    ([1, 2], [[0, 1, 1, 0, 2, 2]], [[1, 1, 1, 2, 2, 2]])
    """
    if nuclei.shape != cells.shape:
        raise ShapeError(f"nuclei have shape {nuclei.shape}, cells {cells.shape}; they must be of the same field")
    if not 0 < least_share <= 1:
        raise ParameterError(f"least_share is {least_share}; expected a number above 0, up to 1")
    n, m = int(nuclei.max(initial=0)), int(cells.max(initial=0))
    cell_of = _choose(nuclei, cells, n, m, least_share)  # (n + 1,), 0 for the background
    kept = keep_largest(np.where((cells == 0) | (cells == cell_of[nuclei]), nuclei, 0))
    grown = fill_holes(keep_largest(np.where(cells > 0, cells, cell_of[kept])))
    kept = keep_largest(np.where(grown == cell_of[kept], kept, 0))
    areas = np.bincount(kept.ravel(), minlength=n + 1)
    given = np.flatnonzero(areas[1:]) + 1
    number = np.zeros(n + 1, np.uint32)
    number[given] = np.arange(1, len(given) + 1)
    owner, areas = cell_of[given], areas[given]
    nucleus_of = np.zeros(m + 1, np.int64)
    order = np.argsort(areas, kind="stable")  # the largest is written last
    nucleus_of[owner[order]] = order + 1
    return NucleiInCells(
        nuclei=number[kept],
        cells=grown.astype(np.uint32),
        given=given,
        cell_of=owner,
        nucleus_of=nucleus_of[1:],
        n_nuclei=np.bincount(owner, minlength=m + 1)[1:],
        nuclear_area_px=np.bincount(owner, areas, minlength=m + 1)[1:].astype(np.int64),
    )


def _choose(
    nuclei: NDArray[np.integer], cells: NDArray[np.integer], n: int, m: int, least_share: float
) -> NDArray[np.int64]:
    """Return for each nucleus 0 .. n the cell that shares most pixels with it; 0 if too little of it lies in cells."""
    area = np.bincount(nuclei.ravel(), minlength=n + 1)
    both = (nuclei > 0) & (cells > 0)
    keys, shared = np.unique(nuclei[both].astype(np.int64) * (m + 1) + cells[both], return_counts=True)
    order = np.lexsort((-keys, shared))  # the largest share, of equals the first cell, is written last
    chosen = np.zeros(n + 1, np.int64)
    chosen[keys[order] // (m + 1)] = keys[order] % (m + 1)
    in_cells = np.bincount(nuclei[both], minlength=n + 1)
    return np.where(in_cells >= least_share * area, chosen, 0)
