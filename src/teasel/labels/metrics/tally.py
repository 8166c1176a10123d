"""Scores as sums: what one image adds, how images add up, and the ratio that is read off in the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Tally", "ratio"]


@dataclass(frozen=True)
class Tally:
    """Numbers that are summed over images before a score is read off them.

    Subclasses name the sums as fields and the scores as properties. A score of one image is the property of
    its tally; the pooled score of many images is the property of the sum. Fields may also be arrays of equal
    shape; then the scores are arrays, which makes the bootstrap one matrix product.
    """

    def __add__(self, other: Self) -> Self:
        return type(self)(*(a + b for a, b in zip(self.sums(), other.sums(), strict=True)))

    def sums(self) -> tuple[Any, ...]:
        """Return the fields, in order."""
        return tuple(getattr(self, field.name) for field in fields(self))

    @classmethod
    def pool(cls, tallies: Iterable[Self]) -> Self:
        """Add up tallies; of none, every sum is 0.

        Examples
        --------
        >>> from teasel.labels.metrics import Matching
        >>> Matching.pool([Matching(tp=3, fp=1, fn=0, iou_sum=2.5), Matching(tp=1, fp=0, fn=3, iou_sum=0.5)])
        Matching(tp=4, fp=1, fn=3, iou_sum=3.0)
        """
        result = cls(*(0 for _ in fields(cls)))
        for tally in tallies:
            result = result + tally
        return result


def ratio(numerator: ArrayLike, denominator: ArrayLike, empty: ArrayLike = 1.0) -> Any:
    """Divide, with a stated value where the denominator is 0; a float for numbers, an array for arrays.

    Examples
    --------
    >>> ratio(1, 2), ratio(0, 0, empty=1.0)
    (0.5, 1.0)
    """
    top, bottom, empty = np.broadcast_arrays(
        np.asarray(numerator, float), np.asarray(denominator, float), np.asarray(empty, float)
    )
    result = np.divide(top, bottom, out=empty.copy(), where=bottom != 0)
    return float(result) if result.ndim == 0 else result
