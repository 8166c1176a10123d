"""From what is observed to the score that is expected: a ridge regression, made monotone, with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ModelError

__all__ = ["Predictor", "fit_predictor", "monotone"]

Values = NDArray[np.float64]
BINS = 5
COVERAGE = (0.1, 0.9)


@dataclass(frozen=True)
class Predictor:
    """Predicts the average precision at IoU 0.5 of an image.

    Parameters
    ----------
    features : tuple of str
        What goes in, in order.
    mean, spread : tuple of float
        Of each feature where the predictor was fitted.
    weights : tuple of float
        One per standardised feature, and the intercept last.
    knots, values : tuple of float
        The monotone curve from the regression to the expected score.
    edges : tuple of float
        Expected scores between which the error was measured.
    errors : tuple of (float, float)
        For each of those ranges, how far below and above the expected score four in five images lay.
    centres : tuple of tuple of float
        Looks of the training data (standardised style vectors); empty where they are not known.
    style_mean, style_spread : tuple of float
        Of each number of the style vector over the training data.
    usual_distance : float
        Distance to the nearest centre that 95 of 100 training images keep.
    fitted_on : str
        Which model and images.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    knots: tuple[float, ...]
    values: tuple[float, ...]
    edges: tuple[float, ...]
    errors: tuple[tuple[float, float], ...]
    centres: tuple[tuple[float, ...], ...] = ()
    style_mean: tuple[float, ...] = ()
    style_spread: tuple[float, ...] = ()
    usual_distance: float = 1.0
    fitted_on: str = ""

    def raw(self, observed: Values) -> Values:
        """Return the regression's value for observations ``(n, k)``."""
        return _design(observed, np.array(self.mean), np.array(self.spread)) @ np.array(self.weights)

    def expect(self, observed: Values) -> Values:
        """Return the expected score of each of `n` observations, in [0, 1]."""
        return np.interp(self.raw(observed), self.knots, self.values)

    def interval(self, expected: float) -> tuple[float, float]:
        """Return the range in which four in five images of that expected score lay."""
        below, above = self.errors[int(np.searchsorted(self.edges, expected, side="right"))]
        return max(0.0, expected - below), min(1.0, expected + above)

    def novelty(self, style: Values) -> float:
        """Return how unlike the training data a look is: 1 is at the edge of the usual; NaN if that is not known."""
        if not self.centres:
            return float("nan")
        standard = (style - np.array(self.style_mean)) / np.array(self.style_spread)
        distances = np.sqrt(((np.array(self.centres) - standard) ** 2).mean(1))
        return float(distances.min() / self.usual_distance)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Predictor:
        """Read what `to_dict` wrote.

        Raises
        ------
        ModelError
            If a key is missing or unknown.
        """

        def frozen(value: Any) -> Any:
            return tuple(frozen(one) for one in value) if isinstance(value, list) else value

        try:
            return cls(**{key: frozen(value) for key, value in values.items()})
        except TypeError as error:
            raise ModelError(f"the parameters that predict scores are broken: {error}") from error


def fit_predictor(
    features: tuple[str, ...], observed: Values, truth: Values, groups: NDArray[np.integer], *, ridge: float = 3.0
) -> Predictor:
    """Fit a predictor.

    Parameters
    ----------
    features : tuple of str
        Names of the columns.
    observed : ndarray of float, shape (n, k)
        One row per image.
    truth : ndarray of float, shape (n,)
        Average precision of each, in [0, 1].
    groups : ndarray of int, shape (n,)
        Rows of one group (versions of one image) are never in the part fitted and in the part that gives the errors.
    ridge : float
        Strength of the pull of the weights towards 0.

    Returns
    -------
    Predictor

    Examples
    --------
    >>> x = np.linspace(0, 1, 200)[:, None]
    >>> predictor = fit_predictor(("sureness",), x, x[:, 0], np.arange(200))
    >>> bool(abs(predictor.expect(np.array([[0.7]]))[0] - 0.7) < 0.05)
    True
    """
    whole = _fit(features, observed, truth, ridge)
    folds = np.unique(groups, return_inverse=True)[1] % BINS
    expected = np.empty(len(truth))
    for fold in range(BINS):
        held = folds == fold
        if held.any() and not held.all():
            expected[held] = _fit(features, observed[~held], truth[~held], ridge).expect(observed[held])
        else:
            expected[held] = whole.expect(observed[held])
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, BINS + 1)[1:-1]))
    where = np.searchsorted(edges, expected, side="right")
    errors = []
    for part in range(len(edges) + 1):
        off = (truth - expected)[where == part]
        low, high = np.quantile(off, COVERAGE) if len(off) else (-0.5, 0.5)
        errors.append((round(max(0.02, -float(low)), 4), round(max(0.02, float(high)), 4)))
    plain = whole.to_dict() | {"edges": tuple(float(e) for e in edges), "errors": tuple(errors)}
    return Predictor(**plain)


def _fit(features: tuple[str, ...], observed: Values, truth: Values, ridge: float) -> Predictor:
    """Fit regression and monotone curve."""
    mean, spread = observed.mean(0), observed.std(0) + 1e-6
    x = _design(observed, mean, spread)
    penalty = ridge * np.eye(x.shape[1])
    penalty[-1, -1] = 1e-6
    weights = np.linalg.solve(x.T @ x + penalty, x.T @ truth)
    knots, values = monotone(x @ weights, truth)
    return Predictor(
        features=features,
        mean=_plain(mean),
        spread=_plain(spread),
        weights=_plain(weights),
        knots=_plain(knots),
        values=_plain(values),
        edges=(),
        errors=((0.5, 0.5),),
    )


def _plain(values: NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _design(observed: Values, mean: Values, spread: Values) -> Values:
    """Standardised features, clipped to what was seen, and 1."""
    x = np.clip((np.atleast_2d(observed) - mean) / spread, -3, 3)
    return np.column_stack([x, np.ones(len(x))])


def monotone(x: Values, y: Values, *, groups: int = 96) -> tuple[Values, Values]:
    """Fit a curve that never falls (isotonic regression by pooling neighbours), as points to draw lines between.

    Each pool of neighbours is one point, in its middle, so the curve rises all the way: of two images one is better.

    References
    ----------
    Best and Chakravarti 1990, doi:10.1007/BF01580873

    Examples
    --------
    >>> [values.tolist() for values in monotone(np.array([0.0, 1, 2, 3]), np.array([0.0, 0.6, 0.4, 1]))]
    [[0.0, 1.5, 3.0], [0.0, 0.5, 1.0]]
    """
    pools: list[tuple[float, float, int]] = []  # mean of x, mean of y, how many
    for group in np.array_split(np.argsort(x, kind="stable"), min(len(x), groups)):
        pool = (float(x[group].mean()), float(y[group].mean()), len(group))
        while pools and pools[-1][1] >= pool[1]:
            last = pools.pop()
            n = last[2] + pool[2]
            where, value = ((last[k] * last[2] + pool[k] * pool[2]) / n for k in (0, 1))
            pool = (where, value, n)
        pools.append(pool)
    return np.array([pool[0] for pool in pools]), np.array([pool[1] for pool in pools])
