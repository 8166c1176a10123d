"""How well outlines agree: boundary F-score, and Boundary IoU of matched objects."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError
from teasel.labels.check import IGNORE
from teasel.labels.metrics.assignment import match_pairs
from teasel.labels.metrics.overlap import Overlap, drop_ignored, overlap
from teasel.labels.metrics.tally import Tally, ratio
from teasel.labels.outline import outline_mask

__all__ = ["Boundary", "BoundaryIou", "boundary_f", "boundary_iou"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Boundary(Tally):
    """Outline pixels of either image, and how many of them lie near an outline of the other.

    No outline in either image: the score is 1; in one of them: 0.
    """

    near_truth: int
    n_prediction: int
    near_prediction: int
    n_truth: int

    @property
    def precision(self) -> float:
        """Share of the predicted outline that lies near the true one."""
        return ratio(self.near_truth, self.n_prediction, empty=np.equal(self.n_truth, 0))

    @property
    def recall(self) -> float:
        """Share of the true outline that lies near the predicted one."""
        return ratio(self.near_prediction, self.n_truth, empty=np.equal(self.n_prediction, 0))

    @property
    def f(self) -> float:
        """2 precision recall / (precision + recall)."""
        precision, recall = self.precision, self.recall
        return ratio(2 * precision * recall, precision + recall, empty=0.0)


@dataclass(frozen=True)
class BoundaryIou(Tally):
    """Sum of the Boundary IoU of matched pairs, and their number; the mean of none is NaN."""

    iou_sum: float
    n: int

    @property
    def mean(self) -> float:
        """Mean over the matched pairs."""
        return ratio(self.iou_sum, self.n, empty=np.nan)


def boundary_f(truth: ArrayLike, prediction: ArrayLike, distance_px: float = 2) -> Boundary:
    """Boundary F-score: which share of the outlines lies within a few pixels of each other.

    Outlines are the pixels of an object that share a face with another label (`teasel.labels.outline_mask`).
    Precision is the share of the predicted outline with a true outline pixel at Euclidean distance <=
    `distance_px`, recall the same the other way round, F their harmonic mean.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged: outlines there do not count.
    prediction : array_like of int, same shape
        0 background.
    distance_px : float
        Tolerance in pixels, 0 or more.

    Returns
    -------
    Boundary
        With ``f``, ``precision`` and ``recall`` in [0, 1].

    References
    ----------
    .. [1] G. Csurka et al., "What is a good evaluation measure for semantic segmentation?", BMVC 2013,
       doi:10.5244/C.27.32

    Examples
    --------
    >>> boundary_f([0, 0, 1, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1, 0, 0], distance_px=0).f
    0.5
    """
    if not distance_px >= 0:
        raise ParameterError(f"tolerance of {distance_px} px; expected 0 or more")
    true, predicted = _judged(truth, prediction)
    edges = outline_mask(true), outline_mask(predicted)
    near_truth = _grow(edges[0], distance_px) & edges[1]
    near_prediction = _grow(edges[1], distance_px) & edges[0]
    return Boundary(*(int(np.count_nonzero(m)) for m in (near_truth, edges[1], near_prediction, edges[0])))


def boundary_iou(
    truth: ArrayLike, prediction: ArrayLike, distance_px: float = 2, *, threshold: float = 0.5
) -> BoundaryIou:
    """Mean Boundary IoU of matched objects: their IoU inside a thin band along their outlines.

    The band of an object holds its pixels at Euclidean distance <= `distance_px` from a pixel outside it,
    measured in steps from its outline (outline pixels have distance 1). Objects are matched one to one by
    their ordinary IoU.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged.
    prediction : array_like of int, same shape
        0 background.
    distance_px : float
        Width of the band in pixels, 1 or more. The paper takes 2 % of the image diagonal.
    threshold : float
        Smallest IoU of a match, in (0, 1].

    Returns
    -------
    BoundaryIou
        With ``mean`` in [0, 1], NaN if nothing was matched.

    Notes
    -----
    The border of the image is no outline here; the authors' program takes it as one. Wide bands hold whole
    objects, and the score is then their ordinary IoU.

    References
    ----------
    .. [1] B. Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation", CVPR 2021,
       doi:10.1109/CVPR46437.2021.01508

    Examples
    --------
    >>> boundary_iou([0, 1, 1, 1, 1, 1, 0], [0, 2, 2, 2, 2, 0, 0], distance_px=1).mean
    0.3333333333333333
    """
    if not distance_px >= 1:
        raise ParameterError(f"band of {distance_px} px; expected 1 or more")
    true, predicted = _judged(truth, prediction)
    bands = overlap(_band(true, distance_px), _band(predicted, distance_px))
    ious = _banded_iou(overlap(truth, prediction), bands, threshold)
    return BoundaryIou(float(ious.sum()), len(ious))


def _judged(truth: ArrayLike, prediction: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return truth and prediction with -1 in both where the truth has it, so that no outline is there."""
    shape = np.shape(truth)
    judged = (np.asarray(truth) != IGNORE).ravel()
    true, predicted, _ = drop_ignored(truth, prediction)
    if judged.all():
        return true.reshape(shape), predicted.reshape(shape)
    marked = [np.where(judged, side.astype(np.int64), IGNORE).reshape(shape) for side in (true, predicted)]
    return marked[0], marked[1]


def _band(labels: NDArray, distance_px: float) -> NDArray:
    """Keep the pixels of each object near its outline."""
    return np.where(_grow(outline_mask(labels), distance_px - 1) & (labels > 0), labels, 0)


def _banded_iou(whole: Overlap, bands: Overlap, threshold: float) -> NDArray[np.float64]:
    """Return the IoU of the bands of each matched pair; the ordinary one where neither has an outline."""
    pairs = match_pairs(whole, threshold)
    true, predicted = whole.truth_ids[whole.rows[pairs]], whole.prediction_ids[whole.columns[pairs]]
    met = zip(bands.truth_ids[bands.rows], bands.prediction_ids[bands.columns], strict=True)
    known = dict(zip(met, bands.iou, strict=True))
    ious = np.array([known.get(pair, 0.0) for pair in zip(true, predicted, strict=True)])
    bare = ~np.isin(true, bands.truth_ids) & ~np.isin(predicted, bands.prediction_ids)
    return np.where(bare, whole.iou[pairs], ious)


def _grow(mask: Mask, radius_px: float) -> Mask:
    """Return all pixels within a Euclidean distance of the mask: one shifted copy per offset in the ball."""
    reach = int(radius_px)
    grown = mask.copy()
    for offset in product(range(-reach, reach + 1), repeat=mask.ndim):
        if 0 < sum(step * step for step in offset) <= radius_px**2:
            source = tuple(slice(max(-s, 0), n - max(s, 0)) for s, n in zip(offset, mask.shape, strict=True))
            target = tuple(slice(max(s, 0), n - max(-s, 0)) for s, n in zip(offset, mask.shape, strict=True))
            grown[target] |= mask[source]
    return grown
