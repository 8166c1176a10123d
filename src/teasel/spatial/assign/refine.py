"""Spots outside nuclei to the cell that explains them best: by distance, and by what the cell expresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.spatial.assign.candidates import find_candidates
from teasel.spatial.assign.counts import PairCounts, count_pairs
from teasel.spatial.assign.memory import check_memory
from teasel.spatial.assign.types import type_profiles

__all__ = ["Refinement", "refine_cells"]

_CHUNK = 1_000_000
_DIGITS = 9  # scores are compared to this many decimals, so that no order of work can decide


@dataclass(frozen=True)
class Refinement:
    """How spots outside nuclei are given to cells.

    Parameters
    ----------
    radius_px : float
        No cell reaches further than this from its nucleus.
    decay_px : float
        Over this distance from the nucleus the density of a cell's spots falls to 1/e.
    n_candidates : int
        How many of the nearest cells compete for a spot.
    n_types : int
        Types of cells, from which a cell with few spots borrows.
    prior_spots : float
        How many spots' worth a cell borrows from its type.
    background : float
        Density of spots outside all cells, relative to that inside a nucleus; 0 to give every spot within the
        radius to a cell.
    n_iterations : int
        Most rounds of giving spots and counting anew.
    max_memory_gb : float
        More is refused before work begins, with the number that is needed.

    Raises
    ------
    ParameterError
        If a number is out of range.
    """

    radius_px: float = 20.0
    decay_px: float = 8.0
    n_candidates: int = 3
    n_types: int = 12
    prior_spots: float = 50.0
    background: float = 0.005
    n_iterations: int = 10
    max_memory_gb: float = 8.0

    def __post_init__(self) -> None:
        for name in ("radius_px", "decay_px", "n_candidates", "n_types", "prior_spots", "max_memory_gb"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected a number above 0")
        if self.background < 0 or self.n_iterations < 0:
            raise ParameterError("background and n_iterations must be 0 or more")


def refine_cells(
    positions_px: ArrayLike,
    genes: ArrayLike,
    nuclei: Any,
    settings: Refinement | None = None,
    *,
    tile_px: int = 1024,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint32]:
    """Assign spots to cells that grow out of nuclei.

    Spots in a nucleus belong to it, whatever they are. Every other spot goes to the one of its nearest cells, or to
    the background, for which density at that distance times frequency of the gene in the cell is largest. A cell's
    frequencies are those of the spots it has so far, drawn to those of its type. Spots are given and cells counted
    anew until nothing changes.

    Parameters
    ----------
    positions_px : array, shape (n, ndim)
        Spots, (z,) y, x.
    genes : array of int, shape (n,)
        Number of the gene of each, 0, 1, ...
    nuclei : array of int, shape ([z,] y, x)
        Label image of the nuclei, in memory or not.
    settings : Refinement, optional
        How.
    tile_px : int
        Side of the tiles in which labels are read; the result is the same for all, bit for bit.
    progress : callable, optional
        Called with the number of steps done and in all.

    Returns
    -------
    ndarray of uint32, shape (n,)
        Label of the cell; 0 for background.

    Raises
    ------
    ShapeError
        If lengths or dimensions do not fit.
    DataError
        If a gene is negative, or memory would not do.

    Notes
    -----
    Deterministic: all that is summed up are whole numbers, and no random number is drawn. A spot does not count in
    the frequencies that it is itself judged by.

    Examples
    --------
    >>> nuclei = np.array([[1, 1, 0, 0, 0, 2, 2]])
    >>> spots = [[0, 0], [0, 1], [0, 5], [0, 6], [0, 3]]
    >>> refine_cells(spots, [0, 0, 1, 1, 1], nuclei, Refinement(n_types=2)).tolist()  # the last is of gene 1
    [1, 1, 2, 2, 2]
    """
    settings = settings or Refinement()
    codes = np.asarray(genes)
    n = len(codes)
    if codes.ndim != 1 or len(np.asarray(positions_px)) != n:
        raise ShapeError(f"{len(np.asarray(positions_px))} positions and genes of shape {codes.shape}; one gene each")
    if n and codes.min() < 0:
        raise DataError("a gene is negative; number genes from 0 and leave spots without a gene out")
    check_memory(n, settings.n_candidates, settings.max_memory_gb)
    candidates, distances = find_candidates(
        positions_px, nuclei, settings.radius_px, settings.n_candidates, tile_px=tile_px
    )
    seeded = distances[:, 0] == 0
    cells = np.where(seeded, candidates[:, 0], 0).astype(np.uint32)
    free = np.flatnonzero(~seeded & (candidates[:, 0] > 0))
    n_genes = int(codes.max()) + 1 if n else 0
    for step in range(settings.n_iterations):
        counts = count_pairs(cells, codes, n_genes)
        if progress:
            progress(step, settings.n_iterations)
        if not counts.total:
            break
        chosen = _choose(free, cells, codes, candidates, distances, counts, settings)
        if np.array_equal(chosen, cells[free]):
            break
        cells[free] = chosen
    if progress:
        progress(settings.n_iterations, settings.n_iterations)
    return cells


def _choose(
    free: NDArray[np.int64],
    cells: NDArray[np.uint32],
    codes: NDArray[Any],
    candidates: NDArray[np.uint32],
    distances: NDArray[np.float32],
    counts: PairCounts,
    settings: Refinement,
) -> NDArray[np.uint32]:
    """Give each free spot to the best of its candidates, or to none."""
    profiles, kind = type_profiles(counts, settings.n_types)
    overall = (counts.of_gene + 1) / (counts.total + len(counts.of_gene))
    chosen = np.zeros(len(free), np.uint32)
    for start in range(0, len(free), _CHUNK):
        rows = free[start : start + _CHUNK]
        gene, now = codes[rows], cells[rows]
        best = np.round(np.log(max(settings.background, 1e-300) * overall[gene]), _DIGITS)
        winner = np.zeros(len(rows), np.uint32)
        for k in range(candidates.shape[1]):
            cell = candidates[rows, k]
            own = ((cell == now) & (cell > 0)).astype(np.int64)  # a spot does not speak for itself
            have = counts.of_pair(cell, gene) - own
            total = counts.of_cell(cell) - own
            borrowed = profiles[kind[counts.row_of(cell)], gene]
            frequency = (have + settings.prior_spots * borrowed) / (total + settings.prior_spots)
            score = np.round(np.log(frequency) - distances[rows, k].astype(np.float64) / settings.decay_px, _DIGITS)
            better = (cell > 0) & (score > best)
            best[better], winner[better] = score[better], cell[better]
        chosen[start : start + _CHUNK] = winner
    return chosen
