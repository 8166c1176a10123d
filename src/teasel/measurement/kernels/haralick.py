"""Haralick's features from a list of pairs, without ever laying out a matrix per object.

A matrix of 256 x 256 for an object of 300 pixels is nearly empty. Each feature is a sum over the pairs themselves, or
an entropy, which needs no more than how often each value comes: ``log2 T - sum(n log2 n) / T``. The matrix is
symmetric, so its two margins are one distribution, and the entropies of their product are twice that distribution's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["HARALICK", "haralick"]

HARALICK = (
    ("AngularSecondMoment", "Sum of the squared shares of the pairs of grey levels: high where few pairs are common."),
    ("Contrast", "Mean squared difference of the grey levels of a pair."),
    ("Correlation", "Correlation of the grey levels of a pair."),
    ("Variance", "Variance of the grey levels."),
    ("InverseDifferenceMoment", "Mean of 1 / (1 + squared difference): high where neighbours are alike."),
    ("SumAverage", "Mean sum of the grey levels of a pair."),
    ("SumVariance", "Variance of the sums of the grey levels of a pair."),
    ("SumEntropy", "Entropy of the sums of the grey levels of a pair, in bits."),
    ("Entropy", "Entropy of the pairs of grey levels, in bits."),
    ("DifferenceVariance", "Variance of the shares of the differences of the grey levels of a pair."),
    ("DifferenceEntropy", "Entropy of the differences of the grey levels of a pair, in bits."),
    ("InfoMeas1", "Information that one grey level of a pair gives about the other: 0 for none, -1 for all."),
    ("InfoMeas2", "Information that one grey level of a pair gives about the other: 0 for none, near 1 for all."),
)
"""Names as in CellProfiler, and what they mean."""

_TALLEST = 1 << 22  # cells of a table of counts; more objects are done in parts


def haralick(
    objects: Objects, one: NDArray[np.int32], other: NDArray[np.int32], level: NDArray[np.uint8]
) -> dict[str, NDArray[np.float64]]:
    """Measure the texture of each object in one direction.

    Parameters
    ----------
    objects : Objects
        The objects.
    one, other : ndarray of int32, shape (pairs,)
        The voxels of each pair, as numbers in the objects' list, ascending in `one`.
    level : ndarray of uint8, shape (voxels,)
        Grey level of each voxel; pairs with a 0 are left out.

    Returns
    -------
    dict of str to ndarray, shape (n_objects,)
        A column for each name of `HARALICK`; NaN without a pair.
    """
    n = len(objects)
    a, b = level[one], level[other]
    valid = (a > 0) & (b > 0)
    a, b = a[valid].astype(np.int64), b[valid].astype(np.int64)
    owner = objects.owner[one[valid]].astype(np.int64)
    highest = objects.largest(level).astype(np.int64)
    pairs = np.bincount(owner, minlength=n)
    measured = {name: np.full(n, np.nan) for name, _ in HARALICK}
    known = pairs > 0
    if not known.any():
        return measured
    joint, squared = _joint(owner, a, b, n)
    entropies = {
        "sum": _entropy(owner, a + b, pairs, n),
        "difference": _entropy(owner, np.abs(a - b), pairs, n),
        "margin": _entropy(np.concatenate([owner, owner]), np.concatenate([a, b]), 2 * pairs, n),
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        moments = _moments(owner, a, b, pairs, n)
        columns = {
            "AngularSecondMoment": squared / (2.0 * pairs) ** 2,
            **moments,
            "SumEntropy": entropies["sum"][0],
            "Entropy": np.log2(2.0 * pairs) - joint / (2.0 * pairs),
            "DifferenceVariance": entropies["difference"][1] / (highest + 1) - 1.0 / (highest + 1) ** 2,
            "DifferenceEntropy": entropies["difference"][0],
        }
        margin = entropies["margin"][0]
        shared = columns["Entropy"] - 2 * margin
        columns["InfoMeas1"] = np.where(margin > 0, shared / margin, shared)
        columns["InfoMeas2"] = np.sqrt(np.maximum(0, 1 - np.exp(2 * shared)))
    return {name: np.where(known, columns[name], np.nan) for name, _ in HARALICK}


def _moments(owner: NDArray, a: NDArray, b: NDArray, pairs: NDArray, n: int) -> dict[str, NDArray[np.float64]]:
    """Return what is a mean over the pairs; sums are of whole numbers, and so exact."""

    def mean(values: NDArray) -> NDArray[np.float64]:
        return np.bincount(owner, values, minlength=n) / pairs

    total, product, square = mean(a + b), mean(a * b), mean(a * a + b * b)
    gap = (a - b) ** 2
    variance = square / 2 - (total / 2) ** 2
    covariance = product - (total / 2) ** 2
    return {
        "Contrast": mean(gap),
        "Correlation": np.where(variance > 1e-10 * square, covariance / variance, 1.0),
        "Variance": variance,
        "InverseDifferenceMoment": mean(1 / (1 + gap)),
        "SumAverage": total,
        "SumVariance": square + 2 * product - total**2,
    }


def _joint(owner: NDArray, a: NDArray, b: NDArray, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of c log2 c and of c squared over the cells c of each object's matrix."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    narrow = np.uint32 if n <= 1 << 16 else np.int64  # sorts five times as fast
    pattern = np.sort(((owner << 16) | (low << 8) | high).astype(narrow)).astype(np.int64)
    first = np.flatnonzero(np.diff(pattern, prepend=-1))
    count = np.diff(first, append=len(pattern))
    own = pattern[first] >> 16
    even = (pattern[first] & 255) == ((pattern[first] >> 8) & 255)  # on the diagonal: both pairs are one cell
    count = np.where(even, 2 * count, count)
    weight = np.where(even, 1.0, 2.0)
    entropy = np.bincount(own, weight * _n_log_n(int(count.max()))[count], minlength=n)
    squared = np.bincount(own, weight * count * count, minlength=n)
    return entropy.astype(np.float64, copy=False), squared.astype(np.float64, copy=False)


def _entropy(
    owner: NDArray, values: NDArray, total: NDArray, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the entropy of each object's values below 512, in bits, and the sum of their squared shares."""
    with np.errstate(invalid="ignore", divide="ignore"):
        width = int(values.max()) + 1
        counts = np.bincount(owner * width + values, minlength=n * width)
        filled = np.flatnonzero(counts)
        own, counts = filled // width, counts[filled]
        weighted = np.bincount(own, _n_log_n(int(counts.max()))[counts], minlength=n)
        squared = np.bincount(own, counts * counts, minlength=n)
        return np.log2(total) - weighted / total, squared / total.astype(np.float64) ** 2


def _n_log_n(largest: int) -> NDArray[np.float64]:
    """Return n log2 n for every whole number up to `largest`."""
    numbers = np.arange(largest + 1, dtype=np.float64)
    return numbers * np.log2(np.maximum(numbers, 1))
