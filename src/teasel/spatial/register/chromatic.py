"""What is left per bit, seen in the decoded spots themselves: the drift of each round and the offset of each colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ShapeError

__all__ = ["BitOffsets", "measure_offsets"]

_LEAST = 5  # spots per bit


@dataclass(frozen=True, eq=False)
class BitOffsets:
    """Where each bit shows spots, against where they are.

    Parameters
    ----------
    bit_px : ndarray of float64, shape (n_bits, ndim)
        Mean offset of each bit; NaN where fewer than 5 spots show it.
    error_px : ndarray of float64, shape (n_bits,)
        Standard error of the length of that offset.
    round_px : ndarray of float64, shape (n_rounds, ndim)
        The part that the bits of a round share.
    colour_px : ndarray of float64, shape (n_colours, ndim)
        The part that the bits of a colour share: the chromatic offset, against the mean of the colours.
    n_spots : ndarray of int, shape (n_bits,)
        How many spots each bit was measured on.
    """

    bit_px: NDArray[np.float64]
    error_px: NDArray[np.float64]
    round_px: NDArray[np.float64]
    colour_px: NDArray[np.float64]
    n_spots: NDArray[np.int64]

    def rms_px(self) -> float:
        """Return the root mean square length of the offsets of all bits, weighted by spots; noise is in it."""
        known = np.isfinite(self.error_px)
        if not known.any():
            return float("nan")
        squared = (self.bit_px[known] ** 2).sum(axis=1)
        return float(np.sqrt(np.average(squared, weights=self.n_spots[known])))


def measure_offsets(
    stack: ArrayLike,
    positions_px: ArrayLike,
    shows: ArrayLike,
    *,
    rounds: Sequence[int],
    colours: Sequence[int],
    radius_px: int = 2,
) -> BitOffsets:
    """Measure the offset of each bit in spots whose code is known.

    Parameters
    ----------
    stack : array, shape (n_bits, [z,] y, x)
        Aligned images, background taken off.
    positions_px : array, shape (n, ndim)
        Where the spots are, in all bits together.
    shows : array of bool, shape (n, n_bits)
        Which bits each spot's code has.
    rounds, colours : sequence of int, length n_bits
        Number of the round and of the colour of each bit.
    radius_px : int
        How far around a spot its centre of mass is taken.

    Returns
    -------
    BitOffsets
        Apart from a common offset of all bits, which cannot be seen.

    Notes
    -----
    A centre of mass in a window is drawn to the window's centre, so that it is found anew around itself (three
    times). Offsets of more than `radius_px` are beyond it: align first.
    """
    images = np.asarray(stack, np.float32)
    points, on = np.asarray(positions_px, np.float64), np.asarray(shows, bool)
    n_bits, ndim = images.shape[0], images.ndim - 1
    if points.shape[1:] != (ndim,) or on.shape != (len(points), n_bits):
        raise ShapeError(
            f"{n_bits} images of {ndim} dimensions need positions (n, {ndim}) and codes (n, {n_bits}); "
            f"got {points.shape} and {on.shape}"
        )
    bit, error, count = np.full((n_bits, ndim), np.nan), np.full(n_bits, np.nan), np.zeros(n_bits, np.int64)
    for b in range(n_bits):
        offsets = centre_of_mass(images[b], points[on[:, b]], radius_px) - points[on[:, b]]
        count[b] = len(offsets)
        if len(offsets) >= _LEAST:
            bit[b] = np.median(offsets, axis=0)
            spread = 1.4826 * np.median(np.abs(offsets - bit[b]), axis=0)
            error[b] = float(np.sqrt((spread**2).sum() * 1.57 / len(offsets)))
    bit -= np.nanmean(bit, axis=0) if np.isfinite(bit).any() else 0.0
    by_round, by_colour = _split(bit, np.asarray(rounds), np.asarray(colours))
    return BitOffsets(bit, error, by_round, by_colour, count)


def centre_of_mass(image: NDArray[np.float32], points: NDArray[np.float64], radius_px: int) -> NDArray[np.float64]:
    """Return the centre of mass around each point (n, ndim), found again around itself."""
    axes = [np.arange(-radius_px, radius_px + 1) if n > 1 else np.zeros(1, int) for n in image.shape]
    window = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, image.ndim)  # (w, ndim)
    top = np.array(image.shape) - 1
    centre = points.copy()
    for _ in range(3):
        places = np.clip(np.rint(centre).astype(int)[:, None] + window, 0, top)  # (n, w, ndim)
        values = image[tuple(np.moveaxis(places, -1, 0))]
        values = np.clip(values - values.min(axis=1, keepdims=True), 0, None)
        inside = np.exp(-((places - centre[:, None]) ** 2).sum(axis=2) / (2 * (radius_px * 0.75) ** 2))
        weight = values * inside
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
        step = (weight[..., None] * (places - centre[:, None])).sum(axis=1) / total
        centre = np.where(np.abs(centre + 1.5 * step - points) <= radius_px, centre + 1.5 * step, centre)
    return centre


def _split(
    bit: NDArray[np.float64], rounds: NDArray[np.int64], colours: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Explain offsets by round plus colour, least squares; colours add up to nothing."""
    n_rounds, n_colours = int(rounds.max()) + 1, int(colours.max()) + 1
    known = np.isfinite(bit).all(axis=1)
    design = np.zeros((known.sum() + 1, n_rounds + n_colours))
    design[np.arange(known.sum()), rounds[known]] = 1
    design[np.arange(known.sum()), n_rounds + colours[known]] = 1
    design[-1, n_rounds:] = 1
    wanted = np.vstack([bit[known], np.zeros(bit.shape[1])])
    found = np.linalg.lstsq(design, wanted, rcond=None)[0]
    return found[:n_rounds], found[n_rounds:]
