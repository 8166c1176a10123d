"""A mixture of codewords, background and unknown, fitted by expectation and maximisation in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError
from teasel.spatial.codebook import Codebook
from teasel.spatial.decoders._base import Decoded, Decoder, Fit, check_vectors
from teasel.spatial.decoders.scale import chunks, fit_scales, nearest_words, unit_words

__all__ = ["Mixture"]

_LEAST_SD = 0.03  # of a vector of length 1
_SHRINK = 20.0  # vectors' worth of belief that a bit is like all bits
_CHUNK = 16_384


@dataclass(frozen=True)
class Mixture(Decoder):
    """The word with the highest posterior among all words, background, and vectors of no word at all.

    A vector, at length 1, comes from one of the words (each bit on or off, with a mean and a spread of its own), from
    background (each bit anything, around the mean direction of dim vectors), or is unknown (each bit on or off,
    independently of the others). Spreads are larger for dim vectors: they are estimated in strata of brightness. All
    words share one prior, so that blanks are as likely as genes and can tell how many calls of genes are false.

    Parameters
    ----------
    n_strata : int
        Strata of brightness, at least 1.
    n_iterations : int
        Steps of the fit.
    n_sample : int
        Vectors that the fit looks at, spread evenly over those given.

    Notes
    -----
    Deterministic: it starts at the nearest words. The posterior is a number of this model; `teasel.spatial.fdr`
    calibrates it by blanks.

    References
    ----------
    The components follow Gataric et al. (2021), PoSTcode, doi:10.1101/2021.10.12.464086, and Laubscher et al. (2024),
    Polaris, doi:10.1038/s41592-024-02350-x, without their variational inference.
    """

    name: ClassVar[str] = "mixture"
    n_strata: int = 6
    n_iterations: int = 15
    n_sample: int = 20_000

    def __post_init__(self) -> None:
        for name in ("n_strata", "n_iterations", "n_sample"):
            if not getattr(self, name) >= 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected 1 or more")

    def fit(self, vectors: ArrayLike, codebook: Codebook) -> Fit:
        """Estimate scales, then the mixture."""
        values = check_vectors(vectors, codebook)
        values = values[np.linalg.norm(values, axis=1) > 0]
        if len(values) > self.n_sample:
            values = values[np.linspace(0, len(values) - 1, self.n_sample).astype(int)]
        scales = fit_scales(values, codebook)
        scaled = (values / scales).astype(np.float32)
        length = np.linalg.norm(scaled, axis=1)
        direction, log_length = scaled / length[:, None], np.log(length)
        edges = np.quantile(log_length, np.linspace(0, 1, self.n_strata + 1)[1:-1]).astype(np.float64)
        state = _start(direction, log_length, edges, codebook)
        for _ in range(self.n_iterations):
            state = _step(direction, log_length, codebook, state)
        return {name: np.asarray(value, np.float64) for name, value in state.items()} | {"scales": scales}

    def decode(self, vectors: ArrayLike, codebook: Codebook, fit: Fit) -> Decoded:
        """Choose the word of the highest posterior; the score is that posterior."""
        values = check_vectors(vectors, codebook)
        n = len(values)
        word, score = np.full(n, -1, np.int64), np.zeros(n)
        length, distance = np.zeros(n), np.full(n, np.nan)
        units = unit_words(codebook).astype(np.float32)
        scales = fit["scales"].astype(np.float32)
        for part in chunks(n, _CHUNK):
            scaled = (values[part] / scales).astype(np.float32)
            size = np.linalg.norm(scaled, axis=1)
            lit = np.flatnonzero(size > 0)
            direction = scaled[lit] / size[lit, None]
            log_words, log_other = _log_parts(direction, np.log(size[lit]), codebook, fit)
            best = log_words.argmax(axis=1)
            rows = part.start + lit
            word[rows] = best
            score[rows] = _share(log_words, log_other, best)
            length[part] = size
            distance[rows] = np.sqrt(np.maximum(2 - 2 * (direction * units[best]).sum(axis=1), 0))
        return Decoded(word, score, distance, length)


def _share(log_words: NDArray[Any], log_other: NDArray[Any], best: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the posterior of the best word."""
    top = np.maximum(log_words.max(axis=1), log_other.max(axis=1))
    total = np.exp(log_words - top[:, None]).sum(axis=1) + np.exp(log_other - top[:, None]).sum(axis=1)
    return np.asarray(np.exp(log_words[np.arange(len(best)), best] - top) / total, np.float64)


def _start(
    direction: NDArray[np.float64], log_length: NDArray[np.float64], edges: NDArray[np.float64], codebook: Codebook
) -> dict[str, NDArray[np.float64]]:
    """Take the nearest words for granted, and far vectors for background."""
    word, distance = nearest_words(direction, codebook)
    near = distance < np.quantile(distance, 0.5)
    lit = codebook.words[word]
    n_strata, n_bits = len(edges) + 1, codebook.n_bits
    relative = direction * np.sqrt(codebook.words.sum(axis=1))[word][:, None]
    on = relative[near][lit[near]]
    off = direction[near][~lit[near]]
    shape = (n_strata, n_bits)
    return {
        "edges": edges,
        "on_mean": np.full(n_bits, on.mean()),
        "on_sd": np.full(shape, max(on.std() / np.sqrt(codebook.words.sum(axis=1).mean()), _LEAST_SD)),
        "off_mean": np.full(shape, off.mean()),
        "off_sd": np.full(shape, max(off.std(), _LEAST_SD)),
        "bg_mean": np.tile(direction.mean(axis=0), (n_strata, 1)),
        "bg_sd": np.full(shape, max(direction.std(), _LEAST_SD)),
        "on_rate": np.full(n_bits, codebook.words.mean()),
        "shares": np.array([0.6, 0.2, 0.2]),  # words, background, unknown
        "length": np.array([np.quantile(log_length, 0.7), 0.7, np.quantile(log_length, 0.3), 0.7]),
    }


def _log_parts(
    direction: NDArray[Any], log_length: NDArray[Any], codebook: Codebook, state: Fit
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return log prior times likelihood of each word (n, n_words), and of background and unknown (n, 2)."""
    n, kind = len(direction), direction.dtype
    words = codebook.words.astype(kind)
    scale = (1 / np.sqrt(words.sum(axis=1, keepdims=True))).astype(kind)  # of a word's bits at length 1
    log_words, log_other = np.empty((n, len(words)), kind), np.empty((n, 2), kind)
    stratum = np.searchsorted(state["edges"], log_length)
    mean_on = state["on_mean"].astype(kind)
    mean_scale = kind.type(scale.mean())
    fore, back = _log_normal_of(log_length, state["length"])
    shares = np.log(np.maximum(state["shares"], 1e-12))
    rate = np.clip(state["on_rate"], 1e-4, 1 - 1e-4)
    for s in range(len(state["edges"]) + 1):
        rows = np.flatnonzero(stratum == s)
        if not len(rows):
            continue
        x = direction[rows]
        on_sd, off_sd, off_mean = (state[name][s].astype(kind) for name in ("on_sd", "off_sd", "off_mean"))
        off = _log_normal(x, off_mean, off_sd)
        # a word changes its bits from off to on: x^2 and x times coefficients, plus what depends on the word only
        square = words * (1 / (2 * off_sd**2) - 1 / (2 * on_sd**2))
        linear = words * (scale * mean_on / on_sd**2 - off_mean / off_sd**2)
        rest = words * (
            off_mean**2 / (2 * off_sd**2) - (scale * mean_on) ** 2 / (2 * on_sd**2) + np.log(off_sd) - np.log(on_sd)
        )
        base = off.sum(axis=1) + fore[rows]
        constant = rest.sum(axis=1) + kind.type(shares[0] - np.log(len(words)))
        log_words[rows] = (x * x) @ square.T + x @ linear.T + constant + base[:, None]
        on = _log_normal(x, mean_scale * mean_on, on_sd)
        log_other[rows, 0] = _log_normal(x, state["bg_mean"][s], state["bg_sd"][s]).sum(axis=1) + back[rows] + shares[1]
        either = np.logaddexp(on + np.log(rate).astype(kind), off + np.log1p(-rate).astype(kind))
        log_other[rows, 1] = either.sum(axis=1) + fore[rows] + shares[2]
    return log_words, log_other


def _log_normal(x: NDArray[Any], mean: NDArray[Any], sd: NDArray[Any]) -> NDArray[Any]:
    return -0.5 * ((x - mean.astype(x.dtype)) / sd.astype(x.dtype)) ** 2 - np.log(sd).astype(x.dtype)


def _log_normal_of(log_length: NDArray[Any], length: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the log likelihood of the brightness, of molecules and of background."""
    fore = -0.5 * ((log_length - length[0]) / length[1]) ** 2 - np.log(length[1])
    back = -0.5 * ((log_length - length[2]) / length[3]) ** 2 - np.log(length[3])
    return fore.astype(log_length.dtype), back.astype(log_length.dtype)


def _step(
    direction: NDArray[np.float64], log_length: NDArray[np.float64], codebook: Codebook, state: Fit
) -> dict[str, NDArray[np.float64]]:
    """Do one step of expectation and maximisation."""
    log_words, log_other = _log_parts(direction, log_length, codebook, state)
    top = np.maximum(log_words.max(axis=1), log_other.max(axis=1))[:, None]
    weight = np.exp(log_words - top)
    other = np.exp(log_other - top)
    total = weight.sum(axis=1, keepdims=True) + other.sum(axis=1, keepdims=True)
    weight, other = weight / total, other / total
    words = codebook.words.astype(weight.dtype)
    lit = weight @ words  # (n, n_bits): probability that a bit is on, of a word
    unlit = weight.sum(axis=1, keepdims=True) - lit
    scaled = weight @ (words / np.sqrt(words.sum(axis=1, keepdims=True)))
    on_mean = (direction * scaled).sum(axis=0) / np.maximum((scaled * scaled / np.maximum(lit, 1e-9)).sum(axis=0), 1e-9)
    pooled = float((direction * scaled).sum() / np.maximum((scaled * scaled / np.maximum(lit, 1e-9)).sum(), 1e-9))
    count = lit.sum(axis=0)
    on_mean = (on_mean * count + _SHRINK * pooled) / (count + _SHRINK)
    expected = on_mean * scaled / np.maximum(lit, 1e-9)
    stratum = np.searchsorted(state["edges"], log_length)
    new: dict[str, NDArray[np.float64]] = {"edges": np.asarray(state["edges"]), "on_mean": on_mean}
    parts = {"on": (lit, expected), "off": (unlit, None), "bg": (np.repeat(other[:, :1], direction.shape[1], 1), None)}
    for name, (share, mean) in parts.items():
        means, sds = _moments(direction, share, mean, stratum, len(new["edges"]) + 1)
        new[f"{name}_sd"] = sds
        if mean is None:
            new[f"{name}_mean"] = means
    sums = np.array([weight.sum(), *other.sum(axis=0)])
    new["shares"] = (sums + 1) / (sums.sum() + 3)
    new["on_rate"] = _rates(direction, other[:, 1], codebook, state)
    molecules = weight.sum(axis=1) + other[:, 1]
    new["length"] = np.array([*_weighted(log_length, molecules), *_weighted(log_length, other[:, 0])])
    return new


def _moments(
    x: NDArray[np.float64],
    share: NDArray[np.float64],
    expected: NDArray[np.float64] | None,
    stratum: NDArray[np.int64],
    n_strata: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means and spreads (n_strata, n_bits), bits with few vectors drawn to the mean of all bits."""
    means, sds = np.zeros((n_strata, x.shape[1])), np.zeros((n_strata, x.shape[1]))
    overall = float((x * share).sum() / max(share.sum(), 1e-9))
    for s in range(n_strata):
        rows = stratum == s
        w, v = share[rows], x[rows]
        total = w.sum(axis=0)
        all_mean = (float((w * v).sum()) + _SHRINK * overall) / (float(w.sum()) + _SHRINK)
        means[s] = ((w * v).sum(axis=0) + _SHRINK * all_mean) / (total + _SHRINK)
        centre = means[s] if expected is None else expected[rows]
        squares = w * (v - centre) ** 2
        all_variance = (float(squares.sum()) + _SHRINK * 0.02) / (float(w.sum()) + _SHRINK)
        sds[s] = np.sqrt((squares.sum(axis=0) + _SHRINK * all_variance) / (total + _SHRINK))
    return means, np.maximum(sds, _LEAST_SD)


def _rates(
    direction: NDArray[np.float64], unknown: NDArray[np.float64], codebook: Codebook, state: Fit
) -> NDArray[np.float64]:
    """Return how often each bit is on in unknown vectors."""
    middle = 0.5 * (state["on_mean"] / np.sqrt(codebook.words.sum(axis=1).mean()) + state["off_mean"].mean(axis=0))
    on = direction > middle
    prior = codebook.words.mean()
    return np.asarray((on * unknown[:, None]).sum(axis=0) + _SHRINK * prior) / (unknown.sum() + _SHRINK)


def _weighted(values: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return the weighted mean and spread; wide where little is known."""
    if weights.sum() < 1:
        return float(values.mean()), float(max(values.std(), 0.3))
    mean = float(np.average(values, weights=weights))
    return mean, max(float(np.sqrt(np.average((values - mean) ** 2, weights=weights))), 0.1)
