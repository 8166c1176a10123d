"""One field of view: background off, vectors out of the aligned images, words found in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError, ShapeError
from teasel.images import Image
from teasel.images.lazy import as_lazy
from teasel.spatial.codebook import Codebook
from teasel.spatial.decoders import Decoder, Fit
from teasel.spatial.spots import Spots

__all__ = ["Field", "decode_field", "prepare_stack", "sample_vectors"]

_SINGLE_MOLECULES = "log"  # detector of channels in which nothing is decoded


@dataclass(frozen=True)
class Field:
    """How the images of a field are made ready.

    Parameters
    ----------
    smooth_px : float
        Width (sigma) of the Gaussian against noise; 0 for none.
    background_px : float
        Width of the Gaussian that is subtracted; about three times a molecule's.
    spot_radius_px : int
        How far around a spot its brightest pixel is looked for in each bit: allows for what registration left.
    min_snr : float
        A spot is a local maximum of brightness over all bits, this many noise levels above the median; what is
        none is told later.
    """

    smooth_px: float = 0.7
    background_px: float = 3.0
    spot_radius_px: int = 1
    min_snr: float = 3.0

    def __post_init__(self) -> None:
        if not self.background_px > self.smooth_px >= 0:
            raise ParameterError(f"background_px ({self.background_px}) must be above smooth_px ({self.smooth_px})")


def prepare_stack(stack: ArrayLike, settings: Field | None = None) -> NDArray[np.float32]:
    """Take noise and background off each bit of a field.

    Parameters
    ----------
    stack : array, shape (n_bits, [z,] y, x)
        Aligned images.
    settings : Field, optional
        How.

    Returns
    -------
    ndarray of float32
        Of the same shape, at least 0.
    """
    from scipy.ndimage import gaussian_filter

    settings = settings or Field()
    images = np.asarray(stack)
    if images.ndim not in (3, 4):
        raise ShapeError(f"a field has shape {images.shape}; expected (n_bits, [z,] y, x)")
    ready = np.empty(images.shape, np.float32)
    for bit, image in enumerate(images):
        plain = image.astype(np.float32)
        smooth = gaussian_filter(plain, settings.smooth_px) if settings.smooth_px else plain
        ready[bit] = np.maximum(smooth - gaussian_filter(plain, settings.background_px), 0)
    return ready


def sample_vectors(
    ready: NDArray[np.float32], decoder: Decoder, n: int, settings: Field | None = None
) -> NDArray[np.float32]:
    """Return up to `n` vectors (n, n_bits) of a prepared field, as the decoder will meet them, spread evenly.

    Pixels are taken from the brighter tenth: others are background, of which scales cannot be learnt.
    """
    settings = settings or Field()
    if decoder.pixelwise:
        flat = ready.reshape(len(ready), -1)
        level = np.sqrt((flat / np.maximum(np.percentile(flat, 99, axis=1, keepdims=True), 1e-9)) ** 2).sum(axis=0)
        chosen = np.flatnonzero(level >= np.quantile(level, 0.9))
        vectors = flat[:, chosen].T
    else:
        vectors = spot_vectors(ready, _find(ready, None, settings), settings.spot_radius_px)
    if len(vectors) > n:
        vectors = vectors[np.linspace(0, len(vectors) - 1, n).astype(int)]
    return np.ascontiguousarray(vectors)


def decode_field(
    ready: NDArray[np.float32],
    codebook: Codebook,
    decoder: Decoder,
    fits: Mapping[str, Fit],
    settings: Field | None = None,
) -> Spots:
    """Find the molecules of a field, good and bad; which are good is told by blanks over all fields.

    Parameters
    ----------
    ready : ndarray of float32, shape (n_bits, [z,] y, x)
        From `prepare_stack`.
    codebook : Codebook
        All blocks.
    decoder : Decoder
        How words are read.
    fits : mapping of str to Fit
        What the decoder learnt, by block. Blocks of single-molecule channels need none.
    settings : Field, optional
        As for `prepare_stack`.

    Returns
    -------
    Spots
        With columns ``word`` (row of the codebook), ``gene``, ``block``, ``blank``, ``score``, ``distance``,
        ``intensity``, ``area_px``; blocks are decoded one after the other, each on its own bits.
    """
    settings = settings or Field()
    if len(ready) != codebook.n_bits:
        raise ShapeError(f"the field has {len(ready)} images, the codebook {codebook.n_bits} bits; give one for each")
    parts = []
    for block in codebook.block_names:
        bits, rows = codebook.bits_of(block), codebook.rows_of(block)
        if codebook.is_sequential(block):
            parts += [_single(ready[_bit_of(codebook, row)], row) for row in rows.tolist()]
        elif decoder.pixelwise:
            parts.append(_by_pixels(ready[bits], codebook.block(block), decoder, fits[block], rows))
        else:
            parts.append(_by_spots(ready[bits], codebook.block(block), decoder, fits[block], rows, settings))
    found = Spots.concatenate(parts)
    word = found["word"]
    return found.with_columns(
        gene=np.array(codebook.names)[word],
        block=np.array(codebook.blocks)[word],
        blank=codebook.blank[word],
    )


def spot_vectors(ready: NDArray[np.float32], positions: NDArray[np.float64], radius_px: int) -> NDArray[np.float32]:
    """Return the brightest pixel around each position (n, ndim) in each bit, (n, n_bits)."""
    from scipy.ndimage import maximum_filter

    at = tuple(np.clip(np.rint(positions).astype(int), 0, np.array(ready.shape[1:]) - 1).T)
    vectors = np.empty((len(positions), len(ready)), np.float32)
    for bit, image in enumerate(ready):
        size = [min(2 * radius_px + 1, 2 * n - 1) for n in image.shape]
        vectors[:, bit] = maximum_filter(image, size)[at]
    return vectors


def _find(ready: NDArray[np.float32], scales: NDArray[np.float64] | None, settings: Field) -> NDArray[np.float64]:
    """Return local maxima (n, ndim) of the brightness over all bits."""
    from scipy.ndimage import maximum_filter

    if scales is None:
        scales = np.maximum(np.percentile(ready.reshape(len(ready), -1), 99, axis=1), 1e-9)
    level = np.zeros(ready.shape[1:], np.float32)
    for image, scale in zip(ready, scales, strict=True):
        level += (image / np.float32(scale)) ** 2
    level = np.sqrt(level)
    middle = float(np.median(level))
    noise = 1.4826 * float(np.median(np.abs(level - middle)))
    peaks = (level == maximum_filter(level, 3)) & (level > middle + settings.min_snr * noise)
    points = np.argwhere(peaks)
    return _finer(level, points)


def _finer(level: NDArray[np.float32], points: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the top of a parabola through each maximum and its neighbours, axis by axis."""
    found = points.astype(np.float64)
    for axis, n in enumerate(level.shape):
        inner = (points[:, axis] > 0) & (points[:, axis] < n - 1)
        at = points[inner]
        step = np.zeros(level.ndim, int)
        step[axis] = 1
        low, mid, high = (level[tuple((at + k * step).T)].astype(np.float64) for k in (-1, 0, 1))
        curve = low - 2 * mid + high
        found[inner, axis] += np.where(curve < 0, 0.5 * (low - high) / np.where(curve < 0, curve, -1), 0)
    return found


def _by_spots(
    ready: NDArray[np.float32],
    codebook: Codebook,
    decoder: Decoder,
    fit: Fit,
    rows: NDArray[np.int64],
    settings: Field,
) -> Spots:
    positions = _find(ready, fit["scales"], settings)
    decoded = decoder.decode(spot_vectors(ready, positions, settings.spot_radius_px), codebook, fit)
    kept = decoded.word >= 0
    return Spots(
        positions[kept],
        {
            "word": rows[decoded.word[kept]],
            "score": decoded.score[kept],
            "distance": decoded.distance[kept],
            "intensity": decoded.intensity[kept],
            "area_px": np.ones(int(kept.sum()), np.int64),
        },
    )


def _by_pixels(
    ready: NDArray[np.float32], codebook: Codebook, decoder: Decoder, fit: Fit, rows: NDArray[np.int64]
) -> Spots:
    """Join pixels of one word that touch, corners included; the molecule lies at their centre of brightness."""
    from teasel.spatial.joining import join_pixels

    shape = ready.shape[1:]
    decoded = decoder.decode(ready.reshape(len(ready), -1).T, codebook, fit)
    groups, n = join_pixels(decoded.word.reshape(shape))
    flat = groups.ravel()
    inside = np.flatnonzero(flat)
    group = flat[inside] - 1
    area = np.bincount(group, minlength=n)
    weight = decoded.intensity[inside]
    total = np.maximum(np.bincount(group, weight, n), 1e-12)
    places = np.unravel_index(inside, shape)
    positions = np.stack([np.bincount(group, weight * place, n) / total for place in places], axis=1)
    first = np.full(n, -1, np.int64)
    first[group[::-1]] = inside[::-1]
    nearest, surest = np.full(n, np.inf), np.zeros(n)
    np.minimum.at(nearest, group, decoded.distance[inside])
    np.maximum.at(surest, group, decoded.score[inside])
    kept = area >= getattr(decoder, "min_area_px", 1)
    return Spots(
        positions[kept],
        {
            "word": rows[decoded.word[first[kept]]],
            "score": surest[kept],
            "distance": nearest[kept],
            "intensity": (total / np.maximum(area, 1))[kept],
            "area_px": area[kept],
        },
    )


def _bit_of(codebook: Codebook, row: int) -> int:
    return int(np.flatnonzero(codebook.words[row])[0])


def _single(image: NDArray[np.float32], row: int) -> Spots:
    """Find the spots of a single-molecule channel: each is a molecule of the one gene."""
    from teasel.spatial.find import find_spots

    found = find_spots(Image(as_lazy(image), "yx" if image.ndim == 2 else "zyx"), _SINGLE_MOLECULES)
    n = len(found)
    return Spots(
        found.positions_px,
        {
            "word": np.full(n, row, np.int64),
            "score": found["score"].astype(np.float64),
            "distance": np.full(n, np.nan),
            "intensity": found["intensity"].astype(np.float64),
            "area_px": np.ones(n, np.int64),
        },
    )
