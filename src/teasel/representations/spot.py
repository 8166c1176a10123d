"""Spots: heat that is 1 at the centre of each, and the way from each pixel to the nearest centre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError
from teasel.representations._base import DecodedPoints, Fields, Head, PointRepresentation

__all__ = ["Spot"]

CUT = 4.0  # widths of heat beyond which it is 0
EPSILON = 1e-6


@dataclass(frozen=True)
class Spot(PointRepresentation):
    """Spots: heat and sub-pixel offsets.

    Heat falls off around each spot as a Gaussian; of several spots the nearest counts. The offset points from a pixel's
    centre to the nearest spot. A spot is read back where heat has a maximum, at the place the offset says.

    Parameters
    ----------
    heat_sigma_px : float
        Width of the heat around a spot, above 0.
    offset_radius_px : float
        Offsets are learnt this far from a spot.
    score_threshold : float
        Spots with a lower score are dropped; 0 to 1.
    min_distance_px : float
        Of two spots that are closer, the one with the lower score is dropped.
    score_weights : tuple of float
        Intercept and slope of the logistic function that turns the logit of heat into a probability; fitted on
        simulated images after training.

    References
    ----------
    Dominguez Mantes et al. 2025, doi:10.1038/s41592-025-02662-x (heat and flow to the nearest spot); Eichenberger et
    al. 2021, doi:10.1093/nar/gkab546 (offsets per cell of a grid).

    Examples
    --------
    >>> spot = Spot()
    >>> fields = spot.encode(np.array([[4.25, 7.5]]), (12, 12))
    >>> spot.decode(fields).positions_px
    array([[4.25, 7.5 ]])
    """

    name: ClassVar[str] = "spot"
    heat_sigma_px: float = 1.0
    offset_radius_px: float = 2.0
    score_threshold: float = 0.5
    min_distance_px: float = 1.0
    score_weights: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if not self.heat_sigma_px > 0 or self.offset_radius_px < 0 or self.min_distance_px < 0:
            raise ParameterError(
                f"heat_sigma_px {self.heat_sigma_px}, offset_radius_px {self.offset_radius_px}, min_distance_px "
                f"{self.min_distance_px}; expected above 0, 0 or more, 0 or more"
            )
        if not 0 <= self.score_threshold <= 1:
            raise ParameterError(f"score_threshold is {self.score_threshold}; expected 0 to 1")
        if len(self.score_weights) != 2:
            raise ParameterError(f"score_weights are {self.score_weights}; expected intercept and slope")

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """One channel of heat, `ndim` of offset, all at full resolution."""
        return (
            Head("heat", 1, "sigmoid", "bce", weight=20.0),
            Head("offset", ndim, "linear", "smooth_l1", weight=1.0),
        )

    def reach(self, ndim: int) -> int:
        """Pixels of context one spot needs."""
        return int(np.ceil(CUT * self.heat_sigma_px + self.min_distance_px))

    def encode(
        self, points: NDArray[np.floating], shape: Sequence[int], weights: NDArray[np.floating] | None = None
    ) -> Fields:
        """Turn points into heat and offsets; see `PointRepresentation.encode`. Weights scale the heat."""
        shape = tuple(shape)
        points = _checked(points, len(shape))
        weights = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
        if weights.shape != (len(points),):
            raise ShapeError(f"weights have shape {weights.shape}; expected ({len(points)},)")
        pixel, owner, squared = self._surroundings(points, shape)
        heat = np.zeros(shape).ravel()
        unknown = np.zeros(shape).ravel()
        gauss = np.exp(-0.5 * squared / self.heat_sigma_px**2)
        known = ~np.isnan(weights)[owner]
        np.maximum.at(heat, pixel[known], (gauss * np.nan_to_num(weights)[owner])[known])
        np.maximum.at(unknown, pixel[~known], gauss[~known])
        heat[(unknown > heat) & (unknown > 0.05)] = np.nan
        offset = np.full((len(shape), heat.size), np.nan)
        near = (squared <= self.offset_radius_px**2) & (np.nan_to_num(weights) > 0.5)[owner]
        last_wins = np.argsort(-squared[near], kind="stable")
        where, whose = pixel[near][last_wins], owner[near][last_wins]
        offset[:, where] = points[whose].T - np.array(np.unravel_index(where, shape))
        return {
            "heat": heat.reshape(1, *shape).astype(np.float32),
            "offset": offset.reshape(len(shape), *shape).astype(np.float32),
        }

    def decode(self, prediction: Mapping[str, NDArray[np.float32]]) -> DecodedPoints:
        """Read spots back: maxima of heat, moved by their offsets, close ones merged."""
        found, _ = self.peaks_at(prediction)
        return self.resolve(found.positions_px, found.scores)

    def peaks_at(self, prediction: Mapping[str, NDArray[np.float32]]) -> tuple[DecodedPoints, NDArray[np.int64]]:
        """Find maxima of heat whose score reaches the threshold, in the order of pixels; close ones are not merged.

        What is found at a pixel depends on the fields next to it only, so that tiles can be worked on alone.

        Returns
        -------
        points : DecodedPoints
            Positions and scores.
        pixels : ndarray of int64, shape (n, ndim)
            The pixel of each maximum.
        """
        from scipy.ndimage import maximum_filter

        heat = prediction["heat"][0]
        top = (heat == maximum_filter(heat, 3, mode="nearest")) & (heat >= self.lowest_heat) & (heat > 0)
        at = np.nonzero(top)
        pixels = np.stack(at, axis=1)
        offset = np.stack([field[at] for field in prediction["offset"]], axis=1).astype(np.float64)
        offset = np.clip(np.nan_to_num(offset), -1.5, 1.5)
        return DecodedPoints(pixels + offset, self.score_of(heat[at].astype(np.float64))), pixels

    def resolve(self, positions_px: NDArray[np.float64], scores: NDArray[np.float64]) -> DecodedPoints:
        """Drop whatever lies closer than `min_distance_px` to a spot with a higher score; higher scores first."""
        from scipy.spatial import cKDTree

        order = np.lexsort((*positions_px.T[::-1], -scores))
        positions, scores = positions_px[order], scores[order]
        kept = np.ones(len(scores), bool)
        if len(scores) > 1 and self.min_distance_px > 0:
            for better, worse in sorted(cKDTree(positions).query_pairs(self.min_distance_px)):
                if kept[better]:
                    kept[worse] = False
        return DecodedPoints(positions[kept], scores[kept])

    def _surroundings(
        self, points: NDArray[np.float64], shape: tuple[int, ...]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """List pixels around each point: flat index, number of the point, squared distance."""
        reach = int(np.ceil(max(CUT * self.heat_sigma_px, self.offset_radius_px)))
        steps = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * len(shape), indexing="ij"), -1)
        steps = steps.reshape(-1, len(shape))
        cells = np.round(points).astype(np.intp)[:, None] + steps  # (n, window, ndim)
        squared = ((cells - points[:, None]) ** 2).sum(-1)
        inside = ((cells >= 0) & (cells < shape)).all(-1)
        owner = np.broadcast_to(np.arange(len(points))[:, None], squared.shape)
        return np.ravel_multi_index(tuple(cells[inside].T), shape), owner[inside], squared[inside]

    def score_of(self, heat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn heat at maxima into the probability of being a spot."""
        intercept, slope = self.score_weights
        heat = np.clip(heat, EPSILON, 1 - EPSILON)
        return np.asarray(1 / (1 + np.exp(-(intercept + slope * np.log(heat / (1 - heat))))), np.float64)

    @property
    def lowest_heat(self) -> float:
        """Heat at which the score is the threshold."""
        intercept, slope = self.score_weights
        score = float(np.clip(self.score_threshold, EPSILON, 1 - EPSILON))
        return float(1 / (1 + np.exp(-(np.log(score / (1 - score)) - intercept) / slope)))


def _checked(points: NDArray[np.floating], ndim: int) -> NDArray[np.float64]:
    """Return the points as (n, ndim) float64, or raise."""
    checked: NDArray[np.float64] = np.array(points, np.float64)
    if checked.ndim != 2 or checked.shape[1] != ndim:
        raise ShapeError(f"points have shape {checked.shape}; expected (n, {ndim})")
    if not np.isfinite(checked).all():
        raise ParameterError("a point is NaN or infinite; drop it first")
    return checked
