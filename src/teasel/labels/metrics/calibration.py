"""Whether scores are what they claim to be: the probability that an object is right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ParameterError, ShapeError

__all__ = ["Reliability", "auroc", "brier_score", "expected_calibration_error", "reliability"]


class Reliability(NamedTuple):
    """One entry per bin that holds objects: number of objects, mean score, share that is right."""

    n: NDArray[np.int64]
    mean_score: NDArray[np.float64]
    share_right: NDArray[np.float64]


def reliability(scores: ArrayLike, right: ArrayLike, n_bins: int = 10, *, binning: str = "width") -> Reliability:
    """Compare claimed with observed frequencies, bin by bin.

    Parameters
    ----------
    scores : array_like of float, shape (n,)
        Claimed probability that the object is right, in [0, 1].
    right : array_like of bool, shape (n,)
        Whether it is (for objects: IoU with a true object >= 0.5, see `match_each`).
    n_bins : int
        Number of bins, 1 or more.
    binning : {"width", "count"}
        Bins of equal width over [0, 1], closed on the left (the last on both sides), or bins with equally
        many objects, cut in order of score.

    Returns
    -------
    Reliability
        Without the empty bins.

    Raises
    ------
    ShapeError
        If the lengths differ.
    DataError
        If a score is NaN or outside [0, 1].
    ParameterError
        If `n_bins` or `binning` is none of the above.

    Examples
    --------
    >>> reliability([0.9, 0.8, 0.1], [True, False, False], n_bins=2).share_right
    array([0. , 0.5])
    """
    claimed, true = _check(scores, right)
    if n_bins < 1:
        raise ParameterError(f"{n_bins} bins; expected 1 or more")
    if binning == "width":
        index = np.minimum((claimed * n_bins).astype(int), n_bins - 1)
    elif binning == "count":
        index = np.empty(len(claimed), int)
        index[np.argsort(claimed, kind="stable")] = np.arange(len(claimed)) * n_bins // max(len(claimed), 1)
    else:
        raise ParameterError(f"binning {binning!r}; expected 'width' or 'count'")
    n = np.bincount(index, minlength=n_bins)
    sums = np.bincount(index, claimed, minlength=n_bins), np.bincount(index, true, minlength=n_bins)
    used = n > 0
    return Reliability(n[used], sums[0][used] / n[used], sums[1][used] / n[used])


def expected_calibration_error(
    scores: ArrayLike, right: ArrayLike, n_bins: int = 10, *, binning: str = "width"
) -> float:
    """Expected calibration error (ECE): mean distance of claimed and observed frequency, weighted by objects.

    ``sum over bins of n_bin / n * |mean score in the bin - share right in the bin|``.

    Parameters
    ----------
    scores, right, n_bins, binning
        As in `reliability`; ten bins of equal width unless said otherwise.

    Returns
    -------
    float
        In [0, 1], 0 best; NaN without objects.

    References
    ----------
    .. [1] M. P. Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015,
       doi:10.1609/aaai.v29i1.9602
    .. [2] C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, doi:10.48550/arXiv.1706.04599

    Examples
    --------
    >>> round(expected_calibration_error([0.9, 0.9, 0.1, 0.1], [True, True, False, False]), 3)
    0.1
    """
    bins = reliability(scores, right, n_bins, binning=binning)
    if not bins.n.sum():
        return float("nan")
    return float(bins.n @ np.abs(bins.mean_score - bins.share_right) / bins.n.sum())


def brier_score(scores: ArrayLike, right: ArrayLike) -> float:
    """Mean squared distance of score and outcome (0 or 1).

    Parameters
    ----------
    scores, right
        As in `reliability`.

    Returns
    -------
    float
        In [0, 1], 0 best; NaN without objects.

    References
    ----------
    .. [1] G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review
       1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2

    Examples
    --------
    >>> brier_score([1.0, 0.5], [True, False])
    0.125
    """
    claimed, true = _check(scores, right)
    return float(np.mean((claimed - true) ** 2)) if len(claimed) else float("nan")


def auroc(scores: ArrayLike, right: ArrayLike) -> float:
    """Probability that a right object has a higher score than a wrong one; equal scores count half.

    Parameters
    ----------
    scores, right
        As in `reliability`.

    Returns
    -------
    float
        In [0, 1], 0.5 for scores without meaning; NaN if all objects are right or all wrong.

    References
    ----------
    .. [1] J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a receiver operating
       characteristic (ROC) curve", Radiology 1982, doi:10.1148/radiology.143.1.7063747

    Examples
    --------
    >>> auroc([0.9, 0.4, 0.4, 0.2], [True, True, False, False])
    0.875
    """
    claimed, true = _check(scores, right)
    n_right, n_wrong = int(true.sum()), int((~true).sum())
    if not n_right or not n_wrong:
        return float("nan")
    from scipy.stats import rankdata

    ranks = rankdata(claimed)
    return float((ranks[true].sum() - n_right * (n_right + 1) / 2) / (n_right * n_wrong))


def _check(scores: ArrayLike, right: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    claimed, true = np.asarray(scores, np.float64), np.asarray(right)
    if claimed.ndim != 1 or claimed.shape != true.shape:
        raise ShapeError(f"scores have shape {claimed.shape}, outcomes {true.shape}; expected one per object")
    if not np.all((claimed >= 0) & (claimed <= 1)):
        raise DataError("a score is NaN or outside [0, 1]; expected probabilities")
    return claimed, true.astype(bool)
