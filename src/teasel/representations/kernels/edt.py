"""Distance of every object pixel to the border of its own object, for all objects at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.representations.grid import as_int32
from teasel.representations.kernels import compiled

__all__ = ["distance_to_border"]


def distance_to_border(labels: NDArray[np.integer], spacing: Sequence[float]) -> NDArray[np.float32]:
    """Measure how far each object pixel is from the nearest pixel of another label.

    One pass per axis over lines of pixels: the lower envelope of parabolas, cut where the label changes. Time
    is linear in pixels and does not depend on the number of objects.

    Parameters
    ----------
    labels : ndarray of int, shape ([z,] y, x)
        Pixels of 0 or below get distance 0.
    spacing : sequence of float
        Edge lengths of a pixel along each axis.

    Returns
    -------
    ndarray of float32, shape ([z,] y, x)
        Distance between pixel centres, in the unit of `spacing`. The image border is no border of an object;
        an object that fills the whole image has distance infinity.

    References
    ----------
    Felzenszwalb and Huttenlocher 2012, doi:10.4086/toc.2012.v008a019
    """
    squared = np.full(labels.shape, np.inf)
    flat = as_int32(labels)
    for axis, edge in enumerate(spacing):
        lines = (
            int(np.prod(labels.shape[:axis])),
            labels.shape[axis],
            int(np.prod(labels.shape[axis + 1 :])),
        )
        _envelope(flat.reshape(lines), squared.reshape(lines), float(edge))
    squared[labels <= 0] = 0
    return np.sqrt(squared).astype(np.float32)


@compiled
def _envelope(labels, squared, edge):
    """Lower `squared` (outer, n, inner) along its middle axis, run by run of equal label, in place."""
    outer, n, inner = labels.shape
    site = np.empty(n + 2, np.float64)  # where a parabola stands
    height = np.empty(n + 2, np.float64)
    begin = np.empty(n + 2, np.float64)  # from where on it is the lowest
    for line in range(outer * inner):
        i, k = line // inner, line % inner
        first = 0
        while first < n:
            last = first
            while last < n and labels[i, last, k] == labels[i, first, k]:
                last += 1
            count = 0
            if labels[i, first, k] > 0:
                for j in range(max(first - 1, 0), min(last + 1, n)):
                    level = 0.0 if j < first or j >= last else squared[i, j, k]
                    if level == np.inf:
                        continue
                    x = j * edge
                    start = -np.inf
                    while count > 0:
                        before = count - 1
                        start = (level + x * x - height[before] - site[before] * site[before]) / (
                            2 * (x - site[before])
                        )
                        if start > begin[before]:
                            break
                        count -= 1
                        start = -np.inf
                    site[count], height[count], begin[count] = x, level, start
                    count += 1
                at = 0
                for j in range(first, last):
                    if count > 0:
                        while at + 1 < count and begin[at + 1] <= j * edge:
                            at += 1
                        squared[i, j, k] = height[at] + (j * edge - site[at]) ** 2
            first = last


def _distance_reference(labels: NDArray[np.integer], spacing: Sequence[float]) -> NDArray[np.float32]:
    """Object by object over the whole image: the slow, obvious version of `distance_to_border`."""
    from scipy import ndimage

    result = np.zeros(labels.shape, np.float32)
    for label in np.unique(labels[labels > 0]):
        own = labels == label
        if own.all():
            return np.full(labels.shape, np.inf, np.float32)
        result[own] = ndimage.distance_transform_edt(own, spacing)[own]
    return result
