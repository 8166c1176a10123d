"""How many calls are false, told by blanks: per call, per selection, per block of the codebook."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ParameterError, ShapeError

__all__ = ["BlankEstimate", "Calibration", "blank_estimate", "calibrate", "call_features"]

_RIDGE = 1.0
_STEPS = 30
_MANY = 3000  # calls from which curved boundaries are learnt


@dataclass(frozen=True)
class BlankEstimate:
    """The false discovery rate of calls of genes, as blanks tell it.

    Parameters
    ----------
    n_genes, n_blanks : int
        Calls of genes and of blanks.
    fdr : float
        ``(n_blanks / blank words) / (n_genes / gene words)``, at most 1; NaN without calls of genes or blank words.
    low, high : float
        Interval of 95 %, from the Poisson distribution of the calls of blanks.
    """

    n_genes: int
    n_blanks: int
    fdr: float
    low: float
    high: float


def blank_estimate(n_genes: int, n_blanks: int, *, gene_words: int, blank_words: int) -> BlankEstimate:
    """Estimate the share of false calls among those of genes, in one block of a codebook.

    Parameters
    ----------
    n_genes, n_blanks : int
        How often genes, and blanks, were called.
    gene_words, blank_words : int
        How many words of either kind the block has.

    Returns
    -------
    BlankEstimate
        Under the assumption that a word of a gene is called by mistake as often as a word of a blank. Blocks have
        errors of their own: never add the calls of a block without blanks, such as single-molecule channels.

    Examples
    --------
    >>> blank_estimate(400, 10, gene_words=100, blank_words=50).fdr
    0.05
    """
    if not (n_genes and blank_words):
        return BlankEstimate(n_genes, n_blanks, float("nan"), float("nan"), float("nan"))
    from scipy.stats import chi2

    factor = gene_words / blank_words / n_genes
    low = chi2.ppf(0.025, 2 * n_blanks) / 2 if n_blanks else 0.0
    high = chi2.ppf(0.975, 2 * n_blanks + 2) / 2
    found = [min(1.0, float(value) * factor) for value in (n_blanks, low, high)]
    return BlankEstimate(n_genes, n_blanks, *found)


@dataclass(frozen=True, eq=False)
class Calibration:
    """From what is known of a call to the probability that it is false, as blanks tell it.

    Parameters
    ----------
    centre, spread : ndarray of float64, shape (n_features,)
        What features are standardised by.
    weights : ndarray of float64, shape (1 + n_terms,)
        Of the ranking: a constant, then the features, then perhaps their products.
    knots, errors : ndarray of float64, shape (n_knots,)
        Ranking, ascending, and the probability that a call of a gene at that rank is false, descending.
    running : ndarray of float64, shape (n_knots,)
        False discovery rate of taking the calls of genes from this rank upwards: the mean of their errors, and no less
        than what blanks say when they are simply counted.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]
    knots: NDArray[np.float64]
    errors: NDArray[np.float64]
    running: NDArray[np.float64]

    def rank(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return how gene-like calls are, from their features (n, n_features); higher is better."""
        return _terms(self, np.asarray(features, np.float64)) @ self.weights

    def error(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return for each call the probability in [0, 1] that it is false, were it a gene's."""
        return np.interp(self.rank(features), self.knots, self.errors)

    def fdr(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return for each call the false discovery rate of taking it and every better one."""
        return np.interp(self.rank(features), self.knots, self.running)


def call_features(
    score: ArrayLike, distance: ArrayLike, intensity: ArrayLike, area_px: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return what is known of calls as features that `calibrate` takes: log odds, distance, and logs of sizes.

    Parameters
    ----------
    score, distance, intensity, area_px : array, shape (n,)
        As decoders give them; `area_px` only where pixels were joined.

    Returns
    -------
    ndarray of float64, shape (n, 3) or (n, 4)
        Finite.
    """
    sure = np.clip(np.asarray(score, np.float64), 1e-9, 1 - 1e-9)
    columns = [
        np.log(sure / (1 - sure)),
        np.nan_to_num(np.asarray(distance, np.float64), nan=2**0.5),
        np.log(np.maximum(np.asarray(intensity, np.float64), 1e-9)),
    ]
    if area_px is not None:
        columns.append(np.log(np.maximum(np.asarray(area_px, np.float64), 1)))
    return np.stack(columns, axis=1)


def calibrate(features: ArrayLike, is_blank: ArrayLike, *, gene_words: int, blank_words: int) -> Calibration:
    """Learn from the calls of blanks how likely any call is false.

    Parameters
    ----------
    features : array, shape (n, n_features)
        What is known of each call: its score, brightness, size ...; finite.
    is_blank : array of bool, shape (n,)
        Whether a blank was called. Calls of blanks that are held out are left out of both arrays.
    gene_words, blank_words : int
        How many words genes, and the blanks used here, have.

    Returns
    -------
    Calibration
        Of one block.

    Raises
    ------
    ShapeError
        If lengths differ.
    ParameterError
        If there are no blank words.
    DataError
        If there are no calls of genes, or a feature is not finite.

    Notes
    -----
    Two steps. A ridge-regularised logistic regression of blank against gene ranks the calls. Along that ranking the
    share of blanks is made monotone (pool adjacent violators), which gives ``b``; the odds ``b / (1 - b)`` times
    ``gene_words / blank_words`` are the share of false calls among those of genes.

    References
    ----------
    Storey (2003), doi:10.1214/aos/1074290335, for rates from local errors; Zadrozny & Elkan (2002),
    doi:10.1145/775047.775151, for isotonic calibration.
    """
    values, blank = np.asarray(features, np.float64), np.asarray(is_blank, bool)
    if values.ndim != 2 or len(values) != len(blank):
        raise ShapeError(f"features {values.shape} and blanks {blank.shape} do not belong together: (n, k) and (n,)")
    if blank_words < 1:
        raise ParameterError("no blank words, so error rates cannot be told; ask for no rate, or use more blanks")
    if not np.isfinite(values).all():
        raise DataError("a feature is NaN or infinite; leave such calls out")
    if blank.all():
        raise DataError(f"no gene was called, only {blank.sum()} blanks; check registration, background and scales")
    centre, spread = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)
    curved = len(values) >= _MANY
    n_terms = values.shape[1] * (values.shape[1] + 3) // 2 if curved else values.shape[1]
    plain = Calibration(centre, spread, np.zeros(1 + n_terms), *([np.zeros(1)] * 3))
    weights = -_logistic(_terms(plain, values), blank)
    rank = _terms(plain, values) @ weights
    order = np.argsort(-rank, kind="stable")
    share = _monotone(blank[order].astype(np.float64))
    odds = share / np.maximum(1 - share, 1e-12) * gene_words / blank_words
    errors = np.minimum(odds, 1.0)
    genes = np.cumsum(~blank[order])
    running = np.cumsum(errors * ~blank[order]) / np.maximum(genes, 1)
    counted = np.cumsum(blank[order]) * gene_words / blank_words / np.maximum(genes, 1)
    counted = np.minimum.accumulate(counted[::-1])[::-1]  # of the largest selection that is at least as good
    running = np.maximum.accumulate(np.maximum(np.where(genes > 0, running, errors), np.minimum(counted, 1.0)))
    keep = _corners(errors, running)
    return Calibration(centre, spread, weights, rank[order][keep][::-1], errors[keep][::-1], running[keep][::-1])


def _terms(calibration: Calibration, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a constant, the standardised features, and their products where the weights ask for them."""
    z = np.clip((values - calibration.centre) / calibration.spread, -6, 6)
    columns = [np.ones(len(z)), *z.T]
    if len(calibration.weights) > 1 + z.shape[1]:
        columns += [z[:, i] * z[:, j] for i in range(z.shape[1]) for j in range(i, z.shape[1])]
    return np.stack(columns, axis=1)


def _logistic(design: NDArray[np.float64], outcome: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fit a logistic regression by Newton's method, with a ridge on all but the constant."""
    ridge = np.full(design.shape[1], _RIDGE)
    ridge[0] = 1e-6
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        probability = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (outcome - probability) - ridge * weights
        curve = (design * (probability * (1 - probability))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        weights = weights + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _monotone(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the closest ascending sequence, least squares."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values).x)


def _corners(errors: NDArray[np.float64], running: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return both ends of each stretch of equal errors, jumps of the rate, and every 1/1000 of the calls, in order."""
    change = np.flatnonzero((np.diff(errors) != 0) | (np.diff(running) > 1e-3))
    grid = np.linspace(0, len(errors) - 1, 1001).astype(int)
    return np.unique(np.concatenate([[0, len(errors) - 1], change, change + 1, grid]))
