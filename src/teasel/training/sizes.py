"""Which sizes of objects a model was trained on: recorded in its card, so that others can be told from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from teasel.training.crops import WIDE_SCALE
from teasel.training.data import Item

__all__ = ["object_sizes"]

_PERCENTILES = (1, 5, 50, 95, 99)
_MOST_OBJECTS = 200  # of one image, so that crowded images do not outweigh the others
_SCALES = 41  # steps of the random scale


def object_sizes(items: Sequence[Item], diameter_px: float) -> dict[str, Any]:
    """Summarise the diameters of the objects of training images, as they are and as the network sees them.

    Parameters
    ----------
    items : sequence of Item
        Training images.
    diameter_px : float
        Diameter to which the median object of each image is scaled; crops then vary in scale at random.

    Returns
    -------
    dict
        ``percentiles`` (1, 5, 50, 95, 99); ``typical_diameter_px``, these of the images' median diameters in pixels of
        the image; ``seen_diameter_px``, these of all objects at the scale of the network. Empty without objects.

    Notes
    -----
    A diameter is that of the disc (ball) as large as the object.

    Examples
    --------
    >>> labels = np.zeros((40, 40), np.int32)
    >>> labels[5:15, 5:15] = 1
    >>> sizes = object_sizes([Item("set/a", labels[None].astype(np.float32), labels, 11.28)], 24.0)
    >>> sizes["typical_diameter_px"][2]
    11.28
    """
    known = [item for item in items if np.isfinite(item.diameter_px)]
    if not known:
        return {}
    relative = np.concatenate([_relative(item) for item in known])
    usual, wide = (np.linspace(-end, end, _SCALES) for end in (0.6, 1.6))
    octaves = np.concatenate([usual, wide])
    weights = np.repeat([1 - WIDE_SCALE, WIDE_SCALE], _SCALES)
    seen = diameter_px * np.exp2(np.log2(relative)[:, None] + octaves).ravel()
    return {
        "percentiles": list(_PERCENTILES),
        "typical_diameter_px": _quantiles(np.array([item.diameter_px for item in known]), None),
        "seen_diameter_px": _quantiles(seen, np.tile(weights, len(relative))),
    }


def _relative(item: Item) -> np.ndarray:
    """Return diameters of objects over the median of the image."""
    areas = np.bincount(np.maximum(item.labels, 0).ravel())[1:]
    areas = np.sort(areas[areas > 0])
    chosen = areas[np.linspace(0, len(areas) - 1, min(len(areas), _MOST_OBJECTS)).round().astype(int)]
    size = 2 * (chosen / np.pi) ** 0.5 if item.labels.ndim == 2 else 2 * (chosen * 0.75 / np.pi) ** (1 / 3)
    return np.asarray(size / item.diameter_px)


def _quantiles(values: np.ndarray, weights: np.ndarray | None) -> list[float]:
    """Return weighted percentiles."""
    order = np.argsort(values)
    shares = np.cumsum(np.ones(len(values)) if weights is None else weights[order])
    at = np.searchsorted(shares, np.array(_PERCENTILES) / 100 * shares[-1])
    return [round(float(value), 2) for value in values[order][np.minimum(at, len(values) - 1)]]
