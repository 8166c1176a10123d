"""Simulated codebooks, and vectors of them without images."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.spatial.codebook import Codebook

__all__ = ["random_codebook", "simulate_vectors"]


def random_codebook(
    n_genes: int, n_blanks: int, *, n_bits: int = 16, weight: int = 4, distance: int = 4, seed: int = 0
) -> Codebook:
    """Draw a codebook of words of one weight that differ in at least `distance` bits.

    Parameters
    ----------
    n_genes, n_blanks : int
        How many words of either kind; drawn from the same words, so that blanks are hit as often by mistake.
    n_bits, weight, distance : int
        Of the words. Two bits (colours) per round.
    seed : int
        Same seed, same codebook.

    Raises
    ------
    ParameterError
        If there are not so many words.

    Examples
    --------
    >>> book = random_codebook(5, 2)
    >>> book.n_words, book.min_distance, book.names[-1]
    (7, 4, 'Blank-2')
    """
    random = np.random.default_rng(seed)
    found: list[frozenset[int]] = []
    for word in map(frozenset, combinations(range(n_bits), weight)):
        if all(2 * (weight - len(word & other)) >= distance for other in found):
            found.append(word)
    if len(found) < n_genes + n_blanks:
        raise ParameterError(
            f"{n_genes + n_blanks} words asked for; {n_bits} bits of weight {weight} and distance {distance} give "
            f"{len(found)}. Take more bits"
        )
    chosen = random.permutation(len(found))[: n_genes + n_blanks]
    names = [f"Gene{k + 1:03d}" for k in range(n_genes)] + [f"Blank-{k + 1}" for k in range(n_blanks)]
    codes = {name: [int(bit in found[k]) for bit in range(n_bits)] for name, k in zip(names, chosen, strict=True)}
    bits = np.arange(n_bits)
    return Codebook.of(codes, rounds=bits // 2, channels=bits % 2)


def simulate_vectors(
    codebook: Codebook, n: int, *, junk: float = 0.3, noise: float = 0.25, dropout: float = 0.05, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw the vectors of spots, good and bad, with their truth.

    Parameters
    ----------
    codebook : Codebook
        One block; only genes are drawn from it.
    n : int
        How many vectors.
    junk : float
        Share of vectors that are no molecule: random bits are on, or none.
    noise : float
        Additive noise of a bit, relative to the median molecule; a quarter of the bits have twice as much.
    dropout : float
        How often a bit that should be on is dark.
    seed : int
        Same seed, same vectors.

    Returns
    -------
    vectors : ndarray of float32, shape (n, n_bits)
        At least 0.
    word : ndarray of int64, shape (n,)
        True row of the codebook, -1 for junk.
    """
    random = np.random.default_rng(seed)
    genes = np.flatnonzero(~codebook.blank)
    share = random.gamma(0.7, size=len(genes))
    word = random.choice(genes, size=n, p=share / share.sum())
    is_junk = random.random(n) < junk
    word[is_junk] = -1
    rate = np.where(random.random((n, 1)) < 0.5, codebook.words.mean(), 0.02)
    lit = np.where(is_junk[:, None], random.random((n, codebook.n_bits)) < rate, codebook.words[word])
    lit &= random.random(lit.shape) >= np.where(is_junk[:, None], 0, dropout)
    brightness = np.exp(random.normal(0, 0.4, (n, 1)) - np.where(is_junk[:, None], 0.3, 0.0))
    scale = np.exp(random.normal(0, 0.5, codebook.n_bits))
    spread = noise * np.where(random.random(codebook.n_bits) < 0.25, 2.0, 1.0)
    vectors = lit * brightness * np.exp(random.normal(0, 0.2, lit.shape))
    vectors = np.abs(vectors + random.normal(0, 1, lit.shape) * spread) * scale
    return vectors.astype(np.float32), word
