"""Objects found, missed and made up: scores from one-to-one matching by intersection over union."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ShapeError
from teasel.labels.metrics.assignment import match_pairs
from teasel.labels.metrics.overlap import Overlap, overlap
from teasel.labels.metrics.tally import Tally, ratio

__all__ = ["THRESHOLDS", "Matching", "average_precision", "match", "match_each"]

THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""The usual IoU thresholds, as decimals: a running sum gives 0.6000000000000001, which refuses 3/5."""


@dataclass(frozen=True)
class Matching(Tally):
    """How many objects were found, made up and missed at one IoU threshold.

    Parameters
    ----------
    tp, fp, fn : int
        Matched pairs, predicted objects without partner, true objects without partner.
    iou_sum : float
        Sum of the IoU of the matched pairs.

    Notes
    -----
    Neither object nor prediction (tp = fp = fn = 0): nothing was to be found and nothing was made up, so
    `accuracy`, `precision`, `recall`, `f1` and `panoptic` are 1. Only one of the two empty: all are 0.
    `mean_iou` of no pair is NaN. Adding such an image to others changes nothing in the pooled scores.

    Examples
    --------
    >>> result = Matching(tp=6, fp=2, fn=4, iou_sum=4.8)
    >>> result.accuracy, result.precision, result.recall
    (0.5, 0.75, 0.6)
    """

    tp: int
    fp: int
    fn: int
    iou_sum: float

    @classmethod
    def of(cls, table: Overlap, threshold: float) -> Matching:
        """Match the objects of an overlap table."""
        pairs = match_pairs(table, threshold)
        tp = len(pairs)
        return cls(tp, len(table.prediction_ids) - tp, len(table.truth_ids) - tp, float(table.iou[pairs].sum()))

    @property
    def accuracy(self) -> float:
        """TP / (TP + FP + FN): what DSB 2018, StarDist and Cellpose call average precision."""
        return ratio(self.tp, self.tp + self.fp + self.fn)

    @property
    def precision(self) -> float:
        """TP / (TP + FP)."""
        return ratio(self.tp, self.tp + self.fp, empty=np.equal(self.fn, 0))

    @property
    def recall(self) -> float:
        """TP / (TP + FN)."""
        return ratio(self.tp, self.tp + self.fn, empty=np.equal(self.fp, 0))

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def mean_iou(self) -> float:
        """Mean IoU of the matched pairs ("mean matched score"); NaN without a pair."""
        return ratio(self.iou_sum, self.tp, empty=np.nan)

    @property
    def panoptic(self) -> float:
        """Sum of matched IoU / (TP + FP/2 + FN/2); see `teasel.labels.metrics.panoptic_quality`."""
        return ratio(self.iou_sum, self.tp + 0.5 * self.fp + 0.5 * self.fn)


def match(truth: ArrayLike, prediction: ArrayLike, threshold: float = 0.5) -> Matching:
    """Count the objects that were found, missed and made up.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged.
    prediction : array_like of int, same shape
        0 background.
    threshold : float
        Smallest IoU of a match, in (0, 1]; an IoU of exactly this counts.

    Returns
    -------
    Matching

    Raises
    ------
    ShapeError, DataError, ParameterError
        See `overlap` and `match_pairs`.

    References
    ----------
    .. [1] J. C. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science
       Bowl", Nature Methods 2019, doi:10.1038/s41592-019-0612-7
    .. [2] U. Schmidt et al., "Cell Detection with Star-Convex Polygons", MICCAI 2018,
       doi:10.1007/978-3-030-00934-2_30

    Examples
    --------
    >>> match([1, 1, 1, 2], [5, 5, 3, 3], threshold=0.6)
    Matching(tp=1, fp=1, fn=1, iou_sum=0.6666666666666666)
    """
    return Matching.of(overlap(truth, prediction), threshold)


def average_precision(
    truth: Sequence[ArrayLike],
    prediction: Sequence[ArrayLike],
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    pooled: bool = True,
) -> NDArray[np.float64]:
    """TP / (TP + FP + FN) of a set of images, at each IoU threshold.

    Parameters
    ----------
    truth, prediction : sequence of array_like of int
        Label images in the same order, each pair of one shape.
    thresholds : sequence of float, shape (n,)
        IoU thresholds in (0, 1].
    pooled : bool
        Add TP, FP and FN over all images, then divide (StarDist). If False, divide per image and take the
        mean (Cellpose, Kaggle); an image with neither objects nor predictions then counts 1.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ShapeError
        If the numbers of images differ or are 0.

    Notes
    -----
    The two ways of averaging differ by points on the same images; say which one is meant. Neither is the COCO
    average precision, which integrates over a ranking by score.

    Examples
    --------
    >>> average_precision([[1, 1, 1, 2]], [[5, 5, 3, 3]], [0.5, 0.6, 0.7])
    array([1.        , 0.33333333, 0.        ])
    """
    if len(truth) != len(prediction) or not len(truth):
        raise ShapeError(f"{len(truth)} true and {len(prediction)} predicted images; expected as many, at least 1")
    tables = [overlap(*pair) for pair in zip(truth, prediction, strict=True)]
    tallies = [[Matching.of(table, threshold) for table in tables] for threshold in thresholds]
    if pooled:
        return np.array([Matching.pool(row).accuracy for row in tallies])
    return np.array([np.mean([tally.accuracy for tally in row]) for row in tallies])


def match_each(
    truth: ArrayLike, prediction: ArrayLike, threshold: float = 0.5
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Say for each predicted object which true object it matches.

    Parameters
    ----------
    truth, prediction, threshold
        As in `match`.

    Returns
    -------
    prediction_ids : ndarray of int64, shape (m,)
        Predicted labels, ascending; objects mostly on ignored pixels are absent.
    truth_ids : ndarray of int64, shape (m,)
        Label of the matched true object; 0 without one.
    iou : ndarray of float64, shape (m,)
        IoU of the match; 0 without one.

    Examples
    --------
    >>> match_each([1, 1, 1, 2], [5, 5, 3, 3], threshold=0.6)
    (array([3, 5]), array([0, 1]), array([0.        , 0.66666667]))
    """
    table = overlap(truth, prediction)
    pairs = match_pairs(table, threshold)
    partner = np.zeros(len(table.prediction_ids), np.int64)
    iou = np.zeros(len(table.prediction_ids))
    partner[table.columns[pairs]] = table.truth_ids[table.rows[pairs]]
    iou[table.columns[pairs]] = table.iou[pairs]
    return table.prediction_ids, partner, iou
