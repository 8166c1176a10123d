"""From what a maximum looks like, beside the others of its image, to the probability that it is a spot.

No single number tells spots from noise in every image: not the height over noise (textures, off-target puncta), not the
height beside the brightest (spots differ), not the count. So all of them are measured, relative to the image itself,
and a quadratic logistic function of them, fitted on simulated images, gives the probability.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ShapeError
from teasel.spatial.detectors._candidates import Candidates
from teasel.spatial.noise import NoiseMap

__all__ = ["FEATURES", "HEAT_FEATURES", "expand", "features", "heat_features", "read_weights", "score"]

_NEAR = ((-0.9, 0.15), (-0.6, 0.15), (-0.3, 0.15), (0.0, 0.15), (0.3, 0.15), (0.6, 0.15))
_ABOVE = ((0.9, 0.18), (1.3, 0.22), (1.8, 0.28), (2.4, 0.3), (3.0, 0.3))
PROFILE = _NEAR + _ABOVE
"""Where the histogram of log strength is read, relative to the candidate, and half the width of each bin."""
AT_PROFILE = tuple(f"at{offset:+g}" for offset, _ in PROFILE)
FEATURES = ("local", "overall", "bright", "spread", "narrow", "wide", "roundness", "tail", "noisy", "rank", *AT_PROFILE)
HEAT_FEATURES = ("heat", "bright", "spread", "contrast", "rank", "plain", "filtered", *AT_PROFILE)
PLAIN = 8.0  # deviations above which a maximum is certainly no noise
PLAIN_HEAT = 0.6
FEW = 5
USUAL_SPREAD = 0.5


def features(
    candidates: Candidates, noise: NoiseMap, shape: tuple[int, ...], sigmas: tuple[float, ...]
) -> NDArray[np.float64]:
    """Describe each candidate relative to its image.

    Parameters
    ----------
    candidates : Candidates
        All maxima of one image.
    noise : NoiseMap
        Deviation of the filter's answer.
    shape : tuple of int
        Of the image.
    sigmas : tuple of float
        Widths looked for.

    Returns
    -------
    ndarray of float64, shape (n, 21)
        ``local`` and ``overall``: log of the answer over the noise nearby and of the whole image; ``bright``: log of
        the answer over that of plain spots; ``spread``: how much the brighter half of those differ; ``narrow`` and
        ``wide``: answers of filters 1.5 times narrower and wider over this one's; ``roundness``; ``tail``: how high
        the faint maxima of the image reach; ``noisy``: how many there are for its size; ``rank``: how many maxima are
        at least 0.6 times as high, over those as high; ``at-0.9`` to ``at+3``: the histogram of log answers, read
        from below this candidate to far above it.
    """
    if not len(candidates):
        return np.zeros((0, len(FEATURES)))
    response = np.maximum(candidates.response, 1e-12)
    local = response / np.maximum(noise.at(candidates.pixels), 1e-12)
    level, spread = _bright(response, local >= PLAIN)
    spots_that_fit = np.prod(shape) / np.prod([4 * s for s in sigmas])
    table = [
        np.log(local),
        np.log(response / max(noise.typical, 1e-12)),
        np.log(response / level),
        np.full(len(response), spread),
        np.clip(candidates.narrow / response, -1, 3),
        np.clip(candidates.wide / response, -1, 3),
        np.clip(candidates.roundness, -0.5, 1),
        np.full(len(response), np.log(max(float(np.quantile(local, 0.8)), 1.0))),
        np.full(len(response), np.log((local < PLAIN).sum() / spots_that_fit + 1e-4)),
        _rank(response),
        *_profile(response),
    ]
    return np.stack(table, axis=1)


def heat_features(
    heat: NDArray[np.float64],
    intensity: NDArray[np.float64],
    snr: NDArray[np.float64],
    filtered: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Describe each maximum of a network's heat relative to its image.

    Parameters
    ----------
    heat : ndarray of float64, shape (n,)
        What the network says, in [0, 1].
    intensity, snr : ndarray of float64, shape (n,)
        As `teasel.spatial.measure.measure_spots` gives them.
    filtered : ndarray of float64, shape (n,)
        The score that a Laplacian of Gaussian gives to its maximum there, 0 where it has none.

    Returns
    -------
    ndarray of float64, shape (n, 18)
        ``heat``: its logit; ``bright``: log of intensity over that of plain spots; ``spread``: how much the brighter
        half of those differ; ``contrast``: log of the signal-to-noise ratio; ``rank``: how many are at least 0.6 times
        as bright, over those as bright; ``plain``: log of the share of plain ones;
        ``filtered``: logit of that score; ``at-0.9`` to ``at+3``: the histogram of log intensities, read from below
        this candidate to far above it.
    """
    if not len(heat):
        return np.zeros((0, len(HEAT_FEATURES)))
    strength = np.maximum(intensity, 1e-12)
    plain = heat >= PLAIN_HEAT
    level, spread = _bright(strength, plain)
    sure = np.clip(heat, 1e-6, 1 - 1e-6)
    table = [
        np.clip(np.log(sure / (1 - sure)), -5, 6),
        np.clip(np.log(strength / level), -5, 3),
        np.full(len(heat), spread),
        np.log(np.clip(snr, 0.3, 300)),
        _rank(strength),
        np.full(len(heat), np.log((plain.sum() + 1) / (len(heat) + 1))),
        np.log((filtered + 3e-3) / (1 - filtered + 3e-3)),
        *_profile(strength),
    ]
    return np.stack(table, axis=1)


def _bright(strength: NDArray[np.float64], plain: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how strong the plain spots of an image are, and the log of the 90th percentile over the median."""
    if plain.sum() < FEW:
        return float(strength.max()), USUAL_SPREAD
    middle, high = np.percentile(strength[plain], (50, 90))
    return float(middle), float(np.log(high / middle))


def _rank(strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log of how many are at least 0.6 times as strong, over how many are as strong."""
    ordered = np.sort(strength)
    above, beside = (len(ordered) - np.searchsorted(ordered, strength * part) for part in (0.6, 1.0))
    return np.asarray(np.log((above + 3) / (beside + 3)), np.float64)


def _profile(strength: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the log density of log strengths at some distances from each, as a share of all.

    Noise falls off below the candidate and leaves a gap above it, off-target puncta lie below a gap, spots of every
    brightness have no gap.
    """
    level = np.log(strength)
    ordered = np.sort(level)
    read = []
    for offset, half in PROFILE:
        high, low = (np.searchsorted(ordered, level + (offset + side)) for side in (half, -half))
        read.append(np.log((high - low + 0.5) * (PROFILE[0][1] / half)) - np.log(len(level) + 5))
    return read


def expand(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1, the features, and all products of two: shape (n, 1 + k + k (k + 1) / 2)."""
    k = table.shape[1]
    first, second = np.triu_indices(k)
    return np.concatenate([np.ones((len(table), 1)), table, table[:, first] * table[:, second]], axis=1)


@lru_cache
def read_weights(judge: str) -> tuple[float, ...]:
    """Return the weights of ``"filters"`` or ``"spots"``; scripts/fit_spot_scores.py writes ``judges.json``."""
    content = files("teasel.spatial.detectors").joinpath("judges.json").read_text("utf-8")
    return tuple(json.loads(content)[judge])


def score(table: NDArray[np.float64], weights: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the probability that each candidate is a spot, shape (n,)."""
    expanded = expand(table)
    if expanded.shape[1] != len(weights):
        raise ShapeError(f"{len(weights)} weights for {expanded.shape[1]} terms; fit them again")
    total = (expanded * np.array(weights)).sum(1)  # row by row: the same bits whatever the other rows are
    return np.asarray(1 / (1 + np.exp(-np.clip(total, -50, 50))), np.float64)
