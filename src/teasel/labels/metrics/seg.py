"""The scores of the Cell Tracking Challenge for single images: SEG and DET."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.labels.metrics.overlap import Ints, Overlap, overlap
from teasel.labels.metrics.tally import Tally, ratio

__all__ = ["Detection", "SegmentationAccuracy", "ctc_det", "ctc_seg"]

_SPLIT, _MISSED, _EXTRA = 5, 10, 1  # cost of splitting, adding and deleting a detection


@dataclass(frozen=True)
class SegmentationAccuracy(Tally):
    """Sum of the Jaccard index over true objects; their number; the number of predicted objects."""

    jaccard_sum: float
    n_truth: int
    n_prediction: int

    @classmethod
    def of(cls, table: Overlap) -> SegmentationAccuracy:
        """Read the sums off an overlap table."""
        jaccard = table.iou[_covering(table)].sum()
        return cls(float(jaccard), len(table.truth_ids), len(table.prediction_ids))

    @property
    def seg(self) -> float:
        """Mean Jaccard index of the true objects."""
        return ratio(self.jaccard_sum, self.n_truth, empty=np.equal(self.n_prediction, 0))


@dataclass(frozen=True)
class Detection(Tally):
    """Cost of correcting the predicted detections; of adding all from nothing; predicted objects."""

    cost: float
    cost_from_nothing: float
    n_prediction: int

    @classmethod
    def of(cls, table: Overlap) -> Detection:
        """Read the costs off an overlap table."""
        covering = _covering(table)
        covered = np.bincount(table.columns[covering], minlength=len(table.prediction_ids))
        splits = np.maximum(covered - 1, 0).sum()
        missed = len(table.truth_ids) - len(covering)
        cost = _SPLIT * splits + _MISSED * missed + _EXTRA * np.sum(covered == 0)
        return cls(float(cost), float(_MISSED * len(table.truth_ids)), len(table.prediction_ids))

    @property
    def det(self) -> float:
        """1 - min(cost, cost from nothing) / cost from nothing."""
        saved = self.cost_from_nothing - np.minimum(self.cost, self.cost_from_nothing)
        return ratio(saved, self.cost_from_nothing, empty=np.equal(self.n_prediction, 0))


def ctc_seg(truth: ArrayLike, prediction: ArrayLike) -> float:
    """SEG of the Cell Tracking Challenge: mean Jaccard index over the true objects.

    A predicted object S stands for the true object R if it covers more than half of it, ``|R & S| > |R| /
    2``; there is at most one. SEG is the mean over all R of ``|R & S| / |R | S|``, 0 for an R without S.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged.
    prediction : array_like of int, same shape
        0 background.

    Returns
    -------
    float
        In [0, 1]; 1 if both are empty, 0 if one is.

    Notes
    -----
    Objects that were made up cost nothing; always give it together with `ctc_det`. Over many images the mean
    is over all true objects.

    References
    ----------
    .. [1] M. Maska et al., "A benchmark for comparison of cell tracking algorithms", Bioinformatics 2014,
       doi:10.1093/bioinformatics/btu080

    Examples
    --------
    >>> ctc_seg([1, 1, 2, 2], [7, 7, 7, 0])
    0.3333333333333333
    """
    return SegmentationAccuracy.of(overlap(truth, prediction)).seg


def ctc_det(truth: ArrayLike, prediction: ArrayLike) -> float:
    """DET of the Cell Tracking Challenge, for one image: how little work it takes to correct the detections.

    ``1 - min(AOGM-D, AOGM-D0) / AOGM-D0`` with AOGM-D = 5 per split needed (a predicted object that stands
    for k true objects needs k - 1), 10 per missed and 1 per made-up object, and AOGM-D0 = 10 per true object.
    What stands for what is decided as in `ctc_seg`.

    Parameters
    ----------
    truth, prediction
        As in `ctc_seg`.

    Returns
    -------
    float
        In [0, 1]; 1 if both are empty, 0 if one is.

    References
    ----------
    .. [1] P. Matula et al., "Cell Tracking Accuracy Measurement Based on Comparison of Acyclic Oriented
       Graphs", PLoS ONE 2015, doi:10.1371/journal.pone.0144959
    .. [2] V. Ulman et al., "An objective comparison of cell-tracking algorithms", Nature Methods 2017,
       doi:10.1038/nmeth.4473

    Examples
    --------
    >>> ctc_det([1, 1, 2, 2], [7, 7, 7, 7])
    0.75
    """
    return Detection.of(overlap(truth, prediction)).det


def _covering(table: Overlap) -> Ints:
    """Return the pairs in which the prediction covers more than half of the true object."""
    more_than_half: NDArray[np.bool_] = 2 * table.pixels > table.truth_area[table.rows]
    return np.flatnonzero(more_than_half)
