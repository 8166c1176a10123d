"""Nearest codeword of each spot: bits are judged on or off one by one, and few wrong ones are corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError
from teasel.spatial.codebook import Codebook
from teasel.spatial.decoders._base import Decoded, Decoder, Fit, check_vectors
from teasel.spatial.decoders.scale import chunks, fit_scales, nearest_words, unit_words

__all__ = ["Nearest"]


@dataclass(frozen=True)
class Nearest(Decoder):
    """The word that differs in fewest bits, if so few that no other word can be meant.

    Parameters
    ----------
    threshold : float
        A bit is on if it has at least this part of the spot's brightest bit, in (0, 1); bits are scaled first.
    max_errors : int
        Wrong bits that may be corrected; -1 for as many as the codebook allows, (minimum distance - 1) // 2. Spots
        with more, or with two words equally near, get no word.

    Examples
    --------
    >>> book = Codebook.of({"a": "11110000", "b": "00001111"})
    >>> decoder = Nearest()
    >>> vectors = [[9, 8, 0, 9, 1, 0, 0, 0], [0, 1, 0, 0, 9, 9, 9, 9]]
    >>> decoder.decode(vectors, book, {"scales": np.ones(8)}).word.tolist()
    [0, 1]
    """

    name: ClassVar[str] = "nearest"
    threshold: float = 0.4
    max_errors: int = -1

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ParameterError(f"threshold is {self.threshold}; expected a number in (0, 1)")

    def fit(self, vectors: ArrayLike, codebook: Codebook) -> Fit:
        """Find the scale of each bit."""
        return {"scales": fit_scales(vectors, codebook)}

    def decode(self, vectors: ArrayLike, codebook: Codebook, fit: Fit) -> Decoded:
        """Judge bits, look the word up; the score falls with wrong bits and with the distance."""
        values = check_vectors(vectors, codebook)
        scaled = values / fit["scales"].astype(values.dtype)
        word, wrong = _by_bits(scaled, codebook, self.threshold)
        allowed = (codebook.min_distance - 1) // 2 if self.max_errors < 0 else self.max_errors
        word = np.where(wrong <= allowed, word, -1)
        length = np.linalg.norm(scaled, axis=1)
        cosine = (scaled * unit_words(codebook)[word]).sum(axis=1) / np.where(length > 0, length, np.inf)
        distance = np.where(word >= 0, np.sqrt(np.maximum(2 - 2 * cosine, 0)), np.nan)
        score = np.where(word >= 0, (1 - np.nan_to_num(distance) / np.sqrt(2)) * 0.5 ** np.minimum(wrong, 60), 0.0)
        return Decoded(word, np.clip(score, 0, 1), distance, length.astype(np.float64))


def _by_bits(scaled: NDArray[Any], codebook: Codebook, threshold: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the word that differs in fewest bits (-1 for a tie), and in how many."""
    words = codebook.words.astype(np.float32)
    weight = words.sum(axis=1)
    best, wrong = np.empty(len(scaled), np.int64), np.empty(len(scaled), np.int64)
    for part in chunks(len(scaled)):
        peak = scaled[part].max(axis=1, keepdims=True)
        on = ((scaled[part] >= threshold * peak) & (peak > 0)).astype(np.float32)
        distance = on.sum(axis=1, keepdims=True) + weight - 2 * on @ words.T
        least = distance.min(axis=1)
        tie = (distance == least[:, None]).sum(axis=1) > 1
        best[part] = np.where(tie, -1, distance.argmin(axis=1))
        wrong[part] = np.where(tie, 10**6, least.astype(np.int64))
    return best, wrong


def _reference(scaled: NDArray[Any], codebook: Codebook, threshold: float) -> NDArray[np.int64]:
    """Do the same one by one, for the tests."""
    found = []
    for vector in scaled:
        on = (vector >= threshold * vector.max()) & (vector.max() > 0)
        distance = [int((on != word).sum()) for word in codebook.words]
        found.append(int(np.argmin(distance)) if distance.count(min(distance)) == 1 else -1)
    return np.array(found, np.int64)


def nearest_direction(vectors: ArrayLike, codebook: Codebook, fit: Fit) -> Decoded:
    """Choose the word of the nearest direction, whatever the distance."""
    values = check_vectors(vectors, codebook)
    scaled = values / fit["scales"].astype(values.dtype)
    word, distance = nearest_words(scaled, codebook)
    length = np.linalg.norm(scaled, axis=1).astype(np.float64)
    return Decoded(word, np.clip(1 - distance / np.sqrt(2), 0, 1), distance, length)
