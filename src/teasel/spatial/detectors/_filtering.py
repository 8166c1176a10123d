"""What all filtering detectors share: width, noise, maxima, and a score, tile by tile."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.spatial.detectors._base import Detector, Progress
from teasel.spatial.detectors._candidates import Candidates, find_maxima, hessian_roundness, refine_by_parabola
from teasel.spatial.detectors._judge import features, read_weights, score
from teasel.spatial.noise import NoiseMap
from teasel.spatial.scale import FALLBACK_PX, estimate_sigmas
from teasel.spatial.source import Source, Tile
from teasel.spatial.spots import Spots

__all__ = ["FilteringDetector"]

STEP = 1.5  # narrower and wider filters, relative to the spot's width
LOWEST = 2.5  # deviations of noise below which nothing is looked at
BLOCK = 8.0  # edge of a block of the noise map, in widths
TRUNCATE = 4.0
Sigmas = tuple[float, ...]


@dataclass(frozen=True)
class FilteringDetector(Detector):
    """Find maxima of a filter that answers to spots of one width, and judge each by how it stands out.

    Parameters
    ----------
    sigma_px : float, optional
        Standard deviation of a spot in y and x, in pixels; found from the image if not given.
    sigma_z_px : float, optional
        The same along z, in planes; found from the image if not given.
    score_threshold : float
        Spots with a lower score are dropped; 0 to 1.
    """

    sigma_px: float | None = None
    sigma_z_px: float | None = None
    score_threshold: float = 0.4

    def __post_init__(self) -> None:
        for name in ("sigma_px", "sigma_z_px"):
            value = getattr(self, name)
            if value is not None and not 0.3 <= value <= 20:
                raise ParameterError(f"{name} is {value}; expected 0.3 to 20")
        if not 0 <= self.score_threshold <= 1:
            raise ParameterError(f"score_threshold is {self.score_threshold}; expected 0 to 1")

    @abstractmethod
    def respond(self, image: NDArray[np.float32], sigmas: Sigmas) -> NDArray[np.float32]:
        """Filter an image; the answer is highest at spots of width `sigmas` and has mean 0 over noise."""

    def refine(
        self, image: NDArray[np.float32], response: NDArray[np.float32], pixels: NDArray[np.int64], sigmas: Sigmas
    ) -> NDArray[np.float64]:
        """Return the way from each maximum of the answer to its spot, in pixels, shape (n, ndim)."""
        return refine_by_parabola(response, pixels)

    def detect(self, source: Source, *, tile_px: int, progress: Progress | None = None) -> Spots:
        """Find spots in two passes over the image: the noise of the filter's answer, then its maxima."""
        sigmas, notes = self._sigmas(source)
        candidates, noise = self.candidates(source, sigmas, tile_px, progress)
        scores = score(features(candidates, noise, source.shape, sigmas), read_weights("filters"))
        order = np.lexsort((*candidates.positions_px.T[::-1], -scores))
        order = order[scores[order] >= self.score_threshold]
        columns = {"score": scores[order], "sigma_px": np.full(len(order), sigmas[-1])}
        return Spots(candidates.positions_px[order], columns, source.voxel_size_um, notes)

    def candidates(
        self, source: Source, sigmas: Sigmas, tile_px: int, progress: Progress | None = None
    ) -> tuple[Candidates, NoiseMap]:
        """Collect every maximum that might be a spot, and the noise around."""
        margin = [int(TRUNCATE * STEP * STEP * s + 0.5) + 6 for s in sigmas]
        tile = [max(16, tile_px)] * source.ndim
        if source.ndim == 3:
            tile[0] = max(8, min(source.shape[0], 32))
        block = [max(4, round(BLOCK * s)) for s in sigmas]
        noise = NoiseMap.of(source, lambda part: self.respond(part, sigmas), block, tile, margin)
        tiles = list(source.tiles(tile, margin))
        parts = []
        for done, part in enumerate(tiles, start=1):
            parts.append(self._in_tile(source, part, sigmas, noise))
            if progress is not None:
                progress(done, len(tiles))
        return Candidates(*(np.concatenate(values) for values in zip(*parts, strict=True))), noise

    def _in_tile(
        self, source: Source, part: Tile, sigmas: Sigmas, noise: NoiseMap
    ) -> tuple[NDArray[np.int64], *tuple[NDArray[np.float64], ...]]:
        """Return the fields of `Candidates` for one tile, in the order of pixels."""
        image = source.read(part.outer)
        response = self.respond(image, sigmas)
        pixels = find_maxima(response, LOWEST * float(noise.grid.min()))
        low, high = np.array([(s.start, s.stop) for s in part.inside]).T
        pixels = pixels[((pixels >= low) & (pixels < high)).all(1)]
        strength = response[tuple(pixels.T)]
        kept = strength > LOWEST * noise.at(pixels + part.origin)
        pixels, strength = pixels[kept], strength[kept]
        at = tuple(pixels.T)
        scaled = [self.respond(image, tuple(s * f for s in sigmas))[at] for f in (1 / STEP, STEP)]
        return (
            pixels + part.origin,
            (pixels + part.origin) + self.refine(image, response, pixels, sigmas),
            strength.astype(np.float64),
            *(values.astype(np.float64) for values in scaled),
            hessian_roundness(response, pixels),
        )

    def _sigmas(self, source: Source) -> tuple[Sigmas, tuple[str, ...]]:
        """Return the widths to look for, and how they came about."""
        given = (self.sigma_z_px, self.sigma_px, self.sigma_px)[-source.ndim :]
        if None not in given:
            return tuple(float(s) for s in given if s is not None), ()
        found = estimate_sigmas(source.sample())
        widths = found or (FALLBACK_PX,) * source.ndim
        sigmas = tuple(float(w if g is None else g) for g, w in zip(given, widths, strict=True))
        said = "found from the image" if found else "assumed: nothing stands out"
        return sigmas, (f"spot width (sigma) {', '.join(f'{s:.2f}' for s in sigmas)} px, {said}",)
