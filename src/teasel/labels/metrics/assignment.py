"""Pairing true with predicted objects one to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.labels.metrics.overlap import Ints, Overlap

__all__ = ["TIE_BREAK", "assign", "match_pairs"]

TIE_BREAK = 1e-9
"""Weight of what decides among equally good pairings, so that scores do not depend on the order of objects."""

_LARGEST_DENSE = 1_000_000


def match_pairs(table: Overlap, threshold: float) -> Ints:
    """Pair objects one to one so that as many pairs as possible reach an IoU.

    Parameters
    ----------
    table : Overlap
        What `teasel.labels.metrics.overlap` counted.
    threshold : float
        Smallest IoU of a pair, in (0, 1]; a pair at exactly the threshold counts.

    Returns
    -------
    ndarray of int64, shape (tp,)
        Positions in ``table.rows`` (and ``columns``, ``pixels``, ``iou``) of the matched pairs, ascending.

    Raises
    ------
    ParameterError
        If the threshold is not in (0, 1].

    Notes
    -----
    Among the pairings with most pairs at or above the threshold, the one with the largest sum of IoU over all
    its pairs, those below the threshold included, is taken: the assignment of ``stardist.matching`` [1]_. Among
    equals, the one with the largest sum of IoU over the pairs that count is taken.

    From 0.5 on no assignment is needed. If a true object A has IoU >= 0.5 with both P and Q, then
    ``|A & P| >= |A | P| / 2 >= |A| / 2`` and the same for Q; P and Q are disjoint, so both are equalities: P and
    Q are the two halves of A, meet no other object, and have IoU exactly 0.5 (and likewise with truth and
    prediction swapped). So the pairs form single edges, or two edges of equal IoU, of which either is a best
    choice.

    References
    ----------
    .. [1] U. Schmidt et al., "Cell Detection with Star-Convex Polygons", MICCAI 2018,
       doi:10.1007/978-3-030-00934-2_30

    Examples
    --------
    >>> from teasel.labels.metrics import overlap
    >>> match_pairs(overlap([1, 1, 1, 2], [5, 5, 3, 3]), 0.5)
    array([1, 2])
    """
    if not 0 < threshold <= 1:
        raise ParameterError(f"IoU threshold {threshold}; expected a number above 0 and at most 1")
    iou = table.iou
    if threshold >= 0.5:
        pairs = np.flatnonzero(iou >= threshold)
        pairs = pairs[_first(table.rows[pairs])]
        return pairs[_first(table.columns[pairs])]
    smaller = max(1, min(len(table.truth_ids), len(table.prediction_ids)))
    found = iou >= threshold
    pairs = assign(table, found + iou / (2 * smaller) + TIE_BREAK * found * iou)
    return pairs[iou[pairs] >= threshold]


def assign(table: Overlap, weight: NDArray[np.float64]) -> Ints:
    """Pair objects one to one so that the sum of the weights of the pairs is largest.

    Parameters
    ----------
    table : Overlap
        Only its overlapping pairs may be paired.
    weight : ndarray of float, shape (k,)
        Gain of each pair, 0 or more.

    Returns
    -------
    ndarray of int64
        Positions in ``table.rows`` of the chosen pairs, ascending.

    Notes
    -----
    Exact. Objects that overlap, directly or through others, form blocks, which are solved one by
    one; so time and memory follow the number of overlapping pairs, not n * m, unless thousands of objects
    hang together. Small blocks are solved as dense matrices [1]_, large ones as sparse graphs [2]_.

    References
    ----------
    .. [1] D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Trans. Aerospace
       and Electronic Systems 2016, doi:10.1109/TAES.2016.140952
    .. [2] R. Jonker, A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
       assignment problems", Computing 1987, doi:10.1007/BF02278710
    """
    if not len(table.rows):
        return np.zeros(0, np.int64)
    chosen = []
    for block in _blocks(table):
        if len(block) == 1:
            chosen.append(block)
            continue
        rows, i = np.unique(table.rows[block], return_inverse=True)
        columns, j = np.unique(table.columns[block], return_inverse=True)
        solve = _solve_dense if len(rows) * len(columns) <= _LARGEST_DENSE else _solve_sparse
        chosen.append(block[solve(i, j, weight[block], len(rows), len(columns))])
    return np.sort(np.concatenate(chosen))


def _blocks(table: Overlap) -> list[Ints]:
    """Group the pairs by the connected component of the graph of overlaps that they belong to."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, m = len(table.truth_ids), len(table.prediction_ids)
    edges = (table.rows, n + table.columns)
    graph = coo_array((np.ones(len(table.rows), bool), edges), shape=(n + m, n + m))
    component = connected_components(graph, directed=False)[1][table.rows]
    order = np.argsort(component, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(component[order])) + 1)


def _solve_dense(i: Ints, j: Ints, weight: NDArray[np.float64], n: int, m: int) -> Ints:
    """Return the positions of the best pairs of one block."""
    from scipy.optimize import linear_sum_assignment

    matrix = np.zeros((n, m))
    matrix[i, j] = weight
    partner = np.full(n, -1)
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    partner[rows] = columns
    return np.flatnonzero(partner[i] == j)


def _solve_sparse(i: Ints, j: Ints, weight: NDArray[np.float64], n: int, m: int) -> Ints:
    """Do the same; each true object may also go to a partner of its own at no gain, so that all have one."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    own = np.arange(n)
    cost = 1 + weight.max() - np.concatenate([weight, np.zeros(n)])  # above 0: stored zeros would not be edges
    graph = csr_array((cost, (np.concatenate([i, own]), np.concatenate([j, m + own]))), shape=(n, m + n))
    partner = min_weight_full_bipartite_matching(graph)[1]
    return np.flatnonzero(partner[i] == j)


def _first(values: Ints) -> Ints:
    """Return the positions of the first of each value, ascending."""
    return np.sort(np.unique(values, return_index=True)[1])
