"""Variation of information: how many bits are lost by splits and by merges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from teasel.labels.metrics.overlap import Ints, Overlap, overlap
from teasel.labels.metrics.tally import Tally, ratio

__all__ = ["Information", "variation_of_information"]


@dataclass(frozen=True)
class Information(Tally):
    """Bits over all pixels, and the number of pixels. Images add up as parts of one large image.

    No pixel counted (no true object): nothing can be split or merged, and the scores are 0, the best value.
    """

    split_bits: float
    merge_bits: float
    pixels: int

    @classmethod
    def of(cls, table: Overlap, *, background: bool = False) -> Information:
        """Read the sums off an overlap table."""
        rows, columns, pixels = table.joint(background)
        joint = _n_log_n(pixels)
        given_truth = _n_log_n(np.bincount(rows, pixels)) - joint
        given_prediction = _n_log_n(np.bincount(columns, pixels)) - joint
        return cls(max(given_truth, 0.0), max(given_prediction, 0.0), int(pixels.sum()))

    @property
    def split(self) -> float:
        """H(prediction | truth), in bits per pixel: true objects cut apart."""
        return ratio(self.split_bits, self.pixels, empty=0.0)

    @property
    def merge(self) -> float:
        """H(truth | prediction), in bits per pixel: true objects run together."""
        return ratio(self.merge_bits, self.pixels, empty=0.0)

    @property
    def total(self) -> float:
        """Split + merge."""
        return self.split + self.merge


def variation_of_information(truth: ArrayLike, prediction: ArrayLike, *, background: bool = False) -> Information:
    """Variation of information, as its two halves.

    With p(i, j) the share of pixels that have label i in the truth and j in the prediction, ``split =
    H(prediction | truth) = -sum p(i, j) log2(p(i, j) / p(i))`` and ``merge = H(truth | prediction)``.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged.
    prediction : array_like of int, same shape
        0 background, which is one more label here.
    background : bool
        Whether pixels that are background in the truth count, as one more object. By default they do not, as
        is usual for cells; for volumes without background it makes no difference.

    Returns
    -------
    Information
        With ``split``, ``merge`` and ``total`` in bits (base 2), 0 or more, 0 best.

    Notes
    -----
    ``skimage.metrics.variation_of_information(truth, prediction, ignore_labels=(0,))`` gives (merge, split),
    also in base 2; other programs use base e.

    References
    ----------
    .. [1] M. Meila, "Comparing clusterings: an information based distance", J. Multivariate Analysis 2007,
       doi:10.1016/j.jmva.2006.11.013
    .. [2] J. Nunez-Iglesias et al., "Machine Learning of Hierarchical Clustering to Segment 2D and 3D
       Images", PLoS ONE 2013, doi:10.1371/journal.pone.0071715

    Examples
    --------
    >>> result = variation_of_information([1, 1, 1, 1], [5, 5, 6, 6])
    >>> result.split, result.merge
    (1.0, 0.0)
    """
    return Information.of(overlap(truth, prediction), background=background)


def _n_log_n(counts: Ints) -> float:
    """Sum n log2 n over the counts above 0."""
    counts = counts[counts > 0]
    return float(np.sum(counts * np.log2(counts)))
