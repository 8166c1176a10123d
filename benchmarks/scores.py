"""Pooled scores of a set of images, with 95 % intervals by drawing images with replacement."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from teasel.labels.metrics import overlap
from teasel.labels.metrics.bootstrap import resample_sums
from teasel.labels.metrics.matching import Matching

THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
SHOWN = (0.5, 0.75, 0.9)
DRAWS = 2000

Counts = NDArray[np.float64]
Triple = list[float]
Labels = NDArray[np.integer]


def count(pairs: Iterable[tuple[Labels, Labels]], thresholds: Iterable[float] = THRESHOLDS) -> Counts:
    """Match (truth, prediction) pairs; return TP, FP, FN as (image, threshold, 3)."""
    thresholds = tuple(thresholds)
    rows = []
    for truth, prediction in pairs:
        shared = overlap(truth, prediction)
        matchings = [Matching.of(shared, threshold) for threshold in thresholds]
        rows.append([(m.tp, m.fp, m.fn) for m in matchings])
    return np.array(rows, float).reshape(len(rows), len(thresholds), 3)


def average_precision(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """TP / (TP + FP + FN) over the last axis; 1 where nothing was there and nothing was found."""
    total = counts.sum(axis=-1)
    return np.where(total == 0, 1.0, counts[..., 0] / np.maximum(total, 1))


def f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """2 TP / (2 TP + FP + FN) over the last axis; 1 where nothing was there and nothing was found."""
    total = counts.sum(axis=-1) + counts[..., 0]
    return np.where(total == 0, 1.0, 2 * counts[..., 0] / np.maximum(total, 1))


def draws(counts: Counts) -> NDArray[np.float64]:
    """Return pooled counts of all images (first) and of each draw: (1 + draw, threshold, 3)."""
    flat = counts.reshape(len(counts), -1)
    drawn = resample_sums(flat, DRAWS, seed=0)
    return np.concatenate([flat.sum(axis=0)[None], drawn]).reshape(-1, *counts.shape[1:])


def summary(counts: Counts) -> dict[str, Triple]:
    """Return the scores shown in tables, each as [value, low, high]."""
    return {name: interval(values) for name, values in _scores(counts).items()}


def difference(first: Counts, second: Counts) -> dict[str, Triple]:
    """Return first - second of each score on the same draws of images, as [value, low, high]."""
    a, b = _scores(first), _scores(second)
    return {name: interval(a[name] - b[name]) for name in a}


def interval(values: NDArray[np.float64]) -> Triple:
    """Return the first value, and the 2.5 and 97.5 percentiles of the others (NaN for a single image)."""
    low, high = np.percentile(values[1:], (2.5, 97.5))
    return [float(values[0]), float(low), float(high)]


def _scores(counts: Counts) -> dict[str, NDArray[np.float64]]:
    pooled = draws(counts)
    scores = {}
    for label, score in (("AP", average_precision), ("F1", f1)):
        for threshold in SHOWN:
            scores[f"{label}@{threshold}"] = score(pooled[:, THRESHOLDS.index(threshold)])
    scores["mean AP"] = average_precision(pooled).mean(axis=1)
    return scores
