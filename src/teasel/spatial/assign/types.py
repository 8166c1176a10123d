"""Types of cells out of their counts, without a random number: a mixture of multinomials, each cell in one type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.assign.counts import PairCounts

__all__ = ["type_profiles"]

_STEPS = 8
_SAMPLE = 20_000  # cells that types are learnt from
_FEW = 10  # spots that a cell needs to found a type


def type_profiles(counts: PairCounts, n_types: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Group cells by what they express.

    Parameters
    ----------
    counts : PairCounts
        Spots per cell and gene.
    n_types : int
        How many types at most.

    Returns
    -------
    profiles : ndarray of float64, shape (n_types, n_genes)
        Frequency of each gene, all above 0.
    kind : ndarray of int64, shape (n_cells + 1,)
        Type of each cell; the last entry stands for cells without spots, which are of type 0: all cells together.

    Notes
    -----
    Type 0 is the mean of all cells. The others start from the cells that the types before them explain worst, one
    after the other; then cells choose types and types are counted anew.
    """
    matrix = counts.matrix().astype(np.float64)
    overall = (counts.of_gene + 1.0) / (counts.total + len(counts.of_gene))
    profiles = overall[None]
    rich = np.flatnonzero(counts.of_row >= _FEW)
    if len(rich):
        rich = rich[np.unique(np.linspace(0, len(rich) - 1, _SAMPLE).astype(int))]
        sample = matrix[rich]
        size = counts.of_row[rich].astype(np.float64)
        best = sample @ np.log(overall)
        own = _own_likelihood(sample, overall, size)
        for _ in range(min(n_types, len(rich)) - 1):
            worst = int(np.argmax(np.round(own - best, 9)))
            seed = np.asarray(sample[worst].todense()).ravel() + 20 * overall
            profiles = np.vstack([profiles, seed / seed.sum()])
            best = np.maximum(best, sample @ np.log(profiles[-1]))
        for _ in range(_STEPS):
            kind = _choose(sample, profiles)
            fresh = np.vstack([_counts_of(sample, kind == t, overall) for t in range(1, len(profiles))] or [overall])
            profiles = np.vstack([overall, fresh]) if len(profiles) > 1 else profiles
    return profiles, np.append(_choose(matrix, profiles), 0)


def _choose(matrix: Any, profiles: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(np.round(matrix @ np.log(profiles).T, 9).argmax(axis=1), np.int64)


def _counts_of(sample: Any, rows: NDArray[np.bool_], overall: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the profile of some cells, drawn a little to all."""
    total = np.asarray(sample[rows].sum(axis=0)).ravel() + 20 * overall
    return np.asarray(total / total.sum())


def _own_likelihood(sample: Any, overall: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how well each cell would be explained by itself, a little drawn to all."""
    entries = sample.tocoo()
    frequency = (entries.data + 20 * overall[entries.col]) / (size[entries.row] + 20)
    return np.asarray(np.bincount(entries.row, entries.data * np.log(frequency), len(size)), np.float64)
