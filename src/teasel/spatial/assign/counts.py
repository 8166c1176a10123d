"""How many spots of each gene each cell has, in whole numbers, however many cells there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["PairCounter", "PairCounts", "count_pairs"]

_CHUNK = 5_000_000
_BITS = 31  # of a key that are the gene's


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts of pairs of cell and gene, without the zeros.

    Parameters
    ----------
    cells : ndarray of uint32, shape (n_cells,)
        Labels that have spots, ascending.
    keys : ndarray of int64, shape (n_pairs,)
        Row in `cells` times number of genes, plus gene; ascending.
    values : ndarray of int64, shape (n_pairs,)
        Counts.
    of_row : ndarray of int64, shape (n_cells,)
        Spots of each cell.
    of_gene : ndarray of int64, shape (n_genes,)
        Spots of each gene in cells.
    """

    cells: NDArray[np.uint32]
    keys: NDArray[np.int64]
    values: NDArray[np.int64]
    of_row: NDArray[np.int64]
    of_gene: NDArray[np.int64]

    @property
    def total(self) -> int:
        """Spots in cells."""
        return int(self.of_gene.sum())

    def row_of(self, cell: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the row of each label; the last row, of no cell, for one that has no spots."""
        row = np.searchsorted(self.cells, cell)
        known = row < len(self.cells)
        known[known] = self.cells[row[known]] == cell[known]
        return np.where(known, row, len(self.cells))

    def of_cell(self, cell: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return how many spots each label has."""
        return np.append(self.of_row, 0)[self.row_of(cell)]

    def of_pair(self, cell: NDArray[np.uint32], gene: NDArray[Any]) -> NDArray[np.int64]:
        """Return how many spots of a gene each label has."""
        key = self.row_of(cell) * len(self.of_gene) + gene
        at = np.searchsorted(self.keys, key)
        known = at < len(self.keys)
        known[known] = self.keys[at[known]] == key[known]
        return np.where(known, np.append(self.values, 0)[np.minimum(at, len(self.values))], 0)

    def matrix(self) -> Any:
        """Return the counts as a sparse matrix (n_cells, n_genes) of int64, in CSR form."""
        from scipy.sparse import csr_matrix

        n_genes = max(len(self.of_gene), 1)
        return csr_matrix(
            (self.values, (self.keys // n_genes, self.keys % n_genes)), shape=(len(self.cells), len(self.of_gene))
        )


class PairCounter:
    """Counts pairs of cell and gene as they come, a part at a time; memory grows with the pairs, not with the spots.

    Examples
    --------
    >>> counter = PairCounter()
    >>> counter.add([7, 7, 0], [1, 1, 0])
    >>> counter.add([9], [0])
    >>> counter.result(2).matrix().toarray().tolist()
    [[0, 2], [1, 0]]
    """

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.int64)
        self._count = np.zeros(0, np.int64)

    def add(self, cells: ArrayLike, genes: ArrayLike) -> None:
        """Count the cells (n,) and genes (n,) of some spots; cell 0 does not count."""
        labels, codes = np.asarray(cells, np.uint32), np.asarray(genes)
        inside = labels > 0
        keys, times = np.unique((labels[inside].astype(np.int64) << _BITS) | codes[inside], return_counts=True)
        self._keys, where = np.unique(np.concatenate([self._keys, keys]), return_inverse=True)
        self._count = np.bincount(where, np.concatenate([self._count, times]), len(self._keys)).astype(np.int64)

    def result(self, n_genes: int, place: NDArray[np.int64] | None = None) -> PairCounts:
        """Return the counts; `place` gives each gene another number, shape (n_genes,)."""
        names, row = np.unique(self._keys >> _BITS, return_inverse=True)
        gene = self._keys & ((1 << _BITS) - 1)
        if place is not None and len(gene):
            gene = place[gene]
        keys = row * n_genes + gene
        order = np.argsort(keys)
        return PairCounts(
            names.astype(np.uint32),
            keys[order],
            self._count[order],
            np.bincount(row, self._count, len(names)).astype(np.int64),
            np.bincount(gene, self._count, n_genes).astype(np.int64),
        )


def count_pairs(cells: ArrayLike, genes: ArrayLike, n_genes: int) -> PairCounts:
    """Count spots by cell and gene, a part at a time.

    Parameters
    ----------
    cells : array of uint32, shape (n,)
        0 does not count.
    genes : array of int, shape (n,)
        In 0 ... n_genes - 1.
    n_genes : int
        How many genes there are.

    Examples
    --------
    >>> counts = count_pairs([7, 7, 0, 9], [1, 1, 0, 0], 2)
    >>> counts.cells.tolist(), counts.matrix().toarray().tolist()
    ([7, 9], [[0, 2], [1, 0]])
    """
    labels, codes = np.asarray(cells, np.uint32), np.asarray(genes)
    counter = PairCounter()
    for start in range(0, len(labels), _CHUNK):
        counter.add(labels[start : start + _CHUNK], codes[start : start + _CHUNK])
    return counter.result(n_genes)
