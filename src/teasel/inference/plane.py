"""One plane of an image as a network wants it: channels first, normalised, read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.images import Image, open_image

__all__ = ["Plane", "intensity_range"]

PROJECTION = "max"
SAMPLE_PX = 1 << 22
"""At most about this many pixels decide the intensity range; larger planes are read in strides."""


@dataclass(frozen=True)
class Plane:
    """A lazily read plane with its intensity range.

    Parameters
    ----------
    image : Image
        The image.
    fixed : dict of str to int or str
        Index along t and z where the image has them; ``"max"`` along z is the maximum projection.
    low, high : tuple of float
        Values that become 0 and 1: one for all channels, or one per channel.
    channels : tuple of int
        Channels to read, in order; empty for an image without a channel axis.
    notes : tuple of str
        What was found and is worth telling.
    """

    image: Image
    fixed: dict[str, int | str]
    low: tuple[float, ...]
    high: tuple[float, ...]
    channels: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.image.sizes["y"], self.image.sizes["x"]

    @classmethod
    def of(
        cls,
        image: Image,
        fixed: dict[str, int | str],
        channels: tuple[int, ...],
        percentiles: tuple[float, float],
        *,
        apart: bool = False,
    ) -> Plane:
        """Measure the intensity range of a plane, over all its channels together or, `apart`, of each on its own.

        Raises
        ------
        DataError
            If no pixel holds a finite number.
        """
        plane = cls(image, fixed, (0.0,), (1.0,), channels)
        step = max(1, int(np.ceil(np.sqrt(plane.shape[0] * plane.shape[1] / SAMPLE_PX))))
        values = plane.raw(slice(None), slice(None), step)
        low, high, notes = intensity_range(values, percentiles, channels, apart=apart)
        return cls(image, fixed, low, high, channels, notes)

    @classmethod
    def of_array(cls, image: NDArray[np.generic], percentiles: tuple[float, float], *, apart: bool = False) -> Plane:
        """Take an array ``(channel, y, x)`` as a plane, all channels together or `apart`."""
        channels = tuple(range(image.shape[0]))
        named = replace(open_image(image, axes="cyx"), is_rgb=len(channels) == 3)
        return cls.of(named, {}, channels if "c" in named.axes else (), percentiles, apart=apart)

    def raw(self, y: slice, x: slice, step: int = 1) -> NDArray[np.float32]:
        """Read ``(channel, y, x)`` as float32, every `step`-th pixel, in stripes of bounded memory."""
        height = self.shape[0]
        rows = range(*y.indices(height))
        stripe = max(step, (1 << 24) // max(1, self.shape[1]) // step * step)
        parts = []
        for start in range(rows.start, rows.stop, stripe):
            area = {"y": slice(start, min(start + stripe, rows.stop)), "x": x}
            chosen: list[dict[str, int]] = [{"c": c} for c in self.channels] or [{}]
            parts.append(np.stack([self._values(**c, **area)[::step, ::step] for c in chosen]).astype(np.float32))
        return np.concatenate(parts, 1)

    def _values(self, **selection: int | slice) -> NDArray[np.generic]:
        """Read a part of one channel; the maximum over z where a projection is asked for."""
        if self.fixed.get("z") != PROJECTION:
            return self.image.read(**selection, **self.fixed)  # type: ignore[arg-type]
        fixed = {k: v for k, v in self.fixed.items() if k != "z"}
        planes = (self.image.read(**selection, **fixed, z=z) for z in range(self.image.sizes["z"]))  # type: ignore[arg-type]
        return reduce(np.maximum, planes)

    def read(self, y: slice, x: slice) -> NDArray[np.float32]:
        """Read ``(channel, y, x)`` normalised; pixels that are not finite become 0, a constant plane too."""
        values = self.raw(y, x)
        low, high = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (self.low, self.high))
        values -= low
        values /= np.where(high > low, high - low, np.inf)
        return np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def intensity_range(
    values: NDArray[np.float32], percentiles: tuple[float, float], channels: tuple[int, ...], *, apart: bool
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[str, ...]]:
    """Measure what becomes 0 and 1, over all channels together or, `apart`, of each on its own.

    Parameters
    ----------
    values : ndarray of float32, shape (c, [z,] y, x)
        A sample of the image.
    percentiles : tuple of float
        Which percentiles become 0 and 1.
    channels : tuple of int
        Numbers of the channels, for what is said about them.
    apart : bool
        Whether each channel has a range of its own.

    Returns
    -------
    low, high : tuple of float
        One for all channels, or one per channel.
    notes : tuple of str
        What was found.

    Raises
    ------
    DataError
        If no value is a finite number.
    """
    rows = values.reshape(len(values) if apart else 1, -1)
    finite = np.isfinite(rows)
    notes: tuple[str, ...] = ()
    if not finite.all():
        if not finite.any():
            raise DataError("the plane holds no finite number: every pixel is NaN or infinite")
        notes = (f"{100 * (1 - finite.mean()):.3g} % of the pixels are NaN or infinite and were taken as black",)
    ranges = [_range(row[known], percentiles) for row, known in zip(rows, finite, strict=True)]
    flat = [number for number, (low, high) in enumerate(ranges) if high <= low]
    if flat:
        where = f" in channel {', '.join(str(channels[n]) for n in flat)}" if apart and channels else ""
        notes += (f"every pixel{where} has the same value",)
    return tuple(low for low, _ in ranges), tuple(high for _, high in ranges), notes


def _range(values: NDArray[np.float32], percentiles: tuple[float, float]) -> tuple[float, float]:
    """Return two percentiles of finite values; their whole range where these are equal; 0 and 0 of none."""
    if not len(values):
        return 0.0, 0.0
    low, high = (float(v) for v in np.percentile(values, percentiles))
    return (low, high) if high > low else (float(values.min()), float(values.max()))
