"""What keeps labels valid when one object covers part of another."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["SLIVER_PX", "background_level", "settle"]

#: Less than this many visible pixels say nothing about an object: they become unknown.
SLIVER_PX = 12


def settle(labels: NDArray[np.int32], ids: Iterable[int]) -> None:
    """Make covered objects valid again, in place: the largest visible part stays, crumbs become unknown (-1).

    Parameters
    ----------
    labels : ndarray of int32, shape ([z,] y, x)
        Changed in place.
    ids : iterable of int
        Objects of which a part was covered.
    """
    from scipy import ndimage

    ids = [int(i) for i in ids if i > 0]
    if not ids:
        return
    boxes = ndimage.find_objects(np.maximum(labels, 0), max_label=max(ids))
    for i in ids:
        if boxes[i - 1] is None:
            continue
        view = labels[boxes[i - 1]]
        parts, n = ndimage.label(view == i)
        sizes = np.bincount(parts.ravel(), minlength=n + 1)[1:]
        keep = int(np.argmax(sizes)) + 1 if sizes.max() >= SLIVER_PX else -1
        view[(parts > 0) & (parts != keep)] = -1


def background_level(image: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the median background of each channel, shape (c, 1, 1[, 1]), from every fourth pixel."""
    step = (Ellipsis, slice(None, None, 4), slice(None, None, 4))
    outside = labels[step] == 0
    values = image[step][:, outside] if outside.any() else image[step].reshape(image.shape[0], -1)
    return np.median(values, axis=1).astype(np.float32).reshape(-1, *(1,) * labels.ndim)
