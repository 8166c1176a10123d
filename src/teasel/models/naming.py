"""Say what a mistyped word may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["suggest"]


def suggest(word: str, words: Iterable[str]) -> str:
    """Return ``"; did you mean '...'?"`` with the nearest of `words`, or an empty string if none is near.

    Examples
    --------
    >>> suggest("nucleii", ["nuclei", "nuclei-fast"])
    "; did you mean 'nuclei'?"
    >>> suggest("membrane", ["nuclei"])
    ''
    """
    near = get_close_matches(word, list(words), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
