"""Is an image fit to be measured? Numbers on focus, saturation and illumination, from the image and its objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Quality", "judge_quality"]

_FEWEST_PIXELS = 200  # on either side of the outlines, for a profile across them
_GRID = 8  # blocks per side, for the background
_FEWEST_OBJECTS = 30  # for a surface through their brightness
_LEVELS = 4  # grey values below the ceiling that it is compared with


@dataclass(frozen=True)
class Quality:
    """What was measured of one plane of an image; None where the image did not allow it.

    Parameters
    ----------
    blur : float or None
        Width of the edges of objects over the diameter of objects: the standard deviation of the Gaussian that
        turns a step into the mean profile across the outlines. Above 0; 0.05 to 0.15 in focus.
    saturated : float
        Fraction of the pixels of objects at the highest or lowest value the image holds, if pixels pile up there; in
        [0, 1]. In colour, of the channel with most.
    shading : float or None
        How much the background, or the brightness of objects, changes across the field, over the contrast of objects:
        the range of a smooth (quadratic) surface.
    """

    blur: float | None
    saturated: float
    shading: float | None


def judge_quality(plane: NDArray[Any], labels: NDArray[np.integer], diameter_px: float | None) -> Quality:
    """Measure focus, saturation and illumination of one plane.

    Parameters
    ----------
    plane : ndarray, shape (y, x, c)
        Values as they come from the file.
    labels : ndarray of int, shape (y, x)
        Its objects; 0 is background.
    diameter_px : float or None
        Typical diameter of objects in pixels; None if there are none.

    Returns
    -------
    Quality
        Numbers to compare with the limits of `FlagRules`.

    Notes
    -----
    Focus is judged at the scale of the objects, not of the pixels, so that noise does not pass for sharpness and a
    finely sampled image not for a blurred one.

    Examples
    --------
    >>> labels = np.zeros((64, 64), int)
    >>> labels[16:48, 16:48] = 1
    >>> judge_quality(np.where(labels, 200, 10)[..., None], labels, 36.0).blur < 0.05
    True
    """
    grey = _grey(plane)
    objects = labels > 0
    if diameter_px is None or not objects.any():
        return Quality(None, 0.0, None)
    depth = _depth(labels, diameter_px)
    return Quality(
        blur=_edge_width(grey, depth, diameter_px),
        saturated=max(_piled_up(plane[..., c], objects) for c in range(plane.shape[2])),
        shading=_shading(grey, labels, depth, diameter_px),
    )


def _grey(plane: NDArray[Any]) -> NDArray[np.float32]:
    """Return the mean of the channels; values that are not finite become the median of the others."""
    grey = plane.astype(np.float32).mean(axis=2)
    finite = np.isfinite(grey)
    return grey if finite.all() else np.where(finite, grey, np.median(grey[finite]) if finite.any() else 0)


def _depth(labels: NDArray[np.integer], diameter_px: float) -> NDArray[np.float32]:
    """Return the distance to the nearest outline in pixels, above 0 in objects and below 0 outside."""
    from scipy import ndimage

    from teasel.labels import outline_mask

    inside = ndimage.distance_transform_edt((labels > 0) & ~outline_mask(labels)).astype(np.float32) + 0.5
    outside = ndimage.distance_transform_edt(labels == 0).astype(np.float32) - 0.5
    return np.where(labels > 0, inside, -outside)


def _edge_width(grey: NDArray[np.float32], depth: NDArray[np.float32], diameter_px: float) -> float | None:
    """Return the blur of the mean profile across outlines over the diameter.

    A step blurred by a Gaussian of standard deviation s rises with the slope 1 / (s sqrt(2 pi)) of its height.
    """
    reach = max(4, round(diameter_px / 2))
    bins = np.floor(depth).astype(np.int64).clip(-reach, reach - 1) + reach  # (y, x)
    near = np.abs(depth) < reach
    counts = np.bincount(bins[near], minlength=2 * reach)
    sums = np.bincount(bins[near], grey[near], minlength=2 * reach)
    enough = counts >= 20
    if counts[:reach].sum() < _FEWEST_PIXELS or counts[reach:].sum() < _FEWEST_PIXELS or enough.sum() < 4:
        return None
    profile = np.interp(np.arange(2 * reach), np.flatnonzero(enough), (sums / np.maximum(counts, 1))[enough])
    slopes = np.abs(np.diff(profile))
    middle = slice(max(reach - 1 - reach // 2, 0), reach + reach // 2)
    inner, outer = grey[depth > 0.15 * diameter_px], grey[depth < -0.15 * diameter_px]
    height = abs(float(np.median(inner)) - float(np.median(outer))) if len(inner) and len(outer) else 0.0
    steepest = float(slopes[middle].max())
    return height / steepest / np.sqrt(2 * np.pi) / diameter_px if steepest > 0 else None


def _piled_up(values: NDArray[Any], objects: NDArray[np.bool_]) -> float:
    """Return the fraction of object pixels at the highest or lowest value, where more lie there than just beside it."""
    inside = values[objects]
    inside = inside[np.isfinite(inside)] if inside.dtype.kind == "f" else inside
    levels, counts = np.unique(inside, return_counts=True)
    if len(levels) <= _LEVELS:
        return 0.0
    top, bottom = values.max(), values.min()
    high = counts[-1] if levels[-1] == top and counts[-1] > 3 * counts[-1 - _LEVELS : -1].mean() else 0
    low = counts[0] if levels[0] == bottom and counts[0] > 3 * counts[1 : 1 + _LEVELS].mean() else 0
    return float(max(high, low) / len(inside))


def _shading(
    grey: NDArray[np.float32], labels: NDArray[np.integer], depth: NDArray[np.float32], diameter_px: float
) -> float | None:
    """Return the larger of the change of the background and the change of objects, over the contrast."""
    background = depth < -0.25 * diameter_px
    if not background.any():
        return None
    numbers, first = np.unique(labels[labels > 0], return_inverse=True)
    n = np.bincount(first)
    where = np.argwhere(labels > 0)
    brightness = np.bincount(first, grey[labels > 0]) / n
    places = np.stack([np.bincount(first, where[:, i]) / n for i in (0, 1)], axis=1) / np.array(grey.shape)
    contrast = abs(float(np.median(brightness)) - float(np.median(grey[background])))
    if contrast == 0:
        return None
    found = []
    blocks = _background_blocks(grey, background)
    if len(blocks) >= 12:
        found.append(_surface_range(blocks[:, :2], blocks[:, 2]) / contrast)
    if len(numbers) >= _FEWEST_OBJECTS:
        found.append(_surface_range(places, brightness) / contrast)
    return max(found, default=None)


def _background_blocks(grey: NDArray[np.float32], background: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return place (0 to 1) and median background of each block of a grid that has enough of it: (n, 3)."""
    height, width = grey.shape
    rows = []
    for y in range(_GRID):
        for x in range(_GRID):
            rows_of, columns = (slice(i * n // _GRID, (i + 1) * n // _GRID) for i, n in ((y, height), (x, width)))
            block = rows_of, columns
            values = grey[block][background[block]]
            if len(values) >= 0.1 * background[block].size:
                rows.append(((y + 0.5) / _GRID, (x + 0.5) / _GRID, float(np.median(values))))
    return np.array(rows).reshape(-1, 3)


def _surface_range(places: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Fit a quadratic surface, bad points weighted down, and return its range at the points, times the fit's R2."""
    y, x = places.T - 0.5
    terms = np.stack([np.ones_like(y), y, x, y * x, y * y, x * x], axis=1)
    weights = np.ones(len(values))
    fitted = np.zeros(len(values))
    for _ in range(5):
        root = np.sqrt(weights)[:, None]
        fitted = terms @ np.linalg.lstsq(terms * root, values * root[:, 0], rcond=None)[0]
        left = np.abs(values - fitted)
        weights = 1 / np.maximum(left, max(1.5 * float(np.median(left)), 1e-9))
    spread = float(np.sum(weights * (values - np.average(values, weights=weights)) ** 2))
    explained = 1 - float(np.sum(weights * (values - fitted) ** 2)) / spread if spread > 0 else 0.0
    low, high = np.percentile(fitted, (2, 98))
    return float(high - low) * max(explained, 0.0)
