"""How far a score would move with other images of the same kind: the image bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError, ShapeError
from teasel.labels.metrics.tally import Tally

__all__ = ["Interval", "bootstrap_difference", "bootstrap_interval", "resample_sums"]

T = TypeVar("T", bound=Tally)
_LARGEST_BLOCK = 2_000_000  # weights held at a time


@dataclass(frozen=True)
class Interval:
    """A value with the bounds of its interval."""

    value: float
    low: float
    high: float
    level: float = 0.95

    @classmethod
    def of(cls, value: float, resampled: NDArray[np.float64], level: float = 0.95) -> Interval:
        """Take the bounds from the percentiles of resampled values; NaN where too few are defined."""
        known = resampled[~np.isnan(resampled)]
        if len(known) < 0.5 * len(resampled):
            return cls(value, float("nan"), float("nan"), level)
        tail = 50 * (1 - level)
        low, high = np.percentile(known, [tail, 100 - tail])
        return cls(value, float(low), float(high), level)


def bootstrap_interval(
    tallies: Sequence[T],
    score: Callable[[T], Any],
    n: int = 2000,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of a pooled score, by drawing images with replacement.

    Parameters
    ----------
    tallies : sequence of Tally, shape (n_images,)
        What each image adds, for example from `match`.
    score : callable
        Reads the score off the sum of tallies, for example ``lambda total: total.f1``.
    n : int
        Number of draws, 1 or more.
    seed : int
        Seed of the draws: the same seed draws the same images, whatever the score.
    level : float
        Share of the draws inside the interval, in (0, 1).

    Returns
    -------
    Interval
        The score of all images, and the percentiles of the scores of the draws. With a single image there is
        nothing to draw from: the bounds are NaN.

    Notes
    -----
    Images are the unit, since objects of one image resemble each other. Images of one well or slide do too;
    then the interval is too narrow, and whole groups should be passed as one tally each.

    References
    ----------
    .. [1] B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Ann. Statist. 1979,
       doi:10.1214/aos/1176344552

    Examples
    --------
    >>> from teasel.labels.metrics import Matching
    >>> images = [Matching(tp=9, fp=1, fn=0, iou_sum=8.0), Matching(tp=5, fp=5, fn=0, iou_sum=4.0)]
    >>> interval = bootstrap_interval(images, lambda total: total.precision)
    >>> interval.value, interval.low, interval.high
    (0.7, 0.5, 0.9)
    """
    value, resampled = _resample_score(tallies, score, n, seed)
    return Interval.of(value, resampled, level)


def bootstrap_difference(
    first: Sequence[T],
    second: Sequence[T],
    score: Callable[[T], Any],
    n: int = 2000,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of the difference of a pooled score between two methods on the same images, first - second.

    Parameters
    ----------
    first, second : sequence of Tally, shape (n_images,)
        What each image adds, in the same order of images. Each draw takes the same images from both, so what
        is hard for both methods cancels.
    score, n, seed, level
        As in `bootstrap_interval`.

    Returns
    -------
    Interval
        An interval without 0 is a difference beyond the chance of which images were taken.

    Raises
    ------
    ShapeError
        If the numbers of images differ.

    Examples
    --------
    >>> from teasel.labels.metrics import Matching
    >>> better = [Matching(tp=9, fp=1, fn=0, iou_sum=8.0), Matching(tp=5, fp=5, fn=0, iou_sum=4.0)]
    >>> worse = [Matching(tp=8, fp=2, fn=0, iou_sum=7.0), Matching(tp=4, fp=6, fn=0, iou_sum=3.0)]
    >>> round(bootstrap_difference(better, worse, lambda total: total.precision).low, 3)
    0.1
    """
    if len(first) != len(second):
        raise ShapeError(f"{len(first)} and {len(second)} images; a paired difference needs the same images in both")
    value, resampled = _resample_score(first, score, n, seed)
    other, resampled_other = _resample_score(second, score, n, seed)
    return Interval.of(value - other, resampled - resampled_other, level)


def resample_sums(sums: ArrayLike, n: int, seed: int) -> NDArray[np.float64]:
    """Draw images with replacement, and add up what they add.

    Parameters
    ----------
    sums : array_like, shape (n_images, k)
        What each image adds to each of k sums.
    n : int
        Number of draws, 1 or more.
    seed : int
        Seed of the draws.

    Returns
    -------
    ndarray of float64, shape (n, k)
        NaN throughout for a single image.
    """
    matrix = np.asarray(sums, np.float64)
    if n < 1:
        raise ParameterError(f"{n} bootstrap draws; expected 1 or more (some hundreds at least)")
    n_images = len(matrix)
    if n_images < 2:
        return np.full((n, matrix.shape[1]), np.nan)
    rng = np.random.default_rng(seed)
    drawn = []
    block = max(1, _LARGEST_BLOCK // n_images)
    for start in range(0, n, block):
        weights = rng.multinomial(n_images, np.full(n_images, 1 / n_images), size=min(block, n - start))
        drawn.append(weights @ matrix)
    return np.concatenate(drawn)


def _resample_score(
    tallies: Sequence[T], score: Callable[[T], Any], n: int, seed: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the pooled score, and that of each draw."""
    if not tallies:
        raise ShapeError("no images to draw from")
    kind = type(tallies[0])
    matrix = np.array([tally.sums() for tally in tallies], np.float64)
    drawn = resample_sums(matrix, n, seed)
    return float(score(kind.pool(tallies))), np.asarray(score(kind(*drawn.T)), np.float64)
