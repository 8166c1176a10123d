"""Adapted Rand error: pairs of pixels that are together in one image and apart in the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from teasel.labels.metrics.overlap import Overlap, overlap
from teasel.labels.metrics.tally import Tally, ratio

__all__ = ["Rand", "adapted_rand"]


@dataclass(frozen=True)
class Rand(Tally):
    """Ordered pairs of different pixels with the same label in both images, in the truth, in the prediction.

    No pair in the truth nor in the prediction: error 0, precision and recall 1. Images add up by their pairs.
    """

    both: float
    truth: float
    prediction: float

    @classmethod
    def of(cls, table: Overlap, *, background: bool = False) -> Rand:
        """Count the pairs in an overlap table."""
        rows, columns, pixels = table.joint(background)
        return cls(_pairs(pixels), _pairs(np.bincount(rows, pixels)), _pairs(np.bincount(columns, pixels)))

    @property
    def precision(self) -> float:
        """Share of the pairs together in the prediction that are together in the truth; low for merges."""
        return ratio(self.both, self.prediction)

    @property
    def recall(self) -> float:
        """Share of the pairs together in the truth that are together in the prediction; low for splits."""
        return ratio(self.both, self.truth)

    @property
    def error(self) -> float:
        """1 - F1 of precision and recall."""
        together = np.add(self.truth, self.prediction)
        return ratio(together - 2 * np.asarray(self.both), together, empty=0.0)


def adapted_rand(truth: ArrayLike, prediction: ArrayLike, *, background: bool = False) -> Rand:
    """Adapted Rand error of SNEMI3D, with precision and recall.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged.
    prediction : array_like of int, same shape
        0 background, which is one more label here.
    background : bool
        Whether pixels that are background in the truth count, as one more object; by default they do not.

    Returns
    -------
    Rand
        With ``error`` (0 best), ``precision`` and ``recall``, all in [0, 1].

    Notes
    -----
    The error equals ``skimage.metrics.adapted_rand_error(truth, prediction)``. That function returns
    precision and recall the other way round than it documents (a prediction that only splits objects has
    precision 1 here).

    References
    ----------
    .. [1] I. Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
       connectomics", Front. Neuroanat. 2015, doi:10.3389/fnana.2015.00142

    Examples
    --------
    >>> result = adapted_rand([1, 1, 1, 1], [5, 5, 6, 6])
    >>> result.precision, round(result.recall, 3), result.error
    (1.0, 0.333, 0.5)
    """
    return Rand.of(overlap(truth, prediction), background=background)


def _pairs(counts: ArrayLike) -> float:
    """Sum n (n - 1) over the counts."""
    n = np.asarray(counts, float)
    return float(n @ (n - 1))
