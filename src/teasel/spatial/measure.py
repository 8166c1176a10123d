"""Intensity, background and signal-to-noise ratio of each spot, read from the image where the spots are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.scale import FALLBACK_PX
from teasel.spatial.source import Source
from teasel.spatial.spots import Spots

__all__ = ["measure_spots"]

CORE = 2.0  # radius of the spot, in widths
INNER, OUTER = 3.0, 5.0  # radii of the ring of background, in widths
CHUNK = 4096
Progress = Callable[[int, int], None]


def measure_spots(
    source: Source,
    spots: Spots,
    *,
    sigma_px: float | None = None,
    tile_px: int = 1024,
    progress: Progress | None = None,
) -> Spots:
    """Measure each spot in the plane through it.

    Parameters
    ----------
    source : Source
        The plane or volume; read tile by tile, only where there are spots.
    spots : Spots
        Positions on the grid of the source.
    sigma_px : float, optional
        Width of a spot in y and x; the column ``sigma_px`` if there is one, else 1.4 px.
    tile_px : int
        Edge of a tile in pixels; the result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Spots
        With the columns ``background`` (median of a ring from 3 to 5 widths), ``intensity`` (height above background of
        the Gaussian that fits best within 2 widths, in the units of the image) and ``snr`` (intensity over the standard
        deviation of the ring: 1.4826 times the median absolute deviation; infinite where the ring is constant).
    """
    width = sigma_px if sigma_px is not None else _width(spots)
    reach = int(np.ceil(OUTER * width)) + 1
    columns = {name: np.full(len(spots), np.nan) for name in ("intensity", "background", "snr")}
    pixels = np.clip(np.round(spots.positions_px).astype(np.int64), 0, np.array(source.shape) - 1)
    edge = [tile_px] * source.ndim
    margin = [reach] * source.ndim
    if source.ndim == 3:
        edge[0], margin[0] = 1, 0
    tiles = list(source.tiles(edge, margin))
    owner = _owner(pixels, source.shape, edge)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(len(tiles) + 1))
    for number, tile in enumerate(tiles):
        rows = order[starts[number] : starts[number + 1]]
        if len(rows):
            image = source.read(tile.outer)
            plane = image[0] if source.ndim == 3 else image
            here = spots.positions_px[rows] - tile.origin
            for first in range(0, len(rows), CHUNK):
                part = slice(first, first + CHUNK)
                values = _measure(plane, here[part, -2:], (pixels[rows[part]] - tile.origin)[:, -2:], width, reach)
                for name, column in zip(columns, values, strict=True):
                    columns[name][rows[part]] = column
        if progress is not None:
            progress(number + 1, len(tiles))
    return spots.with_columns(**columns)


def _width(spots: Spots) -> float:
    """Return the width of the spots that the table tells, or the usual one."""
    if "sigma_px" in spots.columns and len(spots):
        return float(np.median(spots["sigma_px"]))
    return FALLBACK_PX


def _owner(pixels: NDArray[np.int64], shape: tuple[int, ...], edge: list[int]) -> NDArray[np.int64]:
    """Return the number of the tile that each pixel lies in."""
    counts = [-(-n // e) for n, e in zip(shape, edge, strict=True)]
    return np.ravel_multi_index(tuple((pixels // np.array(edge)).T), counts).astype(np.int64)


def _measure(
    plane: NDArray[np.float32], positions: NDArray[np.float64], pixels: NDArray[np.int64], width: float, reach: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return intensity, background and SNR of spots of one plane."""
    steps = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    place = pixels[:, None] + steps
    inside = ((place >= 0) & (place < plane.shape)).all(-1)
    values = plane[tuple(np.moveaxis(np.clip(place, 0, np.array(plane.shape) - 1), -1, 0))].astype(np.float64)
    values[~inside] = np.nan
    radius = np.linalg.norm(place - positions[:, None], axis=-1) / width
    ring = np.where((radius >= INNER) & (radius <= OUTER), values, np.nan)
    lonely = np.isnan(ring).all(1)
    ring[lonely] = values[lonely]
    background = np.nanmedian(ring, axis=1)
    noise = 1.4826 * np.nanmedian(np.abs(ring - background[:, None]), axis=1)
    noise = np.where(noise > 0, noise, np.nanstd(ring, axis=1))
    core = np.where((radius <= CORE) & inside, np.exp(-0.5 * radius**2), 0.0)
    signal = np.nan_to_num(values - background[:, None])
    intensity = (core * signal).sum(1) / np.maximum((core**2).sum(1), 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = np.where(noise > 0, intensity / noise, np.where(intensity > 0, np.inf, 0.0))
    return intensity, background, snr
