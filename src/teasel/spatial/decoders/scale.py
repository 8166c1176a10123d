"""Bits on one scale: what each bit shows where it is on becomes the same for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError
from teasel.spatial.codebook import Codebook
from teasel.spatial.decoders._base import check_vectors

__all__ = ["chunks", "fit_scales", "nearest_words", "unit_words"]

_ITERATIONS = 10
_BRIGHT = 0.7  # the dimmer part of the vectors does not judge scales
_CHUNK = 65_536  # vectors at a time


def fit_scales(vectors: ArrayLike, codebook: Codebook, *, max_distance: float = 0.5167) -> NDArray[np.float64]:
    """Find by what to divide each bit, by decoding and looking at the words found, again and again.

    Parameters
    ----------
    vectors : array, shape (n, n_bits)
        A sample over fields; background taken off.
    codebook : Codebook
        One block.
    max_distance : float
        Vectors further than this from every word, both of length 1, do not count.

    Returns
    -------
    ndarray of float64, shape (n_bits,)
        All above 0. A bit that is never seen on keeps its 99th percentile.

    Raises
    ------
    DataError
        If a bit is dark in every vector.

    References
    ----------
    Emanuel, Eichhorn, Zhuang: MERlin, doi:10.5281/zenodo.3758540 (the idea of optimising scale factors over fields).

    Examples
    --------
    >>> book = Codebook.of({"a": "1100", "b": "0011", "c": "1010"})
    >>> rng = np.random.default_rng(0)
    >>> seen = book.words[rng.integers(3, size=300)] * [1, 1, 5, 1] * rng.uniform(50, 100, (300, 1))
    >>> scales = fit_scales(seen, book)
    >>> (scales / scales[0]).round(1).tolist()
    [1.0, 1.0, 5.0, 1.0]
    """
    values = check_vectors(vectors, codebook)
    if not len(values):
        raise DataError("no vectors to learn scales from; find spots first, or lower the threshold")
    scales = np.percentile(values, 99, axis=0).astype(np.float64)
    scales = np.where(scales > 0, scales, values.max(axis=0))
    dark = np.flatnonzero(~(scales > 0))
    if len(dark):
        raise DataError(
            f"bit {codebook.bits[dark[0]]!r} is 0 in every vector; check that its image was taken and is read right"
        )
    on = codebook.words.astype(bool)
    for _ in range(_ITERATIONS):
        scaled = values / scales
        length = np.linalg.norm(scaled, axis=1)
        word, distance = nearest_words(scaled, codebook)
        good = (distance < max_distance) & (length > np.quantile(length, _BRIGHT)) & (length > 0)
        if not good.any():
            return scales
        shown = scaled[good] / length[good, None]
        lit = on[word[good]]
        seen = lit.sum(axis=0)
        mean = np.where(seen > 0, (shown * lit).sum(axis=0) / np.maximum(seen, 1), np.nan)
        factor = np.where(np.isfinite(mean), mean / np.nanmean(mean), 1.0)
        scales = scales * np.clip(factor, 0.2, 5.0)
    return scales


def unit_words(codebook: Codebook) -> NDArray[np.float64]:
    """Return the words (n_words, n_bits) at length 1."""
    words = codebook.words.astype(np.float64)
    return words / np.linalg.norm(words, axis=1, keepdims=True)


def nearest_words(scaled: NDArray[Any], codebook: Codebook) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nearest word of each vector and its distance, both at length 1; the first of equals.

    Notes
    -----
    A vector of zeros has the distance sqrt(2) from every word.
    """
    words = unit_words(codebook).T.astype(scaled.dtype)
    best, cosine = np.empty(len(scaled), np.int64), np.empty(len(scaled), np.float64)
    for part in chunks(len(scaled)):
        product = scaled[part] @ words
        best[part] = product.argmax(axis=1)
        length = np.linalg.norm(scaled[part], axis=1)
        cosine[part] = product.max(axis=1) / np.where(length > 0, length, np.inf)
    return best, np.sqrt(np.maximum(2 - 2 * cosine, 0))


def chunks(n: int, size: int = _CHUNK, progress: Callable[[int, int], None] | None = None) -> Iterator[slice]:
    """Cut n rows into slices."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
        if progress:
            progress(min(start + size, n), n)
