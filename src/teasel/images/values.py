"""Values that are no numbers: found, counted, replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError

__all__ = ["finite"]


def finite(array: NDArray[Any]) -> tuple[NDArray[Any], str | None]:
    """Replace NaN and infinite values by the smallest finite one, and say how many there were.

    Parameters
    ----------
    array : ndarray
        Any numbers.

    Returns
    -------
    array : ndarray
        The same array if all values are finite, else a new one.
    note : str or None
        How many values were replaced and by what; None if none.

    Raises
    ------
    DataError
        If no value is finite.

    Examples
    --------
    >>> finite(np.array([1.0, np.nan, 3.0]))
    (array([1., 1., 3.]), '1 of 3 values were NaN or infinite; replaced by the smallest finite value, 1')
    """
    if array.dtype.kind != "f":
        return array, None
    good = np.isfinite(array)
    n = array.size - int(np.count_nonzero(good))
    if n == 0:
        return array, None
    if n == array.size:
        raise DataError(f"all {n} values are NaN or infinite; there is no image in them")
    lowest = array[good].min()
    note = f"{n} of {array.size} values were NaN or infinite; replaced by the smallest finite value, {lowest:g}"
    return np.where(good, array, lowest), note
