"""What counts as a label image: whole numbers, 0 for background, -1 at most for "do not judge here"."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ShapeError

__all__ = ["IGNORE", "check_labels"]

IGNORE = -1
"""Label of pixels that nobody has judged: not background, not an object."""

_LARGEST_EXACT = {np.dtype(np.float16): 2**11, np.dtype(np.float32): 2**24, np.dtype(np.float64): 2**53}


def check_labels(labels: ArrayLike, name: str = "labels", *, ignore: bool = True) -> NDArray[np.integer]:
    """Check that an array is a label image, and return it with an integer type.

    Parameters
    ----------
    labels : array_like of int, or of float with whole numbers, any number of dimensions >= 1
        0 is background, each object has its own number above 0.
    name : str
        What to call the array in an error.
    ignore : bool
        Allow -1, the label of pixels that nobody has judged.

    Returns
    -------
    ndarray of int
        The same array, uncopied, when it holds integers; floats become int32 or, where needed, int64.

    Raises
    ------
    DataError
        If the values are bool, complex, not whole, beyond what the float type holds exactly, negative other
        than -1 (or -1 where it is not allowed), or too large for int64.
    ShapeError
        If the array has no dimensions.

    Notes
    -----
    Floats are accepted because ImageJ keeps more than 65535 objects in 32-bit float images. Such a type holds
    whole numbers exactly only up to 2**24; beyond, neighbouring objects may have been merged before the array
    came here, so that is an error and not a guess.

    Examples
    --------
    >>> check_labels(np.array([[0.0, 2.0]], np.float32)).dtype
    dtype('int32')
    """
    array = np.asarray(labels)
    if array.ndim == 0:
        raise ShapeError(f"{name} is a single number; expected an array of labels")
    if array.dtype == bool:
        raise DataError(
            f"{name} is a bool mask, in which touching objects cannot be told apart; "
            "number its pieces first, for example with teasel.labels.connected_labels"
        )
    if array.dtype.kind == "f":
        array = _from_float(array, name)
    if array.dtype.kind not in "iu":
        raise DataError(f"{name} has type {array.dtype}; expected integers")
    _check_range(array, name, IGNORE if ignore else 0)
    return array


def _from_float(array: NDArray, name: str) -> NDArray[np.integer]:
    """Turn whole floats into integers, or say why not."""
    if not np.isfinite(array).all():
        raise DataError(f"{name} holds NaN or infinite values; expected whole numbers")
    if array.size and np.any(array != np.rint(array)):
        raise DataError(f"{name} has type {array.dtype} and values that are not whole; is it an image, not labels?")
    largest = float(np.abs(array).max(initial=0))
    exact = _LARGEST_EXACT.get(array.dtype, 2**53)
    if largest > exact:
        raise DataError(f"{name} has labels up to {largest:.0f}; {array.dtype} is exact only to {exact}")
    return array.astype(np.int32 if largest < 2**31 else np.int64)


def _check_range(array: NDArray[np.integer], name: str, lowest: int) -> None:
    """Refuse labels below `lowest` or beyond int64."""
    if not array.size:
        return
    if array.dtype.kind == "i" and (low := int(array.min())) < lowest:
        allowed = "0 or more, or -1 for pixels not judged" if lowest < 0 else "0 or more"
        raise DataError(f"{name} has the label {low}; expected {allowed}")
    if array.dtype == np.uint64 and int(array.max()) > np.iinfo(np.int64).max:
        raise DataError(f"{name} has the label {array.max()}, beyond int64; relabel it first")
