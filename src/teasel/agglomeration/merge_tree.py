"""The merge tree: every merge in order with its score, so that any threshold is a lookup."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError

__all__ = ["ONE", "MergeTree"]

ONE = 255 << 16
"""Score of an affinity of 1: scores are affinities (0 to 255) times 2**16, rounded down."""


@dataclass(frozen=True, eq=False)
class MergeTree:
    """What was merged with what, best first.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n,)
        Supervoxels, ascending.
    pairs : ndarray of int32, shape (k, 2)
        Places in `ids`: of the two clusters merged, the first supervoxel of each, smaller first.
    scores : ndarray of int32, shape (k,)
        Score of each merge, in 1/`ONE`.

    Notes
    -----
    Scores only fall from merge to merge. A threshold keeps every merge before the first whose score is below it: the
    clusters at which merging would have stopped.

    Examples
    --------
    >>> tree = MergeTree(np.array([4, 9], np.uint64), np.array([[0, 1]], np.int32), np.array([ONE // 2], np.int32))
    >>> tree.cut(0.4).tolist(), tree.cut(0.6).tolist()
    ([1, 1], [1, 2])
    """

    ids: NDArray[np.uint64]
    pairs: NDArray[np.int32]
    scores: NDArray[np.int32]

    def kept(self, threshold: float) -> int:
        """Return how many merges a threshold keeps.

        Raises
        ------
        ParameterError
            If it is not in [0, 1].
        """
        if not 0 <= threshold <= 1:
            raise ParameterError(f"threshold {threshold}; expected an affinity from 0 to 1")
        below = self.scores < round(threshold * ONE)
        return int(below.argmax()) if below.any() else len(self.scores)

    def cut(self, threshold: float) -> NDArray[np.int64]:
        """Return the segment of each supervoxel at a threshold.

        Parameters
        ----------
        threshold : float
            Affinity in [0, 1] below which nothing is merged.

        Returns
        -------
        ndarray of int64, shape (n,)
            1 .. number of segments, in the order of each segment's first supervoxel.
        """
        from teasel.agglomeration.greedy import join

        return number_clusters(join(self.pairs[: self.kept(threshold)], len(self.ids)))


def number_clusters(first: NDArray[np.int32]) -> NDArray[np.int64]:
    """Number clusters 1 .. k in the order of their first members.

    Examples
    --------
    >>> number_clusters(np.array([0, 1, 0, 3], np.int32)).tolist()
    [1, 2, 1, 3]
    """
    is_first = first == np.arange(len(first))
    return np.cumsum(is_first)[first]
