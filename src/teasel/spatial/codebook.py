"""Which bits each gene lights up: codewords, blanks that stand for nothing, and blocks that are decoded apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ParameterError, ShapeError

__all__ = ["MAIN", "SEQUENTIAL", "Codebook", "is_blank_name"]

MAIN = "main"
"""Name of the block of words, where a file names none."""

SEQUENTIAL = "sequential"
"""Name of the block of single-molecule channels: words of one bit that no other word has."""

_BLANK = re.compile(
    r"^(blank|background\b|false[ _-]?code|neg(ative)?[ _-]?(control|ctrl|probe|prb)|negative[ _-]?\d|"
    r"sys(tem)?[ _-]?control|unassigned[ _-]?codeword|antisense_|deprecated[ _-]?codeword|bcblank|notarget)",
    re.IGNORECASE,
)


def is_blank_name(name: str) -> bool:
    """Say whether a target's name marks a negative control, as vendors and programs write them.

    Examples
    --------
    >>> [is_blank_name(name) for name in ("Blank-12", "NegControlProbe_00042", "BLNK", "Actb")]
    [True, True, False, False]
    """
    return bool(_BLANK.match(name))


@dataclass(frozen=True, eq=False)
class Codebook:
    """Codewords over bits; each bit is one channel of one round.

    Parameters
    ----------
    names : tuple of str
        Gene of each word.
    words : ndarray of bool, shape (n_words, n_bits)
        Which bits a word has.
    blank : ndarray of bool, shape (n_words,)
        Whether a word stands for nothing, so that every call of it is false.
    bits : tuple of str
        Name of each bit.
    rounds, channels : ndarray of int, shape (n_bits,)
        Where each bit was imaged.
    blocks : tuple of str
        Block of each word. Words of different blocks are decoded apart, on the bits of their block, and have error
        rates of their own.

    Raises
    ------
    ShapeError
        If lengths do not fit.
    DataError
        If a word is empty, or two words of a block are the same.

    Examples
    --------
    >>> book = Codebook.of({"Actb": "1100", "Gad1": "0011", "Blank-1": "1010"})
    >>> book.n_words, book.n_bits, book.min_distance, book.blank.tolist()
    (3, 4, 2, [False, False, True])
    """

    names: tuple[str, ...]
    words: NDArray[np.bool_]
    blank: NDArray[np.bool_]
    bits: tuple[str, ...]
    rounds: NDArray[np.int64]
    channels: NDArray[np.int64]
    blocks: tuple[str, ...]

    def __post_init__(self) -> None:
        words = np.asarray(self.words).astype(bool)
        for name, kind in (("blank", bool), ("rounds", np.int64), ("channels", np.int64)):
            object.__setattr__(self, name, np.asarray(getattr(self, name), kind))
        object.__setattr__(self, "words", words)
        n_words, n_bits = words.shape
        for name, wanted in (("names", n_words), ("blank", n_words), ("blocks", n_words)):
            if len(getattr(self, name)) != wanted:
                raise ShapeError(f"{len(getattr(self, name))} {name} for {wanted} words; give one for each")
        for name in ("bits", "rounds", "channels"):
            if len(getattr(self, name)) != n_bits:
                raise ShapeError(f"{len(getattr(self, name))} {name} for {n_bits} bits; give one for each")
        self._check_words()

    @classmethod
    def of(
        cls,
        codes: Mapping[str, str | Sequence[int]],
        *,
        bits: Sequence[str] | None = None,
        rounds: ArrayLike | None = None,
        channels: ArrayLike | None = None,
        blocks: Sequence[str] | None = None,
        blank: Sequence[bool] | None = None,
    ) -> Codebook:
        """Make a codebook from names and codes such as ``"0110"``.

        Names say which words are blank (`is_blank_name`) unless `blank` does. Where `blocks` are not given, words of
        one bit that no other word has are a block of their own, `SEQUENTIAL`.
        """
        if not codes:
            raise DataError("a codebook without words; give at least one")
        rows = [[int(bit) for bit in code] for code in codes.values()]
        lengths = {len(row) for row in rows}
        if len(lengths) > 1 or any(bit not in (0, 1) for row in rows for bit in row):
            raise DataError(f"codes must be 0 and 1, all of one length; got lengths {sorted(lengths)}")
        words = np.array(rows, bool)
        n_bits = words.shape[1]
        return cls(
            tuple(codes),
            words,
            np.array([is_blank_name(name) for name in codes] if blank is None else blank, bool),
            tuple(bits or (f"bit{k + 1}" for k in range(n_bits))),
            np.arange(n_bits) if rounds is None else np.asarray(rounds),
            np.zeros(n_bits, int) if channels is None else np.asarray(channels),
            tuple(blocks) if blocks is not None else blocks_of(words),
        )

    @property
    def n_words(self) -> int:
        """Number of words, blanks included."""
        return len(self.names)

    @property
    def n_bits(self) -> int:
        """Number of bits."""
        return len(self.bits)

    @property
    def min_distance(self) -> int:
        """Smallest number of bits by which two words differ; the number of bits where there is one word only."""
        if self.n_words < 2:
            return self.n_bits
        code = self.words.astype(np.int32)
        weight = code.sum(axis=1)
        distance = weight[:, None] + weight - 2 * code @ code.T
        return int(distance[~np.eye(self.n_words, dtype=bool)].min())

    @property
    def block_names(self) -> tuple[str, ...]:
        """The blocks, in order of their first word."""
        return tuple(dict.fromkeys(self.blocks))

    def block(self, name: str) -> Codebook:
        """Return the words of one block, on the bits that they use.

        Raises
        ------
        ParameterError
            If there is no such block.
        """
        if name not in self.blocks:
            raise ParameterError(f"the codebook has no block {name!r}; it has: {', '.join(self.block_names)}")
        rows = self.rows_of(name)
        return self._cut(rows, self.bits_of(name))

    def rows_of(self, name: str) -> NDArray[np.int64]:
        """Return the numbers of the words of a block."""
        return np.flatnonzero(np.array(self.blocks) == name)

    def bits_of(self, name: str) -> NDArray[np.int64]:
        """Return the numbers of the bits that a block uses."""
        return np.flatnonzero(self.words[self.rows_of(name)].any(axis=0))

    def is_sequential(self, name: str) -> bool:
        """Say whether a block's words have one bit each: channels of single molecules, in which nothing is decoded."""
        return bool((self.words[self.rows_of(name)].sum(axis=1) == 1).all())

    def _cut(self, rows: NDArray[np.int64], bits: NDArray[np.int64]) -> Codebook:
        return Codebook(
            tuple(self.names[k] for k in rows),
            self.words[np.ix_(rows, bits)],
            self.blank[rows],
            tuple(self.bits[k] for k in bits),
            self.rounds[bits],
            self.channels[bits],
            tuple(self.blocks[k] for k in rows),
        )

    def _check_words(self) -> None:
        empty = np.flatnonzero(~self.words.any(axis=1))
        if len(empty):
            raise DataError(f"the word of {self.names[empty[0]]!r} has no bit set; such a word cannot be seen")
        for block in self.block_names:
            rows = self.rows_of(block)
            rows = rows[np.lexsort(self.words[rows].T)]
            for one, other in pairwise(rows.tolist()):
                if (self.words[one] == self.words[other]).all():
                    raise DataError(
                        f"{self.names[one]!r} and {self.names[other]!r} have the same word; give each its own"
                    )


def blocks_of(words: ArrayLike) -> tuple[str, ...]:
    """Tell single-molecule channels (one bit that no other word has) from words that are decoded.

    Examples
    --------
    >>> blocks_of([[1, 1, 0], [1, 1, 1], [0, 0, 1]])
    ('main', 'main', 'main')
    >>> blocks_of([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]])
    ('main', 'main', 'sequential')
    """
    code = np.asarray(words).astype(int)
    used = code.sum(axis=0)
    alone = (code.sum(axis=1) == 1) & (code @ used == 1)
    if alone.all():
        return (SEQUENTIAL,) * len(code)
    return tuple(SEQUENTIAL if one else MAIN for one in alone)
