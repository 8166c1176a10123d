"""TIFF pages read in part: memory-mapped where they lie plain, else only the tiles or strips needed."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.images.formats._base import corrupt
from teasel.images.lazy import Block, InMemory, LazyArray

__all__ = ["open_series"]

CACHE_BYTES = 64 * 2**20  # decoded tiles or strips kept, so that neighbouring crops do not decode them again


@dataclass(frozen=True)
class Plane:
    """Where the pieces of one page lie."""

    path: Path
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    jpegtables: bytes | None


def open_series(series: Any, path: Path, byteorder: str) -> tuple[LazyArray, str]:
    """Return a series (or a level of its pyramid) of an open TIFF as a lazy array, and its axes.

    The array stays readable after the file object is closed: each reading opens the file anew.
    """
    page = series.keyframe
    if 0 in series.shape or 0 in page.shaped:
        raise FormatError(
            f"{path.name} holds an image of size zero, shape {tuple(series.shape)}; there is nothing to read"
        )
    if series.dtype is None:
        raise FormatError(
            f"{path.name}: {page.bitspersample}-bit samples of format {page.sampleformat} are not supported"
        )
    if series.dataoffset is not None:
        return InMemory(_mapped(path, page, byteorder, series.dataoffset, series.shape)), series.axes
    shape, axes = series.get_shape(squeeze=False), series.get_axes(squeeze=False)
    if tuple(shape[len(shape) - len(page.shape) :]) != tuple(page.shape):
        shape, axes = series.shape, series.axes
    lead = tuple(shape[: len(shape) - len(page.shape)])
    if tuple(shape[len(lead) :]) != tuple(page.shape) or math.prod(lead) != len(series.pages):
        raise FormatError(f"{path.name}: {len(series.pages)} pages of shape {page.shape} do not make up {tuple(shape)}")
    return Planes([_plane(p) for p in series.pages], lead, page, byteorder), axes


def _mapped(path: Path, page: Any, byteorder: str, offset: int, shape: tuple[int, ...]) -> NDArray[Any]:
    dtype = np.dtype(page.dtype).newbyteorder(byteorder)
    there, needed = path.stat().st_size, offset + math.prod(shape) * dtype.itemsize
    if there < needed:
        raise FormatError(f"{path.name} is truncated: {there} bytes, its header promises {needed}; get it again")
    return np.memmap(path, dtype, "r", offset, tuple(shape))


def _plane(page: Any) -> Plane | None:
    """Note where a page lies, and that it lies there whole; None for a page the file leaves out."""
    if page is None or not any(page.databytecounts):
        return None
    path = Path(page.parent.filehandle.path)
    there, needed = (
        path.stat().st_size,
        max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))),
    )
    if there < needed:
        raise FormatError(f"{path.name} is truncated: {there} bytes, its header promises {needed}; get it again")
    return Plane(path, tuple(page.dataoffsets), tuple(page.databytecounts), page.jpegtables)


class Planes(LazyArray):
    """Pages of one shape, stacked along leading dimensions; missing pages and pieces read as 0."""

    def __init__(self, planes: list[Plane | None], lead: tuple[int, ...], page: Any, byteorder: str) -> None:
        super().__init__(lead + tuple(page.shape), page.dtype)
        self.planes = planes
        self._lead = lead
        self._shaped = page.shaped  # (separate samples, depth, length, width, contiguous samples)
        self._kept = [d for d, n in enumerate(page.shaped) if d in (2, 3) or n > 1]
        self._stored = np.dtype(page.dtype).newbyteorder(byteorder)
        self._plain = page.is_final
        self._grid = _Grid(page)
        self._cache: OrderedDict[tuple[int, int], NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def read_block(self, block: Block) -> NDArray[Any]:
        """Read the pages and the pieces of them that the block touches."""
        n = len(self._lead)
        out = np.zeros([s.stop - s.start for s in block], self.dtype)
        within = self._within(block[n:])
        for position in product(*(range(s.start, s.stop) for s in block[:n])):
            index = int(np.ravel_multi_index(position, self._lead)) if position else 0
            plane = self.planes[index]
            if plane is not None:
                at = tuple(p - s.start for p, s in zip(position, block[:n], strict=True))
                out[at] = self._read_plane(index, plane, within).reshape(out.shape[n:])
        return out

    def _within(self, block: Block) -> Block:
        """Spread a block of the page's own dimensions over tifffile's five."""
        full = [slice(0, n) for n in self._shaped]
        for dimension, s in zip(self._kept, block, strict=True):
            full[dimension] = s
        return tuple(full)

    def _read_plane(self, index: int, plane: Plane, within: Block) -> NDArray[Any]:
        if self._plain and _contiguous(plane):
            return np.memmap(plane.path, self._stored, "r", plane.offsets[0], self._shaped)[within]
        out = np.zeros([s.stop - s.start for s in within], self.dtype)
        for segment in self._grid.touched(within):
            if segment < len(plane.counts) and plane.counts[segment]:
                values, start = self._segment(index, plane, segment)
                _paste(values, start, out, within)
        return out

    def _segment(self, index: int, plane: Plane, segment: int) -> tuple[NDArray[Any], tuple[int, ...]]:
        """Return one decoded tile or strip and where it begins."""
        with self._lock:
            known = self._cache.pop((index, segment), None)
        values = self._grid.decode(plane, segment) if known is None else known
        with self._lock:
            self._cache[index, segment] = values
            while len(self._cache) > 1 and sum(v.nbytes for v in self._cache.values()) > CACHE_BYTES:
                self._cache.popitem(last=False)
        return values, self._grid.start(segment)


class _Grid:
    """How a page is cut into tiles or strips, and how one is decoded."""

    def __init__(self, page: Any) -> None:
        samples = page.shaped[4]
        length, width = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
        depth = page.tiledepth if page.is_tiled else 1
        self._size = (1, depth, min(length, page.shaped[2]) if not page.is_tiled else length, width, samples)
        self._counts = tuple(math.ceil(n / size) for n, size in zip(page.shaped, self._size, strict=True))
        self._decode: Callable[..., Any] = page.decode
        self._jpeg = page.compression in {6, 7, 34892, 33007}
        self._jpegheader = page.jpegheader if self._jpeg else None

    def touched(self, within: Block) -> Iterator[int]:
        """List the indices of the pieces that a block touches."""
        ranges = [range(s.start // n, (s.stop - 1) // n + 1) for s, n in zip(within, self._size, strict=True)]
        for at in product(*ranges):
            yield int(np.ravel_multi_index(at, self._counts))

    def start(self, segment: int) -> tuple[int, ...]:
        """Return where a piece begins in the page."""
        at = np.unravel_index(segment, self._counts)
        return tuple(int(a) * n for a, n in zip(at, self._size, strict=True))

    def decode(self, plane: Plane, segment: int) -> NDArray[Any]:
        """Read and decode one piece; its shape is (1, depth, length, width, samples)."""
        with plane.path.open("rb") as file:
            file.seek(plane.offsets[segment])
            data = file.read(plane.counts[segment])
        extra = {"jpegtables": plane.jpegtables, "jpegheader": self._jpegheader} if self._jpeg else {}
        try:
            values, _, _ = self._decode(data, segment, **extra)
        except (RuntimeError, ValueError, NotImplementedError, OSError) as error:
            raise corrupt(plane.path, "a TIFF", error) from error
        return np.asarray(values)[np.newaxis]


def _contiguous(plane: Plane) -> bool:
    pieces = list(zip(plane.offsets, plane.counts, strict=False))
    return all(a + n == b for (a, n), (b, _) in pairwise(pieces))


def _paste(values: NDArray[Any], start: tuple[int, ...], out: NDArray[Any], within: Block) -> None:
    """Copy the part of a piece that lies in the block into `out`."""
    source, target = [], []
    for at, n, s in zip(start, values.shape, within, strict=True):
        low, high = max(at, s.start), min(at + n, s.stop)
        source.append(slice(low - at, high - at))
        target.append(slice(low - s.start, high - s.start))
    out[tuple(target)] = values[tuple(source)]
