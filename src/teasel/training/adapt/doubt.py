"""How large a change surely is: the bootstrap over the images on which it was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Counts", "precision", "sure_change", "sure_precision_change"]

DOUBT, DRAWS = 0.1, 2000
"""A change is sure if it is as large in all but this share of so many draws of the images, with replacement."""

Counts = NDArray[np.int64]
"""TP, FP and FN at each IoU threshold, image by image: shape (image, threshold, 3)."""


def sure_change(before: Sequence[float], after: Sequence[float]) -> float:
    """Return by how much the mean of a value per image surely rises (below 0: the most that it may fall).

    References
    ----------
    Efron 1979, doi:10.1214/aos/1176344552 (the bootstrap).

    Examples
    --------
    >>> round(sure_change([0.5, 0.5, 0.5], [0.6, 0.6, 0.6]), 3)
    0.1
    """
    change = np.subtract(after, before)
    return float(np.quantile(_draws(len(change)) @ change / len(change), DOUBT))


def sure_precision_change(before: Counts, after: Counts, thresholds: Sequence[int]) -> float:
    """Return by how much pooled average precision, averaged over some of the thresholds, surely rises."""
    drawn = _draws(len(before))
    values = [
        precision(np.einsum("di,itk->dtk", drawn, counts[:, list(thresholds)])).mean(1) for counts in (before, after)
    ]
    return float(np.quantile(values[1] - values[0], DOUBT))


def precision(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """TP / (TP + FP + FN) along the last axis; 1 where there is nothing to be found and nothing was."""
    total = counts.sum(-1)
    return np.where(total > 0, counts[..., 0] / np.maximum(total, 1), 1.0)


def _draws(n: int) -> NDArray[np.int64]:
    """Return how often each of `n` images is drawn, shape (draw, image); the same each time."""
    return np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), DRAWS)
