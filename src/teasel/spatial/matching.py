"""How well found spots agree with true ones: one to one, as many pairs as possible, nearest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError

__all__ = ["Agreement", "match_spots"]

MATCH_PX = 3.0


@dataclass(frozen=True, eq=False)
class Agreement:
    """Pairs of true and found spots.

    Parameters
    ----------
    n_true, n_found : int
        Spots on each side.
    pairs : ndarray of int, shape (m, 2)
        Row numbers of a true and a found spot.
    distances_px : ndarray of float64, shape (m,)
        Of each pair.
    """

    n_true: int
    n_found: int
    pairs: NDArray[np.intp]
    distances_px: NDArray[np.float64]

    @property
    def f1(self) -> float:
        """Twice the pairs over all spots of both sides; NaN if there is none."""
        total = self.n_true + self.n_found
        return 2 * len(self.pairs) / total if total else float("nan")

    @property
    def precision(self) -> float:
        """Share of found spots that are true; NaN if none was found."""
        return len(self.pairs) / self.n_found if self.n_found else float("nan")

    @property
    def recall(self) -> float:
        """Share of true spots that are found; NaN if there is none."""
        return len(self.pairs) / self.n_true if self.n_true else float("nan")

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each found spot has a true partner, shape (n_found,)."""
        result = np.zeros(self.n_found, bool)
        result[self.pairs[:, 1]] = True
        return result


def match_spots(
    true_px: NDArray[np.floating], found_px: NDArray[np.floating], *, distance_px: float = MATCH_PX
) -> Agreement:
    """Pair true and found spots one to one.

    Among all pairings that only join spots within `distance_px`, the one with most pairs is taken, and of these the
    one with the smallest sum of distances (the assignment problem, solved for each group of neighbours on its own).

    Parameters
    ----------
    true_px, found_px : ndarray of float, shapes (n, ndim) and (m, ndim)
        Positions in pixels.
    distance_px : float
        Largest distance of a pair, above 0.

    Returns
    -------
    Agreement

    Raises
    ------
    ShapeError, ParameterError
        If the positions do not fit together or the distance is not above 0.

    References
    ----------
    Kuhn 1955, doi:10.1002/nav.3800020109 (the Hungarian method).

    Examples
    --------
    >>> found = match_spots(np.array([[5.0, 5.0], [20.0, 5.0]]), np.array([[5.0, 6.0], [40.0, 40.0]]))
    >>> found.f1, float(found.distances_px[0])
    (0.5, 1.0)
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    true_px, found_px = np.asarray(true_px, np.float64), np.asarray(found_px, np.float64)
    if true_px.ndim != 2 or found_px.ndim != 2 or true_px.shape[1] != found_px.shape[1]:
        raise ShapeError(f"positions have shapes {true_px.shape} and {found_px.shape}; expected (n, ndim), (m, ndim)")
    if not distance_px > 0:
        raise ParameterError(f"distance_px is {distance_px}; expected above 0")
    n, m = len(true_px), len(found_px)
    if not n or not m:
        return Agreement(n, m, np.zeros((0, 2), np.intp), np.zeros(0))
    near = cKDTree(true_px).sparse_distance_matrix(cKDTree(found_px), distance_px, output_type="ndarray")
    graph = coo_matrix((np.ones(len(near)), (near["i"], n + near["j"])), shape=(n + m, n + m))
    group = connected_components(graph, directed=False)[1][near["i"]]
    order = np.argsort(group, kind="stable")
    edges = np.split(near[order], np.flatnonzero(np.diff(group[order])) + 1)
    rows = []
    for part in edges:
        if not len(part):
            continue
        (i, ii), (j, jj) = (np.unique(part[side], return_inverse=True) for side in "ij")
        cost = np.full((len(i), len(j)), 0.0)
        cost[ii, jj] = part["v"] / distance_px - (min(len(i), len(j)) + 1)  # any pair is better than none
        chosen = linear_sum_assignment(cost)
        real = cost[chosen] < 0
        rows.append(np.stack([i[chosen[0][real]], j[chosen[1][real]]], axis=1))
    pairs = np.concatenate(rows) if rows else np.zeros((0, 2), np.intp)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")].astype(np.intp)
    return Agreement(n, m, pairs, np.linalg.norm(true_px[pairs[:, 0]] - found_px[pairs[:, 1]], axis=1))
