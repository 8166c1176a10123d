"""Texture: how grey values a step apart go together (Haralick's features)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.measurement.features._base import Columns, Family
from teasel.measurement.kernels.haralick import HARALICK, haralick
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Texture"]

_DIRECTIONS = {
    2: ((0, 1), (1, 1), (1, 0), (1, -1)),
    3: (
        *((1, 0, 0), (1, 1, 0), (0, 1, 0), (1, -1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1)),
        *((1, -1, 1), (1, 0, -1), (0, 1, -1), (1, 1, -1), (1, -1, -1)),
    ),
}


@dataclass(frozen=True)
class Texture(Family):
    """Haralick's thirteen features at several scales and in every direction, four in planes and thirteen in volumes.

    Parameters
    ----------
    scales_px : tuple of int
        How many voxels apart, each 1 or more; along diagonals so many along each axis.
    grey_levels : int
        Into how many steps the grey range is cut, 2 to 256. Step 0 counts as background.
    grey_range : tuple of float, optional
        The values that stand for black and white. If not given: the range of the type for integers of 8 and 16 bits,
        0 to 1 for floats within it, the least and greatest value of the channel for others.

    References
    ----------
    Haralick, Shanmugam & Dinstein, Textural features for image classification (1973), doi:10.1109/TSMC.1973.4309314.
    """

    name: ClassVar[str] = "texture"
    surveys: ClassVar[tuple[str, ...]] = ("grey ranges",)
    scales_px: tuple[int, ...] = (1, 3, 5)
    grey_levels: int = 256
    grey_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.scales_px or min(self.scales_px) < 1 or len(set(self.scales_px)) < len(self.scales_px):
            raise ParameterError(f"texture: scales_px is {self.scales_px}; expected different numbers, each 1 or more")
        if not 2 <= self.grey_levels <= 256:
            raise ParameterError(f"texture: grey_levels is {self.grey_levels}; expected 2 to 256")
        if self.grey_range is not None and not self.grey_range[0] < self.grey_range[1]:
            raise ParameterError(f"texture: grey_range is {self.grey_range}; expected two values, the lower one first")

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the features of each channel, scale and direction."""
        return tuple(
            self._feature(self._name(name, channel, scale, i), f"{text} {_pairs(scale, step)}", channel=channel)
            for channel in scene.channels
            for scale in self.scales_px
            for i, step in enumerate(_DIRECTIONS[scene.ndim])
            for name, text in HARALICK
        )

    def measure(self, objects: Objects) -> Columns:
        """Measure each channel, scale and direction."""
        scene = objects.scene
        ranges = scene.grey_ranges if self.grey_range is None else (self.grey_range,) * len(scene.channels)
        levels = [self._levels(objects.values(c), ranges[c]) for c in range(len(scene.channels))]
        numbers = np.empty(objects.ids.size, np.int32)
        numbers[objects.at] = np.arange(len(objects.at), dtype=np.int32)
        columns: Columns = {}
        for scale in self.scales_px:
            for i, direction in enumerate(_DIRECTIONS[scene.ndim]):
                one, other = _neighbours(objects, tuple(scale * d for d in direction), numbers)
                for channel, level in zip(scene.channels, levels, strict=True):
                    measured = haralick(objects, one, other, level)
                    columns |= {self._name(n, channel, scale, i): column for n, column in measured.items()}
        return columns

    def margin_px(self, scene: Scene) -> int:
        """Return the largest scale."""
        return max(self.scales_px)

    def _levels(self, values: NDArray[np.float64], grey_range: tuple[float, float]) -> NDArray[np.uint8]:
        """Cut the grey range into steps: 256 first, rounded, then fewer, as CellProfiler does."""
        low, high = grey_range
        bytes_ = np.rint(np.clip((values - low) / ((high - low) or 1.0), 0, 1) * 255)
        return (bytes_ * ((self.grey_levels - 1) / 255)).astype(np.uint8)

    def _name(self, name: str, channel: str, scale: int, direction: int) -> str:
        return f"Texture_{name}_{channel}_{scale}_{direction:02d}_{self.grey_levels}"


def _pairs(scale: int, step: tuple[int, ...]) -> str:
    where = ", ".join(f"{scale * s:+d} along {axis}" for axis, s in zip("zyx"[3 - len(step) :], step, strict=True) if s)
    return f"Pairs of voxels {where}."


def _neighbours(
    objects: Objects, offset: tuple[int, ...], numbers: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the pairs of voxels of one object that lie at an offset, as numbers in the list."""
    one = np.flatnonzero(objects.beside(offset) == objects.own).astype(np.int32)
    step = int(np.dot(offset, [s // objects.ids.itemsize for s in objects.ids.strides]))
    return one, numbers[objects.at[one] + step]
