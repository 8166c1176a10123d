"""The contract of a decoder: vectors of intensities in, one codeword per vector out, with how sure it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ShapeError
from teasel.spatial.codebook import Codebook

__all__ = ["Decoded", "Decoder", "Fit", "check_vectors"]

Fit = Mapping[str, NDArray[np.float64]]
"""What a decoder learnt from a sample of vectors: arrays by name, so that it can be kept in a file."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """One word per vector.

    Parameters
    ----------
    word : ndarray of int64, shape (n,)
        Row of the codebook that fits best; -1 where the decoder refuses to choose.
    score : ndarray of float64, shape (n,)
        How sure the decoder is, in [0, 1]; comparable within one run, turned into error rates by blanks.
    distance : ndarray of float64, shape (n,)
        Between the vector and the word, both of length 1; in [0, sqrt(2)], NaN where no word was chosen.
    intensity : ndarray of float64, shape (n,)
        Length of the vector after scaling.
    """

    word: NDArray[np.int64]
    score: NDArray[np.float64]
    distance: NDArray[np.float64]
    intensity: NDArray[np.float64]


class Decoder(ABC):
    """One way to read codewords. A frozen dataclass per file of this folder; the room finds it by itself."""

    name: ClassVar[str]
    """What it is called in recipes."""
    pixelwise: ClassVar[bool] = False
    """Whether it reads every pixel and joins those of one word, or reads spots that were found before."""

    @abstractmethod
    def fit(self, vectors: ArrayLike, codebook: Codebook) -> Fit:
        """Learn scales and noise from a sample of vectors (n, n_bits) of all fields; blanks count like genes."""

    @abstractmethod
    def decode(self, vectors: ArrayLike, codebook: Codebook, fit: Fit) -> Decoded:
        """Choose a word of the codebook (one block) for each vector (n, n_bits), with what `fit` gave."""


def check_vectors(vectors: ArrayLike, codebook: Codebook) -> NDArray[Any]:
    """Return vectors as floats, negative and missing values as 0, after checking that they fit the codebook."""
    values = np.asarray(vectors)
    if values.ndim != 2 or values.shape[1] != codebook.n_bits:
        raise ShapeError(f"vectors have shape {values.shape}; the codebook has {codebook.n_bits} bits: (n, n_bits)")
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float32)
    return np.maximum(np.nan_to_num(values, nan=0.0, posinf=0.0), 0)
