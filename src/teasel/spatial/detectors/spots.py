"""A trained network that predicts heat and the way to the nearest spot at every pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ModelError, ParameterError
from teasel.representations import DecodedPoints, Fields
from teasel.representations.spot import Spot
from teasel.spatial.detectors._base import Detector, Progress
from teasel.spatial.detectors._judge import heat_features, read_weights, score
from teasel.spatial.detectors.log import LaplacianOfGaussian
from teasel.spatial.measure import measure_spots
from teasel.spatial.scale import FALLBACK_PX, estimate_sigmas
from teasel.spatial.source import Source, Tile
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    from teasel.models import Model

__all__ = ["NetworkDetector"]

EDGE_PX = 512
"""Pixels in y and x that the network looks at together, apart from the margin; always the same, so that a file read
piece by piece gives the very spots that the whole gives."""
BLUR_PLANES = 0.7
LOWEST_HEAT = 0.05
NEAR_PX = 2.0
SCORE_THRESHOLD = 0.45


@dataclass(frozen=True)
class NetworkDetector(Detector):
    """Find spots with a trained network; volumes are looked through plane by plane.

    Parameters
    ----------
    model : str
        Name or folder of a model with the representation ``spot``.
    score_threshold : float, optional
        Spots with a lower score are dropped; 0 to 1. The usual one if not given.
    threads : int, optional
        CPU threads; all cores if not given.
    """

    name: ClassVar[str] = "spots"
    model: str = "spots"
    score_threshold: float | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.score_threshold is not None and not 0 <= self.score_threshold <= 1:
            raise ParameterError(f"score_threshold is {self.score_threshold}; expected 0 to 1")

    def detect(self, source: Source, *, tile_px: int, progress: Progress | None = None) -> Spots:
        """Find spots; `tile_px` has no bearing on the network, whose own tiles are always the same."""
        found, notes = self.candidates(source, tile_px=tile_px, progress=progress)
        table = heat_features(found["score"], found["intensity"], found["snr"], found["filtered"])
        columns = {name: values for name, values in found.columns.items() if name != "filtered"}
        found = replace(found, columns=columns | {"score": score(table, read_weights(self.name))})
        order = np.lexsort((*found.positions_px.T[::-1], -found["score"]))
        lowest = SCORE_THRESHOLD if self.score_threshold is None else self.score_threshold
        return replace(found.take(order[found["score"][order] >= lowest]), notes=notes)

    def candidates(
        self, source: Source, *, tile_px: int, progress: Progress | None = None
    ) -> tuple[Spots, tuple[str, ...]]:
        """Return every maximum of heat that might be a spot, measured.

        Its ``score`` is the heat, ``filtered`` the score that a Laplacian of Gaussian gives to its maximum there.
        """
        model = _load(self.model, self.threads)
        spot = model.spec.representation
        if not isinstance(spot, Spot):
            raise ModelError(f"model {model.name!r} predicts {spot.name!r}, not spots; `teasel models` lists others")
        spot = replace(spot, score_threshold=LOWEST_HEAT, score_weights=(0.0, 1.0))
        low, high = _range(source, model.spec.normalisation)
        edge, margin = [EDGE_PX] * source.ndim, [model.spec.halo_px] * source.ndim
        if source.ndim == 3:
            edge[0], margin[0] = source.shape[0], 0
        parts = []
        tiles = list(source.tiles(edge, margin))
        for done, tile in enumerate(tiles, start=1):
            image = (source.read(tile.outer) - np.float32(low)) / np.float32(max(high - low, 1e-6))
            parts.append(_in_tile(model, spot, image, tile))
            if progress is not None:
                progress(done, len(tiles))
        found = spot.resolve(
            np.concatenate([part.positions_px for part in parts]), np.concatenate([part.scores for part in parts])
        )
        sigmas = estimate_sigmas(source.sample())
        width = sigmas[-1] if sigmas else FALLBACK_PX
        columns = {"score": found.scores, "sigma_px": np.full(len(found.scores), width)}
        table = Spots(found.positions_px, columns, source.voxel_size_um)
        measured = measure_spots(source, table, sigma_px=width, tile_px=tile_px)
        filtered = _filtered(source, found.positions_px, tile_px)
        return measured.with_columns(filtered=filtered), (f"model {model.name}",)


def _filtered(source: Source, positions_px: NDArray[np.float64], tile_px: int) -> NDArray[np.float64]:
    """Return the score that a Laplacian of Gaussian gives to its maximum at each position, 0 where it has none."""
    from scipy.spatial import cKDTree

    maxima = LaplacianOfGaussian(score_threshold=0.0).detect(source, tile_px=tile_px)
    if not len(maxima) or not len(positions_px):
        return np.zeros(len(positions_px))
    away, which = cKDTree(maxima.positions_px).query(positions_px, distance_upper_bound=NEAR_PX)
    return np.where(np.isfinite(away), np.append(maxima["score"], 0.0)[which], 0.0)


@lru_cache(maxsize=1)
def _load(model: str, threads: int | None) -> Model:
    """Open a model once for many images."""
    from teasel.models import load_model

    return load_model(model, threads=threads)


def _range(source: Source, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Return the two percentiles of an image, from the same pixels whatever the tiles."""
    values = np.concatenate([part.ravel() for part in source.sample()])
    low, high = np.percentile(values, percentiles)
    return float(low), float(high)


def _in_tile(model: Model, spot: Spot, image: NDArray[np.float32], tile: Tile) -> DecodedPoints:
    """Return the spots whose maximum lies in what counts of a tile."""
    if image.ndim == 2:
        found, pixels = spot.peaks_at(_predict(model, image))
    else:
        found, pixels = _in_volume(spot, [_predict(model, plane) for plane in image])
    low, high = np.array([(s.start, s.stop) for s in tile.inside]).T
    kept = ((pixels >= low) & (pixels < high)).all(1)
    return DecodedPoints(found.positions_px[kept] + tile.origin, found.scores[kept])


def _predict(model: Model, plane: NDArray[np.float32]) -> Fields:
    """Run the network on one plane, mirrored up to its divisor."""
    padded = np.pad(plane, [(0, -n % model.spec.divisor) for n in plane.shape], mode="symmetric")
    batch = np.repeat(padded[None, None], model.spec.in_channels, axis=1)
    fields = model.run(np.ascontiguousarray(batch, np.float32))
    return {name: values[0][:, : plane.shape[0], : plane.shape[1]] for name, values in fields.items()}


def _in_volume(spot: Spot, planes: list[Fields]) -> tuple[DecodedPoints, NDArray[np.int64]]:
    """Join planes: a spot is a maximum of heat, a little smoothed along z, among its 26 neighbours."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter

    heat = np.stack([plane["heat"][0] for plane in planes])
    smooth = gaussian_filter1d(heat, BLUR_PLANES, axis=0, mode="nearest")
    best = maximum_filter(heat, (3, 1, 1), mode="nearest")
    top = (smooth == maximum_filter(smooth, 3, mode="nearest")) & (best >= spot.lowest_heat) & (smooth > 0)
    pixels = np.argwhere(top)
    at = tuple(pixels.T)
    positions = pixels.astype(np.float64)
    for axis in (0, 1):
        offset = np.stack([plane["offset"][axis] for plane in planes])
        positions[:, 1 + axis] += np.clip(offset[at], -1.5, 1.5)
    below, above = (smooth[(np.clip(at[0] + d, 0, len(heat) - 1), *at[1:])].astype(np.float64) for d in (-1, 1))
    bend = below - 2 * smooth[at] + above
    moved = np.where(bend < 0, 0.5 * (below - above) / np.where(bend < 0, bend, -1.0), 0.0)
    positions[:, 0] += np.clip(moved, -0.5, 0.5)
    return DecodedPoints(positions, spot.score_of(best[at].astype(np.float64))), pixels
