"""Mosaic: objects of two sizes in one picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ShapeError
from teasel.training.augment._base import Range, Sample, log_uniform
from teasel.training.augment._fields import resize_planes
from teasel.training.augment._objects import settle

__all__ = ["mosaic"]


def mosaic(
    first: Sample,
    second: Sample,
    rng: np.random.Generator,
    *,
    share: Range = (0.35, 0.65),
    scale: Range = (0.5, 2.0),
) -> Sample:
    """Put a rescaled part of one sample into a corner of another, so that sizes are mixed.

    Parameters
    ----------
    first, second : Sample
        Of one shape, and both colour pictures or neither.
    rng : numpy.random.Generator
        Source of chance.
    share : tuple of float
        Range of the inset's part of each side.
    scale : tuple of float
        Range of the magnification of `second`, drawn log-uniform; the inset is always filled.

    Returns
    -------
    Sample
        Ids of `second` follow those of `first`. Objects that the seam cuts keep their visible part; crumbs
        become unknown (-1).

    Raises
    ------
    ShapeError
        If the samples do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> ones = Sample(np.ones((1, 64, 64), np.float32), np.ones((64, 64), np.int32))
    >>> both = mosaic(ones, ones, np.random.default_rng(0))
    >>> int(both.labels.max())
    2
    """
    if first.image.shape != second.image.shape or first.colour != second.colour:
        raise ShapeError(
            f"samples of shapes {first.image.shape} and {second.image.shape} (colour: {first.colour}, "
            f"{second.colour}) cannot be joined; both must be alike"
        )
    shape = first.labels.shape[-2:]
    fraction = rng.uniform(*share)
    size = tuple(max(1, round(fraction * n)) for n in shape)
    factor = max(fraction, log_uniform(rng, scale))
    taken = tuple(min(n, max(1, round(m / factor))) for n, m in zip(shape, size, strict=True))
    source = tuple(_window(n, m, int(rng.integers(n - m + 1))) for n, m in zip(shape, taken, strict=True))
    target = tuple(_window(n, m, int(rng.choice((0, n - m)))) for n, m in zip(shape, size, strict=True))
    return _inset(first, second, source, target, size)


def _window(n: int, length: int, start: int) -> slice:
    """Return a window of an axis of n pixels."""
    return slice(start, min(n, start + length))


def _inset(
    first: Sample, second: Sample, source: tuple[slice, ...], target: tuple[slice, ...], size: tuple[int, ...]
) -> Sample:
    """Return `first` with a part of `second` over it."""
    image, labels = first.image.copy(), first.labels.copy()
    here: tuple[Any, ...] = (..., *target)
    there: tuple[Any, ...] = (..., *source)
    image[here] = resize_planes(np.ascontiguousarray(second.image[there]), (size[0], size[1]))
    part = _nearest(second.labels[there], size)
    labels[here] = np.where(part > 0, part + np.int32(max(0, first.labels.max(initial=0))), part)
    # Only objects on the seam or in a shrunk inset can have lost their connection.
    settle(labels, set(np.unique(first.labels[here])) | set(np.unique(labels[here])))
    return Sample(image, labels, first.colour)


def _nearest(labels: NDArray[np.int32], size: tuple[int, ...]) -> NDArray[np.int32]:
    """Resize labels by taking the nearest pixel."""
    y, x = (
        np.minimum(((np.arange(m) + 0.5) * n / m).astype(np.intp), n - 1)
        for m, n in zip(size, labels.shape[-2:], strict=True)
    )
    return labels[..., y[:, None], x[None, :]]
