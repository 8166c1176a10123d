"""How many objects, how large, and which of them are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.labels.metrics.assignment import match_pairs
from teasel.labels.metrics.overlap import Overlap, overlap
from teasel.labels.metrics.tally import Tally, ratio

__all__ = ["Counts", "area_bias", "count_objects", "recall_by_size"]


@dataclass(frozen=True)
class Counts(Tally):
    """Numbers of true and of predicted objects, and the sum over images of their absolute difference."""

    truth: int
    prediction: int
    absolute_difference: int

    @classmethod
    def of(cls, table: Overlap) -> Counts:
        """Read the numbers off an overlap table."""
        n, m = len(table.truth_ids), len(table.prediction_ids)
        return cls(n, m, abs(m - n))

    @property
    def relative_error(self) -> float:
        """(predicted - true) / true: above 0 for too many; NaN without true objects, 0 if both are empty."""
        difference = np.subtract(self.prediction, self.truth)
        return ratio(difference, self.truth, empty=np.where(np.equal(self.prediction, 0), 0.0, np.nan))

    @property
    def absolute_error(self) -> float:
        """Sum over images of |predicted - true| / true, so that too many here cannot hide too few there."""
        return ratio(self.absolute_difference, self.truth, empty=np.where(np.equal(self.prediction, 0), 0.0, np.nan))


def count_objects(truth: ArrayLike, prediction: ArrayLike) -> Counts:
    """Count true and predicted objects.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged.
    prediction : array_like of int, same shape
        0 background. Objects with more than half of their pixels not judged do not count.

    Returns
    -------
    Counts
        With ``truth``, ``prediction``, ``relative_error`` and ``absolute_error``.

    Examples
    --------
    >>> count_objects([1, 1, 2, 2], [7, 7, 7, 0]).relative_error
    -0.5
    """
    return Counts.of(overlap(truth, prediction))


def area_bias(truth: ArrayLike, prediction: ArrayLike, threshold: float = 0.5) -> float:
    """Median over matched pairs of predicted area / true area - 1.

    Parameters
    ----------
    truth, prediction
        As in `count_objects`.
    threshold : float
        Smallest IoU of a match, in (0, 1].

    Returns
    -------
    float
        Above 0 where predictions are too large; NaN if nothing was matched.

    Examples
    --------
    >>> area_bias([1, 1, 1, 1, 0], [2, 2, 2, 2, 2])
    0.25
    """
    table = overlap(truth, prediction)
    pairs = match_pairs(table, threshold)
    if not len(pairs):
        return float("nan")
    areas = table.prediction_area[table.columns[pairs]] / table.truth_area[table.rows[pairs]]
    return float(np.median(areas)) - 1


def recall_by_size(
    truth: ArrayLike, prediction: ArrayLike, edges_px: Sequence[float], threshold: float = 0.5
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Share of the true objects found, by their area.

    Parameters
    ----------
    truth, prediction
        As in `count_objects`.
    edges_px : sequence of float, shape (n + 1,)
        Bounds of the area classes in pixels, ascending; an area at a bound belongs to the class above it.
    threshold : float
        Smallest IoU of a match, in (0, 1].

    Returns
    -------
    recall : ndarray of float64, shape (n,)
        NaN for a class without objects.
    n_objects : ndarray of int64, shape (n,)

    Examples
    --------
    >>> recall_by_size([1, 2, 2, 2], [0, 5, 5, 5], [0, 2, 10])
    (array([0., 1.]), array([1, 1]))
    """
    table = overlap(truth, prediction)
    sizes = np.searchsorted(edges_px, table.truth_area, side="right") - 1
    found = np.zeros(len(sizes), bool)
    found[table.rows[match_pairs(table, threshold)]] = True
    classes = range(len(edges_px) - 1)
    n_objects = np.array([np.sum(sizes == k) for k in classes], np.int64)
    n_found = np.array([np.sum(found[sizes == k]) for k in classes], np.int64)
    return np.atleast_1d(ratio(n_found, n_objects, empty=np.nan)), n_objects
