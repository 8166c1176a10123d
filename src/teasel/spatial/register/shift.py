"""The shift between two images, to a fraction of a pixel, by correlating them at every offset at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ShapeError

__all__ = ["bandpass", "correlation", "find_shift"]

_STEPS_PER_PX = {1: 100, 2: 100}  # of the final estimate
_STEPS_PER_PX_IN_VOLUMES = 20  # the search grows with its cube
_ROUNDS = 3  # the part that both images show depends on the shift, so it is cut out anew


def bandpass(image: ArrayLike, *, smooth_px: float = 1.0, background_px: float = 5.0) -> NDArray[np.float32]:
    """Keep what has the size of beads and cells' texture: noise and background are taken away.

    Parameters
    ----------
    image : array
        Of any number of dimensions.
    smooth_px : float
        Width (sigma) of the Gaussian against noise.
    background_px : float
        Width of the wider Gaussian that is subtracted.

    Returns
    -------
    ndarray of float32
        Of the same shape, around 0.
    """
    from scipy.ndimage import gaussian_filter

    values = np.asarray(image, np.float32)
    return np.asarray(gaussian_filter(values, smooth_px) - gaussian_filter(values, background_px))


def find_shift(reference: ArrayLike, moving: ArrayLike, *, whiten: bool = False) -> NDArray[np.float64]:
    """Find by how much a structure lies further along each axis in `moving` than in `reference`.

    Parameters
    ----------
    reference, moving : array, same shape, any number of dimensions
        Two images of the same place, band-passed (`bandpass`) unless they have no background.
    whiten : bool
        Give every frequency the same weight (classical phase correlation). Sharper where images are noise-free;
        in images of few beads the noise of the other frequencies takes over, so that it is not the default.

    Returns
    -------
    ndarray of float64, shape (ndim,)
        Pixels; ``reference[p]`` shows what ``moving[p + shift]`` shows.

    Raises
    ------
    ShapeError
        If the shapes differ.
    DataError
        If one of the images is constant.

    References
    ----------
    Guizar-Sicairos, Thurman, Fienup (2008), doi:10.1364/OL.33.000156: matrix-multiply upsampling of the peak.

    Examples
    --------
    >>> image = np.zeros((32, 32)); image[10:13, 8:12] = 1
    >>> find_shift(image, np.roll(image, (3, -2), axis=(0, 1)))
    array([ 3., -2.])
    """
    first, second = np.asarray(reference, np.float32), np.asarray(moving, np.float32)
    if first.shape != second.shape:
        raise ShapeError(f"cannot align images of shapes {first.shape} and {second.shape}; they must be the same")
    for name, image in (("reference", first), ("moving image", second)):
        if not np.ptp(image) > 0:
            raise DataError(f"the {name} is constant ({image.flat[0]}), so there is nothing to align by")
    shift = -_correlate(first, second, whiten)
    for _ in range(_ROUNDS):
        whole = np.clip(np.rint(shift).astype(int), *_bounds(first.shape))
        a, b = (image[cut] for image, cut in zip((first, second), overlap(first.shape, whole), strict=True))
        if not (np.ptp(a) > 0 and np.ptp(b) > 0):
            break
        window = _taper(a.shape)
        finer = whole - _correlate(a * window, b * window, whiten)
        if np.abs(finer - shift).max() < 1.0 / _STEPS_PER_PX_IN_VOLUMES:
            return finer
        shift = finer
    return shift


def correlation(reference: NDArray[np.float32], moving: NDArray[np.float32]) -> float:
    """Return Pearson's correlation of two images, in [-1, 1]; 0 where one is constant."""
    a, b = reference - reference.mean(), moving - moving.mean()
    size = float(np.sqrt((a * a).sum(dtype=np.float64) * (b * b).sum(dtype=np.float64)))
    return float((a * b).sum(dtype=np.float64) / size) if size > 0 else 0.0


def overlap(shape: Sequence[int], whole: NDArray[np.int64]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the part of the reference, and that of the moving image, which show the same place."""
    reference = tuple(slice(max(-k, 0), n - max(k, 0)) for n, k in zip(shape, whole.tolist(), strict=True))
    moving = tuple(slice(max(k, 0), n - max(-k, 0)) for n, k in zip(shape, whole.tolist(), strict=True))
    return reference, moving


def _correlate(first: NDArray[np.float32], second: NDArray[np.float32], whiten: bool) -> NDArray[np.float64]:
    """Return the offset that brings `second` onto `first`."""
    from skimage.registration import phase_cross_correlation

    steps = _STEPS_PER_PX.get(first.ndim, _STEPS_PER_PX_IN_VOLUMES)
    found = phase_cross_correlation(first, second, upsample_factor=steps, normalization="phase" if whiten else None)
    return np.asarray(found[0], np.float64)


def _bounds(shape: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the largest shifts that leave half of the image."""
    half = np.array(shape) // 2
    return -half, half


def _taper(shape: Sequence[int]) -> NDArray[np.float32]:
    """Return a window that falls off to the borders, which would correlate with themselves."""
    window = np.ones((), np.float32)
    for n in shape:
        side = np.sqrt(np.hanning(n + 2)[1:-1]) if n > 2 else np.ones(n)
        window = np.multiply.outer(window, side.astype(np.float32))
    return window
