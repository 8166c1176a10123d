"""Is an image fit to be measured? Numbers on focus, saturation and illumination, from the image and its objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Quality", "judge_quality", "surface_range"]

_FEWEST_PIXELS = 200  # on either side of the outlines, for a profile across them
_GRID = 8  # blocks per side, for the background
_FEWEST_BLOCKS = 12
_FEWEST_OBJECTS = 50  # for a surface through their brightness
_FAINTEST = 0.75  # contrast over spread, below which nothing can be said of the illumination
_MOST_SAMPLES = 500  # objects per image that are kept for a judgement over all images
_LEVELS = 4  # grey values below the ceiling that it is compared with


@dataclass(frozen=True, eq=False)
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
        the range of a smooth (quadratic) surface, times the share of the variance that it explains.
    brightness : ndarray of float64, shape (n, 3)
        Place of objects along y and x, in [0, 1] of the field, and how much they differ from the background, over the
        contrast; for a judgement over all images.
    """

    blur: float | None
    saturated: float
    shading: float | None
    brightness: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))


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
    objects = labels > 0
    if diameter_px is None or not objects.any():
        return Quality(None, 0.0, None)
    grey = _clearest_channel(plane, objects)
    depth = _depth(labels, diameter_px)
    shading, brightness = _shading(grey, labels, depth, diameter_px)
    return Quality(
        blur=_edge_width(grey, depth, diameter_px),
        saturated=max(_piled_up(plane[..., c], objects) for c in range(plane.shape[2])),
        shading=shading,
        brightness=brightness,
    )


def _clearest_channel(plane: NDArray[Any], objects: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the channel in which objects differ most from the background; values not finite become the median."""
    channels = [_finite(plane[..., c].astype(np.float32)) for c in range(plane.shape[2])]
    return max(channels, key=lambda one: _contrast(one[objects], one[~objects]))


def _finite(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    finite = np.isfinite(channel)
    return channel if finite.all() else np.where(finite, channel, np.median(channel[finite]) if finite.any() else 0)


def _contrast(inside: NDArray[np.float32], outside: NDArray[np.float32]) -> float:
    """Return the difference of the medians over the spread within."""
    if not len(inside) or not len(outside):
        return 0.0
    spread = float(inside.std() + outside.std())
    return abs(float(np.median(inside)) - float(np.median(outside))) / max(spread, 1e-9)


def _depth(labels: NDArray[np.integer], diameter_px: float) -> NDArray[np.float32]:
    """Return the distance to the nearest outline in pixels, above 0 in objects and below 0 outside."""
    from scipy import ndimage

    from teasel.labels import outline_mask

    inside = ndimage.distance_transform_edt((labels > 0) & ~outline_mask(labels)).astype(np.float32) + 0.5
    outside = ndimage.distance_transform_edt(labels == 0).astype(np.float32) - 0.5
    return np.where(labels > 0, inside, -outside)


def _edge_width(grey: NDArray[np.float32], depth: NDArray[np.float32], diameter_px: float) -> float | None:
    """Return the standard deviation of the blur at outlines over the diameter.

    An edge blurred by s has a gradient proportional to 1 / s; blurred once more by r, to 1 / sqrt(s^2 + r^2). So the
    ratio of the gradients before and after blurring gives s. Both are taken after a first light smoothing, which
    keeps noise from passing for sharp edges and is taken off again.
    """
    from scipy import ndimage

    light, more = max(0.7, 0.04 * diameter_px), max(1.0, 0.1 * diameter_px)
    near = np.abs(depth) <= max(2.0, 0.15 * diameter_px)
    if np.count_nonzero(near) < _FEWEST_PIXELS:
        return None
    before = ndimage.gaussian_gradient_magnitude(grey, light)[near]
    after = ndimage.gaussian_gradient_magnitude(grey, float(np.hypot(light, more)))[near]
    steep = before >= np.percentile(before, 75)
    if not before[steep].any():
        return None
    ratio = min(float(after[steep].sum() / before[steep].sum()), 0.995)
    blur = more * ratio / np.sqrt(1 - ratio**2)
    return float(np.sqrt(max(blur**2 - light**2, 0.0)) / diameter_px)


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
) -> tuple[float | None, NDArray[np.float64]]:
    """Return how much background or objects change over the contrast, and places and brightness of objects."""
    background = depth < -0.25 * diameter_px
    nothing = np.empty((0, 3))
    if not background.any() or _contrast(grey[labels > 0], grey[background]) < _FAINTEST:
        return None, nothing
    _, first = np.unique(labels[labels > 0], return_inverse=True)
    n = np.bincount(first)
    where = np.argwhere(labels > 0)
    brightness = np.bincount(first, grey[labels > 0]) / n
    places = [np.bincount(first, where[:, i]) / n / grey.shape[i] for i in (0, 1)]
    base = float(np.median(grey[background]))
    contrast = float(np.median(brightness)) - base
    if contrast == 0:
        return None, nothing
    samples = np.stack([*places, (brightness - base) / contrast], axis=1)
    blocks = _background_blocks(grey, background)
    found = [surface_range(blocks) / abs(contrast)] if len(blocks) >= _FEWEST_BLOCKS else []
    found += [surface_range(samples)] if len(samples) >= _FEWEST_OBJECTS else []
    return max(found, default=None), samples[:: -(-len(samples) // _MOST_SAMPLES)]


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


def surface_range(samples: NDArray[np.float64]) -> float:
    """Fit a quadratic surface, and return its range at the samples, times the share of the variance it explains.

    Parameters
    ----------
    samples : ndarray, shape (n, 3)
        Place along y and x, in [0, 1] of the field, and value; outliers are weighted down.

    Examples
    --------
    >>> y, x = np.mgrid[0:1:5j, 0:1:5j].reshape(2, -1)
    >>> round(surface_range(np.stack([y, x, 3 + x], axis=1)), 3)
    1.0
    """
    y, x, values = samples.T
    y, x = y - 0.5, x - 0.5
    terms = np.stack([np.ones_like(y), y, x, y * x, y * y, x * x], axis=1)
    weights = np.ones(len(values))
    fitted = np.zeros(len(values))
    for _ in range(5):
        root = np.sqrt(weights)[:, None]
        fitted = terms @ np.linalg.lstsq(terms * root, values * root[:, 0], rcond=None)[0]
        left = np.abs(values - fitted)
        weights = 1 / np.maximum(left, max(1.5 * float(np.median(left)), 1e-9))
    spread = float(np.sum(weights * (values - np.average(values, weights=weights)) ** 2))
    unexplained = float(np.sum(weights * (values - fitted) ** 2))
    explained = (
        1 - unexplained / spread * (len(values) - 1) / (len(values) - 6) if spread > 0 else 0.0
    )  # adjusted for 6 terms
    low, high = np.percentile(fitted, (2, 98))
    return float(high - low) * max(explained, 0.0)
