"""The part of an image that spots are looked for in: one plane or volume, read tile by tile with a margin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import Image, open_image

__all__ = ["Source", "Tile"]

SAMPLE_TILES = 9
SAMPLE_PX = 512
SAMPLE_PLANES = 24


@dataclass(frozen=True)
class Tile:
    """A window to read, and the part of it that counts.

    Parameters
    ----------
    outer : tuple of slice
        What is read, on the image's grid: the part that counts and a margin, cut at the image's border.
    inner : tuple of slice
        What counts, on the image's grid; all tiles' inner parts cover the image once.
    """

    outer: tuple[slice, ...]
    inner: tuple[slice, ...]

    @property
    def origin(self) -> NDArray[np.int64]:
        """Image coordinates of the first pixel that is read."""
        return np.array([s.start for s in self.outer])

    @property
    def inside(self) -> tuple[slice, ...]:
        """What counts, on the tile's own grid."""
        return tuple(slice(i.start - o.start, i.stop - o.start) for i, o in zip(self.inner, self.outer, strict=True))


@dataclass(frozen=True, eq=False)
class Source:
    """One plane or volume of an image, read when asked for.

    Parameters
    ----------
    image : Image
        The image.
    fixed : dict of str to int
        Index along each axis that is not looked through (t, c, z).
    projected : bool
        Whether the maximum along z is looked at.
    """

    image: Image
    fixed: dict[str, int]
    projected: bool = False

    @classmethod
    def of(
        cls,
        image: str | Path | NDArray[Any] | Image,
        *,
        channel: int | str | None = None,
        z: int | str | None = None,
        t: int | None = None,
    ) -> Source:
        """Choose what to look at.

        Parameters
        ----------
        image : path, ndarray or Image
            Anything `teasel.open_image` takes.
        channel : int or str, optional
            Channel by number from 0 or by name; needed if there are several.
        z : int or str, optional
            Plane from 0, or ``"max"`` for the maximum projection; the whole volume if not given.
        t : int, optional
            Time point from 0; needed if there are several.

        Raises
        ------
        ParameterError
            If a choice is missing or does not exist.
        """
        image = image if isinstance(image, Image) else open_image(image)
        fixed: dict[str, int] = {}
        if "c" in image.axes:
            fixed["c"] = _index(channel, image.sizes["c"], "channel", image.channel_names)
        elif channel not in (None, 0):
            raise ParameterError(f"channel {channel!r}: the image has no channels; leave it out")
        if "t" in image.axes:
            fixed["t"] = _index(t, image.sizes["t"], "time point (t)")
        projected = z == "max" and "z" in image.axes
        if "z" in image.axes and not projected:
            if z is not None:
                fixed["z"] = _index(z, image.sizes["z"], "plane (z)")
            elif image.sizes["z"] == 1:
                fixed["z"] = 0
        elif "z" not in image.axes and z not in (None, 0, "0", "max"):
            raise ParameterError(f"plane {z!r}: the image is a single plane; leave z out")
        return cls(image, fixed, projected)

    @property
    def axes(self) -> str:
        """``"yx"`` or ``"zyx"``."""
        return "".join(a for a in self.image.axes if a not in self.fixed and not (a == "z" and self.projected))

    @property
    def shape(self) -> tuple[int, ...]:
        """([z,] y, x)."""
        return tuple(self.image.sizes[a] for a in self.axes)

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return len(self.axes)

    @property
    def voxel_size_um(self) -> VoxelSize:
        """Micrometres per pixel, where known."""
        return self.image.voxel_size_um

    def read(self, window: Sequence[slice]) -> NDArray[np.float32]:
        """Read a window as float32; values that are not finite become 0."""
        area: dict[str, Any] = dict(zip(self.axes, window, strict=True))
        if self.projected:
            planes = (self.image.read(**self.fixed, **area, z=z) for z in range(self.image.sizes["z"]))
            values = reduce(np.maximum, planes)
        else:
            values = self.image.read(**self.fixed, **area)
        if np.iscomplexobj(values):
            raise DataError("the image holds complex numbers; give their absolute values")
        return np.nan_to_num(values.astype(np.float32), copy=False, nan=0.0, posinf=0.0, neginf=0.0)

    def tiles(self, size: Sequence[int], margin: Sequence[int]) -> Iterator[Tile]:
        """Yield tiles whose inner parts are `size` long (shorter at the end) with a `margin` around, in order."""
        spans = []
        for n, step, extra in zip(self.shape, size, margin, strict=True):
            starts = range(0, n, step)
            inner = [(a, min(a + step, n)) for a in starts]
            spans.append([(slice(max(a - extra, 0), min(b + extra, n)), slice(a, b)) for a, b in inner])
        for chosen in product(*spans):
            outer, inner_part = zip(*chosen, strict=True)
            yield Tile(tuple(outer), tuple(inner_part))

    def sample(self) -> list[NDArray[np.float32]]:
        """Read up to nine windows, spread evenly: always the same ones, the whole of a small image."""
        sizes = [min(n, SAMPLE_PLANES if a == "z" else SAMPLE_PX) for a, n in zip(self.axes, self.shape, strict=True)]
        per_axis = []
        for n, size, axis in zip(self.shape, sizes, self.axes, strict=True):
            count = 1 if axis == "z" else min(3, -(-n // size))
            last = n - size
            per_axis.append(
                [round(last * (i + 0.5) / count) if count == 1 else round(last * i / (count - 1)) for i in range(count)]
            )
        return [
            self.read([slice(a, a + size) for a, size in zip(start, sizes, strict=True)])
            for start in list(product(*per_axis))[:SAMPLE_TILES]
        ]


def _index(chosen: int | str | None, n: int, what: str, names: Sequence[str] = ()) -> int:
    """Turn a choice into an index, or raise."""
    if chosen is None:
        if n == 1:
            return 0
        named = f" ({', '.join(names)})" if any(names) else ""
        raise ParameterError(f"the image has {n} of {what}{named}; say which one, from 0")
    if str(chosen) in names and str(chosen):
        return list(names).index(str(chosen))
    try:
        index = int(chosen)
    except ValueError:
        raise ParameterError(
            f"no {what} {chosen!r}; there are {n}{': ' + ', '.join(names) if any(names) else ''}"
        ) from None
    if not 0 <= index < n:
        raise ParameterError(f"{what} {index}; expected 0 to {n - 1}")
    return index
