"""Arrays that are read when sliced: the one contract all file readers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from teasel.errors import AxesError

__all__ = ["InMemory", "LazyArray", "View"]

Block = tuple[slice, ...]


class LazyArray(ABC):
    """An array whose values are read when it is sliced.

    Subclasses give `shape` and `dtype` and read one block of contiguous slices; this class turns integers,
    negative indices, steps, ``...`` and missing dimensions into such a block. Fancy indexing is not
    supported.

    Parameters
    ----------
    shape : sequence of int
        Length of each dimension.
    dtype : dtype-like
        Type of the values, given in the byte order of the machine.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __init__(self, shape: Sequence[int], dtype: DTypeLike) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype).newbyteorder("=")

    @abstractmethod
    def read_block(self, block: Block) -> NDArray[Any]:
        """Read one slice per dimension, each with 0 <= start < stop <= n and step 1; any thread may call."""

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        block, rest = _split_key(key, self.shape)
        if any(s.start >= s.stop for s in block):
            values = np.empty([max(0, s.stop - s.start) for s in block], self.dtype)
        else:
            values = self.read_block(block).astype(self.dtype, copy=False)
        return values[rest]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        values = self[...]
        return values if dtype is None else values.astype(dtype, copy=False)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"


class InMemory(LazyArray):
    """Anything that already slices like an array: ndarray, memory map, zarr or dask array.

    Examples
    --------
    >>> InMemory(np.arange(6).reshape(2, 3))[-1, ::2]
    array([3, 5])
    """

    def __init__(self, array: Any) -> None:
        super().__init__(array.shape, array.dtype)
        self._array = array

    def read_block(self, block: Block) -> NDArray[Any]:
        """Slice the array."""
        return np.array(self._array[block])


class View(LazyArray):
    """Another array with dimensions fixed, cut, reordered, and its values converted, all when read.

    Parameters
    ----------
    source : LazyArray
        The array to look at.
    order : sequence of int
        Dimensions of `source` that stay, in the order wanted.
    fixed : dict of int to int, optional
        Index along each dimension of `source` that does not stay; 0 where nothing is said.
    limits : dict of int to int, optional
        Length to cut a dimension of `source` to.
    convert : callable, optional
        Turns the values read into others of the same shape.
    dtype : dtype-like, optional
        Type after `convert`.

    Examples
    --------
    >>> View(InMemory(np.arange(6).reshape(2, 3)), order=(1, 0))[0]
    array([0, 3])
    """

    def __init__(
        self,
        source: LazyArray,
        order: Sequence[int],
        *,
        fixed: dict[int, int] | None = None,
        limits: dict[int, int] | None = None,
        convert: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        sizes = [min(n, (limits or {}).get(d, n)) for d, n in enumerate(source.shape)]
        super().__init__([sizes[d] for d in order], source.dtype if dtype is None else dtype)
        self._source = source
        self._order = tuple(order)
        self._fixed = fixed or {}
        self._convert = convert

    def read_block(self, block: Block) -> NDArray[Any]:
        """Read the block of the source that this block shows, and turn it."""
        wanted = dict(zip(self._order, block, strict=True))
        key = tuple(wanted.get(d, self._fixed.get(d, 0)) for d in range(self._source.ndim))
        values = self._source[key]  # the fixed dimensions are gone, the others in the source's order
        staying = sorted(self._order)
        values = values.transpose([staying.index(d) for d in self._order])
        return values if self._convert is None else self._convert(values)


def as_lazy(array: ArrayLike | LazyArray) -> LazyArray:
    """Wrap anything array-like that is not yet a `LazyArray`."""
    return array if isinstance(array, LazyArray) else InMemory(array)


def _split_key(key: Any, shape: tuple[int, ...]) -> tuple[Block, tuple[slice | int, ...]]:
    """Split an index into a block to read (step 1) and what is left to do on it in memory."""
    keys = list(key) if isinstance(key, tuple) else [key]
    dots = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(dots) > 1 or len(keys) - len(dots) > len(shape):
        raise AxesError(f"index {key!r} has too many entries for an array of shape {shape}")
    at = dots[0] if dots else len(keys)
    keys[at : at + 1] = [slice(None)] * (len(shape) - len(keys) + len(dots))
    pairs = [_split_entry(k, n) for k, n in zip(keys, shape, strict=True)]
    return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)


def _split_entry(entry: Any, n: int) -> tuple[slice, slice | int]:
    """Split the index along one dimension of length `n`."""
    if isinstance(entry, slice):
        start, stop, step = entry.indices(n)
        if step > 0:
            return slice(start, max(start, stop)), slice(None, None, step)
        return (slice(stop + 1, start + 1), slice(None, None, step)) if start > stop else (slice(0, 0), slice(None))
    if not isinstance(entry, int | np.integer):
        raise AxesError(f"index {entry!r}: expected an integer, a slice or ...; lazily read data knows no others")
    index = int(entry) + (n if entry < 0 else 0)
    if not 0 <= index < n:
        raise IndexError(f"index {int(entry)} is outside a dimension of length {n}")
    return slice(index, index + 1), 0
