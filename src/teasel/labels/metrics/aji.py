"""Aggregated Jaccard index: one IoU for the whole image, object by object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from teasel.labels.metrics.assignment import TIE_BREAK, assign
from teasel.labels.metrics.overlap import Ints, Overlap, overlap
from teasel.labels.metrics.tally import Tally, ratio

__all__ = ["Jaccard", "aggregated_jaccard", "aggregated_jaccard_plus"]


@dataclass(frozen=True)
class Jaccard(Tally):
    """Intersections and unions of paired objects, in pixels, with unpaired objects in the union.

    Both 0 (no object and no prediction): the index is 1. Images add up by their sums.
    """

    intersection: int
    union: int

    @property
    def index(self) -> float:
        """Intersection / union."""
        return ratio(self.intersection, self.union)

    @classmethod
    def of(cls, table: Overlap) -> Jaccard:
        """Pair each true object with its best prediction, which may serve several (AJI)."""
        order = np.lexsort((table.columns, -table.iou, table.rows))
        best = order[np.unique(table.rows[order], return_index=True)[1]]
        return cls._from_pairs(table, best)

    @classmethod
    def one_to_one(cls, table: Overlap) -> Jaccard:
        """Pair objects one to one with the largest sum of IoU, among equals with most shared pixels (AJI+)."""
        shared = table.pixels / max(1, table.size)
        return cls._from_pairs(table, assign(table, table.iou + TIE_BREAK * shared))

    @classmethod
    def _from_pairs(cls, table: Overlap, pairs: Ints) -> Jaccard:
        rows, columns, shared = table.rows[pairs], table.columns[pairs], table.pixels[pairs]
        unions = table.truth_area[rows] + table.prediction_area[columns] - shared
        alone = np.delete(table.truth_area, rows).sum() + np.delete(table.prediction_area, columns).sum()
        return cls(int(shared.sum()), int(unions.sum() + alone))


def aggregated_jaccard(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Aggregated Jaccard index (AJI).

    Each true object takes the predicted object of largest IoU (the lowest label among equals); the index is
    the sum of their intersections over the sum of their unions plus the areas of all objects left alone on
    either side.

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
    A prediction over two true objects is counted in both unions, so one bad merge weighs more here than in
    the one-to-one form, `aggregated_jaccard_plus`. What Cellpose calls by this name is another quantity.

    References
    ----------
    .. [1] N. Kumar et al., "A Dataset and a Technique for Generalized Nuclear Segmentation for Computational
       Pathology", IEEE Trans. Med. Imaging 2017, doi:10.1109/TMI.2017.2677499

    Examples
    --------
    >>> aggregated_jaccard([1, 1, 2, 2], [7, 7, 7, 0])
    0.42857142857142855
    """
    return Jaccard.of(overlap(truth, prediction)).index


def aggregated_jaccard_plus(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Aggregated Jaccard index with one-to-one pairs (AJI+).

    As `aggregated_jaccard`, but true and predicted objects are paired one to one so that the sum of IoU is
    largest, and among equal sums the number of shared pixels.

    Parameters
    ----------
    truth, prediction
        As in `aggregated_jaccard`.

    Returns
    -------
    float
        In [0, 1]; 1 if both are empty, 0 if one is.

    References
    ----------
    .. [1] S. Graham et al., "HoVer-Net: Simultaneous segmentation and classification of nuclei in
       multi-tissue histology images", Medical Image Analysis 2019, doi:10.1016/j.media.2019.101563

    Examples
    --------
    >>> aggregated_jaccard_plus([1, 1, 2, 2], [7, 7, 7, 0])
    0.4
    """
    return Jaccard.one_to_one(overlap(truth, prediction)).index
