"""From a decoder's raw score to the chance that the object is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ParameterError, ShapeError

__all__ = ["Calibration"]


@dataclass(frozen=True)
class Calibration:
    """A rising, piecewise linear map from raw scores to probabilities.

    Parameters
    ----------
    knots : tuple of (float, float)
        At least two pairs (raw score, probability): raw scores rise, probabilities in [0, 1] never fall.
        Between knots the map is linear, beyond the ends it is constant. The default changes nothing.

    Raises
    ------
    ParameterError
        If the knots do not rise.

    References
    ----------
    Zadrozny and Elkan 2002 (isotonic calibration), doi:10.1145/775047.775151

    Examples
    --------
    >>> Calibration(((0.0, 0.0), (0.5, 0.75), (1.0, 1.0)))([0.25, 0.5]).tolist()
    [0.375, 0.75]
    """

    knots: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 1.0))

    def __post_init__(self) -> None:
        knots = np.asarray(self.knots, np.float64)
        if knots.ndim != 2 or knots.shape[1] != 2 or len(knots) < 2:
            raise ParameterError(f"calibration knots {self.knots!r}: expected at least two pairs (raw, probability)")
        raw, chance = knots.T
        if not ((np.diff(raw) > 0).all() and (np.diff(chance) >= 0).all() and 0 <= chance[0] <= chance[-1] <= 1):
            raise ParameterError(
                f"calibration knots {self.knots!r}: expected rising raw scores and probabilities in [0, 1] "
                f"that never fall"
            )

    def __call__(self, scores: ArrayLike) -> NDArray[np.float32]:
        """Map raw scores, of any shape, to probabilities in [0, 1]."""
        raw, chance = np.asarray(self.knots, np.float64).T
        return np.interp(np.asarray(scores, np.float64), raw, chance).astype(np.float32)

    @classmethod
    def fit(cls, raw: ArrayLike, matched: ArrayLike, n_knots: int = 12) -> Calibration:
        """Learn the map from objects whose truth is known, by isotonic regression.

        Objects are put in order of raw score and into at most `n_knots` groups of like size (equal scores
        stay together); neighbouring groups whose share of right objects falls are pooled until none does.

        Parameters
        ----------
        raw : array_like of float, shape (n,)
            Raw scores.
        matched : array_like of bool, shape (n,)
            Whether the object was right, for example IoU with a true object of at least 0.5.
        n_knots : int
            Largest number of knots, at least 2.

        Returns
        -------
        Calibration

        Raises
        ------
        ShapeError
            If `raw` and `matched` differ in length.
        DataError
            If there are no objects, or a raw score is not finite.

        References
        ----------
        Barlow et al. 1972, Statistical Inference under Order Restrictions (pool adjacent violators)

        Examples
        --------
        >>> Calibration.fit([0.1, 0.2, 0.8, 0.9], [False, True, True, True], n_knots=2).knots
        ((0.15, 0.5), (0.85, 1.0))
        """
        scores, hits = np.asarray(raw, np.float64), np.asarray(matched, np.float64)
        if scores.ndim != 1 or scores.shape != hits.shape:
            raise ShapeError(f"raw scores {scores.shape} and matches {hits.shape}: expected two lists of one length")
        if len(scores) == 0 or not np.isfinite(scores).all():
            raise DataError("calibration needs at least one object, and finite raw scores")
        if n_knots < 2:
            raise ParameterError(f"n_knots is {n_knots}; a line needs at least 2")
        _, x, y = _pool(*_group(scores, hits, n_knots))
        if len(x) == 1:
            return cls(((float(x[0]) - 0.5, float(y[0])), (float(x[0]) + 0.5, float(y[0]))))
        return cls(tuple((round(float(a), 6), round(float(b), 6)) for a, b in zip(x, y, strict=True)))


def _group(
    scores: NDArray[np.float64], hits: NDArray[np.float64], n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Size, mean score and share of hits of groups of like size, in order of score."""
    _, which, counts = np.unique(np.round(scores, 6), return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    group = np.unique((middle * n_groups / len(scores)).astype(int), return_inverse=True)[1][which]
    size = np.bincount(group).astype(np.float64)
    return size, np.bincount(group, scores) / size, np.bincount(group, hits) / size


def _pool(
    weight: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Pool adjacent violators: weighted means of neighbours until `y` never falls."""
    blocks: list[NDArray[np.float64]] = []
    for block in np.stack([weight, x, y], 1):
        blocks.append(block)
        while len(blocks) > 1 and blocks[-2][2] >= blocks[-1][2]:
            last, before = blocks.pop(), blocks.pop()
            share = last[0] / (last[0] + before[0])
            blocks.append(np.array([last[0] + before[0], *(before[1:] * (1 - share) + last[1:] * share)]))
    pooled = np.array(blocks)
    return pooled[:, 0], pooled[:, 1], pooled[:, 2]
