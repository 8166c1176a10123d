"""TIFF in its dialects: plain, OME, ImageJ hyperstack, LSM, STK, tiled, pyramidal."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.images.formats._base import Format, Found, corrupt, pick_level, pick_scene
from teasel.images.lazy import LazyArray, View

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_AXES = {"T": "t", "C": "c", "Z": "z", "Y": "y", "X": "x", "S": "s", "I": "?", "Q": "?"}


class Tiff(Format):
    """Read through tifffile: memory-mapped where plain, else by tiles and strips."""

    name: ClassVar[str] = "TIFF"
    suffixes: ClassVar[tuple[str, ...]] = (".tif", ".tiff", ".btf", ".tf8", ".lsm", ".stk")
    saves: ClassVar[tuple[str, ...]] = (".tif", ".tiff")

    def sniff(self, path: Path, head: bytes) -> bool:
        """Know the byte-order mark and the number 42 or 43."""
        return head[:4] in MAGIC

    def scenes(self, path: Path) -> tuple[str, ...]:
        """List the series, and each position of a series that has several."""
        with _opened(path) as tif:
            return tuple(name for name, _, _ in _scenes(tif))

    def open(self, path: Path, scene: str, level: int) -> Found:
        """Open a series at a level of its pyramid."""
        from teasel.images.formats._tiff_whole import check_whole

        with _opened(path) as tif:
            check_whole(tif, path)
            scenes = _scenes(tif)
            _, index, position = scenes[pick_scene(scene, [name for name, _, _ in scenes], path)]
        return self.open_series(path, index, level, position)

    def open_series(self, path: Path, index: int, level: int, position: dict[str, int] | None = None) -> Found:
        """Open a series by its number, at a position along axes the house has no letter for."""
        from teasel.images.formats._tiff_metadata import read_facts
        from teasel.images.formats._tiff_planes import open_series

        with _opened(path) as tif:
            series = tif.series[index]
            part = series.levels[pick_level(level, len(series.levels), path)]
            if part.keyframe is None:
                raise FormatError(f"{path.name} holds no image data")
            facts = read_facts(tif, index)
            data, letters = open_series(part, path, tif.byteorder)
            planes = getattr(data, "planes", [])
            data, letters = _at_position(data, letters, position or {})
            data, axes, notes = _by_photometric(data, _letters(letters, tif, part), part)
            levels = tuple(tuple(s.shape) for s in series.levels)
            if None in planes:
                n = planes.count(None)
                notes += (f"{n} of {len(planes)} pages are missing in the file; they read as 0",)
            return Found(
                data, axes, _scaled(facts.voxel_size_um, levels, level, series.axes), facts.channel_names,
                facts.notes + notes, _squeezed_levels(series, axes, data.shape),
            )  # fmt: skip

    def save(
        self, path: Path, array: Any, *, axes: str, voxel_size_um: VoxelSize, channel_names: Sequence[str]
    ) -> None:
        """Write an ImageJ hyperstack or an OME-TIFF."""
        from teasel.images.formats._tiff_save import save_tiff

        save_tiff(path, array, axes=axes, voxel_size_um=voxel_size_um, channel_names=channel_names)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a TIFF whose directories can be read."""
    import tifffile

    try:
        tif = tifffile.TiffFile(path)
    except (tifffile.TiffFileError, struct.error, ValueError, IndexError, KeyError, OSError) as error:
        raise corrupt(path, "a TIFF", error) from error
    with tif:
        try:
            if not tif.series or tif.series[0].keyframe is None:
                raise FormatError(f"{path.name} is a TIFF without an image")
            yield tif
        except (tifffile.TiffFileError, struct.error, IndexError, KeyError, ZeroDivisionError) as error:
            raise corrupt(path, "a TIFF", error) from error


def _scenes(tif: Any) -> list[tuple[str, int, dict[str, int]]]:
    """List (name, series, position along axes that are not of the house); names are made unique."""
    found: list[tuple[str, int, dict[str, int]]] = []
    for index, series in enumerate(tif.series):
        if series.keyframe is None:
            continue
        others = [(a, n) for a, n in zip(series.axes, series.shape, strict=True) if a not in _AXES and n > 1]
        for at in product(*(range(n) for _, n in others)):
            position = {a: i for (a, _), i in zip(others, at, strict=True)}
            parts = [series.name.strip()] if series.name.strip() else [f"series {index}"]
            parts += [f"{a}{i}" for a, i in position.items()]
            found.append((" ".join(parts), index, position))
    names = [name for name, _, _ in found]
    return [(n if names.count(n) == 1 else f"{n} #{i}", s, p) for i, (n, s, p) in enumerate(found)]


def _at_position(data: LazyArray, letters: str, position: dict[str, int]) -> tuple[LazyArray, str]:
    """Fix the axes that became scenes, and drop those of length 1 that the house has no letter for."""
    drop = {d: position.get(a, 0) for d, a in enumerate(letters) if a not in _AXES}
    if not drop:
        return data, letters
    stay = [d for d in range(data.ndim) if d not in drop]
    return View(data, stay, fixed=drop), "".join(letters[d] for d in stay)


def _letters(letters: str, tif: Any, series: Any) -> str:
    """Turn tifffile's letters into those of `Found`."""
    page, axes = series.keyframe, "".join(_AXES[a] for a in letters)
    if "s" not in axes:
        return axes
    colour = int(page.photometric) in (2, 6) and page.shaped[0] * page.shaped[4] in (3, 4)
    guessed = tif.is_shaped and page.shaped[0] > 1  # tifffile writes stacks of 3 or 4 planes as "RGB" unasked
    if guessed:
        return axes.replace("s", "?")
    return axes if colour else axes.replace("s", "c" if "c" not in axes else "?")


def _by_photometric(data: LazyArray, axes: str, series: Any) -> tuple[LazyArray, str, tuple[str, ...]]:
    """Undo inversion and look colours up, as the photometric tag says."""
    page = series.keyframe
    photometric = int(page.photometric)
    every = range(data.ndim)
    if photometric == 0 and data.dtype.kind in "bui":
        turn = partial(_invert, bits=page.bitspersample)
        return (
            View(data, every, convert=turn),
            axes,
            ("stored inverted (white is zero): turned so that black is zero",),
        )
    if photometric == 0:
        return data, axes, ("marked as white-is-zero, but the values are floats: kept as they are",)
    if photometric == 3 and page.colormap is not None:
        if series.kind in ("imagej", "lsm", "stk", "ome", "fluoview", "mm"):
            return data, axes, ("has a colour table for display: ignored, the values are intensities",)
        return _Palette(data, page.colormap), axes + "s", ("palette colours turned into red, green, blue",)
    if photometric in (5, 8, 9, 10):
        raise FormatError(f"TIFF with {page.photometric.name} colours is not supported; save it as RGB or grey")
    return data, axes, ()


def _invert(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """Turn white-is-zero into black-is-zero within the bits in use."""
    if values.dtype.kind == "u" and bits < 8 * values.dtype.itemsize:
        return np.asarray((1 << bits) - 1 - values, values.dtype)
    return np.invert(values)


class _Palette(LazyArray):
    """Indices shown as the colours they stand for, in a new last dimension."""

    def __init__(self, indices: LazyArray, colormap: NDArray[np.uint16]) -> None:
        colours: NDArray[Any] = np.asarray(colormap).T  # (entries, 3)
        if not np.any(colours % 257) or colours.max(initial=0) > 255:
            colours = colours >> 8  # 8-bit colours stored in the upper byte, or spread over both
        super().__init__((*indices.shape, 3), np.uint8)
        self._indices, self._colours = indices, colours.astype(np.uint8)

    def read_block(self, block: tuple[slice, ...]) -> NDArray[Any]:
        """Look up the indices of the block."""
        indices = np.minimum(self._indices[block[:-1]], len(self._colours) - 1)
        return self._colours[indices][..., block[-1]]


def _scaled(size: VoxelSize, levels: Sequence[tuple[int, ...]], level: int, axes: str) -> VoxelSize:
    """Return the voxel size at a level: the full one times the ratio of lengths."""
    ratio = {a.lower(): m / n for a, m, n in zip(axes, levels[0], levels[level], strict=True)}
    known = {a: getattr(size, a) for a in "zyx"}
    return VoxelSize(**{a: None if s is None else s * ratio.get(a, 1.0) for a, s in known.items()})


def _squeezed_levels(series: Any, axes: str, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Shape of each level along `axes`: what changes between levels is y and x."""
    found = []
    for part in series.levels:
        sizes = dict(zip(part.axes.lower(), part.shape, strict=True))
        found.append(tuple(sizes[a] if a in "zyx" and a in sizes else n for a, n in zip(axes, shape, strict=True)))
    return tuple(found)
