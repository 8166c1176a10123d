"""Do spots and image belong together? Constant shifts, flips and the order of tiles, found instead of trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ShapeError
from teasel.spatial.spots import Spots

__all__ = ["Fit", "TileOrder", "check_against_image", "check_tile_order"]

_SURE = 5.0  # standard errors by which another placement must be better
_LEAST = 20  # spots


@dataclass(frozen=True)
class Fit:
    """How spots lie on an image.

    Parameters
    ----------
    shift_px : tuple of float
        What is to be added to the positions, (y, x), after the flips; zeros where they fit as they are.
    flip_y, flip_x, transpose : bool
        Whether an axis runs the other way, or the axes are exchanged (first).
    score, score_as_is : float
        Mean brightness of the image at the spots, in standard deviations of the image, placed so and as they are.
    certainty : float
        By how many standard errors this placement is better than the one of the file.
    fits : bool
        Whether the file's own placement is not clearly worse.
    """

    shift_px: tuple[float, float]
    flip_y: bool
    flip_x: bool
    transpose: bool
    score: float
    score_as_is: float
    certainty: float
    fits: bool

    def words(self) -> str:
        """Say it in a sentence."""
        if self.fits:
            return f"spots and image fit (brightness at the spots {self.score_as_is:.2f} standard deviations)"
        how = [word for word, yes in (("x and y are exchanged", self.transpose), ("y is flipped", self.flip_y)) if yes]
        how += ["x is flipped"] if self.flip_x else []
        if any(self.shift_px):
            how.append(
                f"positions are off by a constant ({-self.shift_px[0]:+.1f}, {-self.shift_px[1]:+.1f}) px in y, x"
            )
        return (
            f"spots and image do not fit as they are: {'; '.join(how)} (brightness at the spots "
            f"{self.score:.2f} instead of {self.score_as_is:.2f} standard deviations)"
        )

    def apply(self, positions_px: ArrayLike, shape: Sequence[int]) -> NDArray[np.float64]:
        """Place positions (n, 2) as found; `shape` is that of the image."""
        return _placed(
            np.asarray(positions_px, np.float64), shape, self.transpose, self.flip_y, self.flip_x
        ) + np.array(self.shift_px)


@dataclass(frozen=True, eq=False)
class TileOrder:
    """Which tile belongs to which field.

    Parameters
    ----------
    order : tuple of int
        For each field, the tile that its spots fit best, one to one.
    scores : ndarray of float64, shape (n_fields, n_tiles)
        Brightness of a tile at the spots of a field, in standard deviations.
    repeated : tuple of (int, int)
        Tiles that are copies of one another.
    fits : bool
        Whether the order is that of the file, or not clearly another.
    """

    order: tuple[int, ...]
    scores: NDArray[np.float64]
    repeated: tuple[tuple[int, int], ...]
    fits: bool

    def words(self) -> str:
        """Say it in a sentence."""
        copies = "; ".join(f"tile {b} is a copy of tile {a}" for a, b in self.repeated)
        if self.fits:
            return copies or "tiles are in the order of the fields"
        moved = ", ".join(f"field {field}: tile {tile}" for field, tile in enumerate(self.order) if field != tile)
        return f"tiles are not in the order of the fields: {moved}" + (f"; {copies}" if copies else "")


def check_against_image(
    spots: Spots, image: ArrayLike, *, max_shift_px: int = 10, flips: bool = True, band: bool = True
) -> Fit:
    """Find the placement of spots at which the image is brightest, and whether it is that of the file.

    Parameters
    ----------
    spots : Spots
        At least 20 inside the image, in pixels of it; of three dimensions, y and x are looked at.
    image : array, shape ([z,] y, x)
        Fluorescence, or ``labels > 0`` of cells that most spots lie in. Three dimensions are projected.
    max_shift_px : int
        Shifts are looked for as far as this.
    flips : bool
        Look at flipped and exchanged axes too.
    band : bool
        Look at what has the size of spots only; not for labels.

    Returns
    -------
    Fit
        A shift of less than 0.75 px is not reported: annotation and pixel conventions differ by that much.

    Raises
    ------
    DataError
        If there are too few spots, or the image is constant.
    """
    plane = _plane(image, band)
    shape = plane.shape
    positions = spots.positions_px[:, -2:]
    as_is = _values(plane, positions)
    if np.isfinite(as_is).sum() < _LEAST:
        raise DataError(
            f"{int(np.isfinite(as_is).sum())} spots lie inside the image of {shape} pixels, at least {_LEAST} are "
            "needed to check them; are coordinates and image of the same part, in the same pixels?"
        )
    ways = list(product((False, True), repeat=3)) if flips else [(False, False, False)]
    best: tuple[float, tuple[int, ...], tuple[bool, ...]] = (-np.inf, (0, 0), ways[0])
    for transpose, flip_y, flip_x in ways:
        turned = _placed(positions, shape, transpose, flip_y, flip_x)
        for step in product(range(-max_shift_px, max_shift_px + 1), repeat=2):
            score = _mean(_values(plane, turned + np.array(step)))
            if score > best[0] + 1e-12:
                best = (score, step, (transpose, flip_y, flip_x))
    score, step, way = best
    turned = _placed(positions, shape, way[0], way[1], way[2])
    certainty = _certainty(_values(plane, turned + np.array(step)), as_is)
    shift = _finer(plane, turned, step, max_shift_px)
    small = way == (False, False, False) and max(map(abs, shift)) < 0.75
    fits = small or certainty < _SURE
    if fits:
        shift, way, score = (0.0, 0.0), (False, False, False), _mean(as_is)
    return Fit(shift, way[1], way[2], way[0], score, _mean(as_is), certainty, fits)


def check_tile_order(fields: Sequence[ArrayLike], tiles: Sequence[ArrayLike], *, band: bool = True) -> TileOrder:
    """Find which tile the spots of each field were found in.

    Parameters
    ----------
    fields : sequence of array, shape (n, 2) each
        Positions y, x within the field.
    tiles : sequence of array, shape (y, x) each
        As many images, in the order in which they are taken for the fields'.
    band : bool
        As for `check_against_image`.

    Raises
    ------
    ShapeError
        If there are not as many of one as of the other.
    """
    from scipy.optimize import linear_sum_assignment

    if len(fields) != len(tiles):
        raise ShapeError(f"{len(fields)} fields and {len(tiles)} tiles; give one tile for each field")
    planes = [_plane(tile, band) for tile in tiles]
    places = [np.asarray(field, np.float64).reshape(-1, 2) for field in fields]
    scores = np.array([[_mean(_values(plane, place)) for plane in planes] for place in places])
    filled = np.nan_to_num(scores, nan=-1e3)
    order = linear_sum_assignment(-filled)[1]
    repeated = tuple(
        (a, b)
        for b in range(len(planes))
        for a in range(b)
        if planes[a].shape == planes[b].shape and np.array_equal(planes[a], planes[b])
    )
    moved = np.flatnonzero(order != np.arange(len(order)))
    sure = [_certainty(_values(planes[order[f]], places[f]), _values(planes[f], places[f])) for f in moved]
    fits = not len(moved) or max(sure) < _SURE
    return TileOrder(tuple(range(len(order))) if fits else tuple(order.tolist()), scores, repeated, fits)


def _plane(image: ArrayLike, band: bool) -> NDArray[np.float32]:
    """Return the image in standard deviations around its mean, projected, what is large taken off."""
    from scipy.ndimage import gaussian_filter

    plane = np.asarray(image, np.float32)
    if plane.ndim == 3:
        plane = plane.max(axis=0)
    if plane.ndim != 2:
        raise ShapeError(f"an image of shape {plane.shape} cannot be checked against; expected ([z,] y, x)")
    if band:
        plane = gaussian_filter(plane, 1.0) - gaussian_filter(plane, 4.0)
        plane = np.minimum(plane, np.percentile(plane, 99.9))
    if not plane.std() > 0:
        raise DataError("the image is constant, so spots cannot be checked against it")
    return (plane - plane.mean()) / plane.std()


def _placed(positions: Any, shape: Sequence[int], transpose: bool, flip_y: bool, flip_x: bool) -> NDArray[np.float64]:
    placed = positions[:, ::-1].copy() if transpose else positions.copy()
    for axis, flip in enumerate((flip_y, flip_x)):
        if flip:
            placed[:, axis] = shape[axis] - 1 - placed[:, axis]
    return placed


def _values(plane: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the brightness at each position's pixel; NaN outside."""
    pixels = np.floor(positions + 0.5).astype(np.int64)
    inside = ((pixels >= 0) & (pixels < plane.shape)).all(axis=1)
    values = np.full(len(pixels), np.nan)
    values[inside] = plane[tuple(pixels[inside].T)]
    return values


def _mean(values: NDArray[np.float64]) -> float:
    """Return the mean, spots outside counting as 0, the mean of the image; so that moving out does not pay."""
    return float(np.nan_to_num(values).mean()) if len(values) else float("nan")


def _certainty(better: NDArray[np.float64], worse: NDArray[np.float64]) -> float:
    """Return the mean difference of the same spots in standard errors."""
    difference = np.nan_to_num(better) - np.nan_to_num(worse)
    spread = float(difference.std() / np.sqrt(max(len(difference), 1)))
    return float(difference.mean() / spread) if spread > 0 else 0.0


def _finer(
    plane: NDArray[np.float32], turned: NDArray[np.float64], step: tuple[int, ...], reach: int
) -> tuple[float, float]:
    """Return the shift to a tenth of a pixel or so, by a parabola along each axis."""
    found = []
    for axis in range(2):
        around = []
        for move in (-1, 0, 1):
            at = np.array(step, float)
            at[axis] += move
            around.append(_mean(_values(plane, turned + at)))
        curve = around[0] - 2 * around[1] + around[2]
        finer = 0.5 * (around[0] - around[2]) / curve if curve < 0 and abs(step[axis]) < reach else 0.0
        found.append(float(np.round(step[axis] + np.clip(finer, -0.5, 0.5), 2)))
    return found[0], found[1]
