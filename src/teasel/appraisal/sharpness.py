"""Is the image good enough to see objects in? Sharpness of their rims, saturation, contrast over noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.labels import outline_mask

__all__ = ["QUALITIES", "qualities"]

QUALITIES = ("rim_sharpness", "rim_steepest", "saturated", "contrast_to_noise")
"""What `qualities` measures, in order.

Mean slope of the grey value at the rims of objects over their contrast, per network pixel; the 90th percentile of it;
share of object pixels at the brightest (or, of dark objects, darkest) value; log2 of contrast over noise.
"""


def qualities(piece: NDArray[np.float32], labels: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Measure how well objects show in a piece of an image.

    Parameters
    ----------
    piece : ndarray of float32, shape (c, y, x)
        Normalised and at the model's object size, so that blur counts in units of objects.
    labels : ndarray of uint32, shape (y, x)
        Objects found.

    Returns
    -------
    ndarray of float64, shape (4,)
        See `QUALITIES`; zeros where there is no object or nothing else.

    References
    ----------
    Noise from second differences: Immerkaer 1996, doi:10.1006/cviu.1996.0060
    """
    inside = labels > 0
    if not inside.any() or inside.all():
        return np.zeros(len(QUALITIES))
    grey = piece.mean(0)
    contrast = abs(float(np.median(grey[inside]) - np.median(grey[~inside]))) + 0.02
    slope = np.hypot(*np.gradient(grey)) / contrast
    rim = outline_mask(labels)
    values = slope[rim] if rim.any() else slope[inside]
    extreme = grey.max() if grey[inside].mean() > grey[~inside].mean() else grey.min()
    saturated = float((np.abs(grey[inside] - extreme) < 0.01 * float(np.ptp(grey))).mean())
    rough = grey[:-2, :-2] - 2 * grey[1:-1, :-2] + grey[2:, :-2]
    rough = rough - 2 * (grey[:-2, 1:-1] - 2 * grey[1:-1, 1:-1] + grey[2:, 1:-1])
    rough = rough + grey[:-2, 2:] - 2 * grey[1:-1, 2:] + grey[2:, 2:]
    noise = float(np.median(np.abs(rough))) / 0.6745 / 6 + 1e-3
    return np.array([float(values.mean()), float(np.quantile(values, 0.9)), saturated, np.log2(contrast / noise)])
