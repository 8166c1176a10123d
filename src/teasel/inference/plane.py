"""One plane of an image as a network wants it: channels first, normalised, read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.images import Image, open_image

__all__ = ["Plane"]

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
    low, high : float
        Values that become 0 and 1.
    channels : tuple of int
        Channels to read, in order; empty for an image without a channel axis.
    notes : tuple of str
        What was found and is worth telling.
    """

    image: Image
    fixed: dict[str, int | str]
    low: float
    high: float
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
    ) -> Plane:
        """Measure the intensity range of a plane, over all its channels together.

        Raises
        ------
        DataError
            If no pixel holds a finite number.
        """
        plane = cls(image, fixed, 0.0, 1.0, channels)
        step = max(1, int(np.ceil(np.sqrt(plane.shape[0] * plane.shape[1] / SAMPLE_PX))))
        values = plane.raw(slice(None), slice(None), step).ravel()
        finite = np.isfinite(values)
        notes: tuple[str, ...] = ()
        if not finite.all():
            if not finite.any():
                raise DataError("the plane holds no finite number: every pixel is NaN or infinite")
            notes = (f"{100 * (1 - finite.mean()):.3g} % of the pixels are NaN or infinite and were taken as black",)
            values = values[finite]
        low, high = (float(v) for v in np.percentile(values, percentiles))
        if high <= low:
            low, high = float(values.min()), float(values.max())
        if high <= low:
            notes += ("every pixel has the same value",)
        return cls(image, fixed, low, high, channels, notes)

    @classmethod
    def of_array(cls, image: NDArray[np.generic], percentiles: tuple[float, float]) -> Plane:
        """Take an array ``(channel, y, x)`` as a plane, all channels together."""
        channels = tuple(range(image.shape[0]))
        named = replace(open_image(image, axes="cyx"), is_rgb=len(channels) == 3)
        return cls.of(named, {}, channels if "c" in named.axes else (), percentiles)

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
        if self.high <= self.low:
            return np.zeros_like(values)
        values -= np.float32(self.low)
        values /= np.float32(self.high - self.low)
        return np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
