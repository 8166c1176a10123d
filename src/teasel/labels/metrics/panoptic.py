"""Panoptic quality: how many objects were found, times how well."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from teasel.labels.metrics.matching import match

__all__ = ["PanopticQuality", "panoptic_quality"]


class PanopticQuality(NamedTuple):
    """Panoptic quality and its two factors: ``pq = dq * sq``."""

    pq: float
    dq: float
    sq: float


def panoptic_quality(truth: ArrayLike, prediction: ArrayLike, threshold: float = 0.5) -> PanopticQuality:
    """Multiply detection quality (F1) by segmentation quality (mean IoU of the matches).

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged.
    prediction : array_like of int, same shape
        0 background.
    threshold : float
        Smallest IoU of a match, in (0, 1].

    Returns
    -------
    PanopticQuality
        ``dq = TP / (TP + FP/2 + FN/2)``, ``sq`` = mean IoU of the matched pairs, ``pq = dq * sq``.

    Notes
    -----
    The paper [1]_ asks for IoU > 0.5, this (like StarDist) for IoU >= 0.5: they differ only for pairs at
    exactly 0.5. Both images empty: ``pq`` and ``dq`` are 1; one of them: 0. ``sq`` without a match is NaN.

    References
    ----------
    .. [1] A. Kirillov et al., "Panoptic Segmentation", CVPR 2019, doi:10.1109/CVPR.2019.00963

    Examples
    --------
    >>> panoptic_quality([1, 1, 1, 2], [5, 5, 3, 3])._asdict()
    {'pq': 0.5833333333333333, 'dq': 1.0, 'sq': 0.5833333333333333}
    """
    found = match(truth, prediction, threshold)
    return PanopticQuality(found.panoptic, found.f1, found.mean_iou)
