"""Radial distribution: how the light of an object is spread from its middle to its edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.measurement.features._base import Columns, Family
from teasel.measurement.kernels.distance import geodesic_distance
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["RadialDistribution"]

_WEDGES = 8


@dataclass(frozen=True)
class RadialDistribution(Family):
    """Light in rings around the voxel deepest in the object; the first ring is the innermost.

    Parameters
    ----------
    bins : int
        Number of rings, 1 or more.

    References
    ----------
    Stirling et al., CellProfiler 4 (2021), doi:10.1186/s12859-021-04344-9, module MeasureObjectIntensityDistribution.
    """

    name: ClassVar[str] = "radial_distribution"
    bins: int = 4

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise ParameterError(f"radial_distribution: bins is {self.bins}; expected 1 or more")

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the features of each channel and ring."""
        return tuple(
            self._feature(f"RadialDistribution_{name}_{channel}_{i + 1}of{self.bins}", text, channel=channel)
            for channel in scene.channels
            for name, text in _FEATURES
            for i in range(self.bins)
        )

    def measure(self, objects: Objects) -> Columns:
        """Measure each channel."""
        ring, wedge = self._rings(objects)
        n, bins = len(objects), self.bins
        cell = objects.owner.astype(np.int64) * bins + ring
        count = np.bincount(cell, minlength=n * bins).reshape(n, bins)
        part = cell * _WEDGES + wedge
        in_part = np.bincount(part, minlength=n * bins * _WEDGES).reshape(n, bins, _WEDGES)
        columns: Columns = {}
        for number, channel in enumerate(objects.scene.channels):
            values = objects.values(number)
            light = np.bincount(cell, values, minlength=n * bins).reshape(n, bins)
            wedges = np.bincount(part, values, minlength=in_part.size).reshape(in_part.shape)
            share = _ratio(light, objects.sum(values)[:, None])
            measured = {
                "FracAtD": share,
                "MeanFrac": share / (count / objects.counts[:, None] + np.finfo(float).eps),
                "RadialCV": _variation(wedges, in_part),
            }
            for name, table in measured.items():
                for i in range(bins):
                    columns[f"RadialDistribution_{name}_{channel}_{i + 1}of{bins}"] = table[:, i]
        return columns

    def _rings(self, objects: Objects) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the ring and the wedge of each voxel."""
        depth = objects.depth
        deepest = objects.last_of_largest(depth)
        is_deepest = np.zeros(len(depth), bool)
        is_deepest[deepest] = True
        way = np.empty(len(depth))
        for batch in objects.batches:
            seeds = batch.scatter(is_deepest[batch.voxels], False)
            way[batch.voxels] = batch.gather(geodesic_distance(batch.mask(), seeds, objects.scene.proportions))
        share = np.ones(len(depth))  # pieces out of reach are outermost
        np.divide(way, way + depth + 0.001, out=share, where=np.isfinite(way))
        ring = np.minimum((share * self.bins).astype(np.int64), self.bins - 1)
        off = objects.places - objects.places[:, deepest][:, objects.owner]
        if len(off) == 2:
            steep = np.abs(off[0]) > np.abs(off[1])
            return ring, (off[0] > 0) + 2 * (off[1] > 0) + 4 * steep
        return ring, (off[0] > 0) + 2 * (off[1] > 0) + 4 * (off[2] > 0)


_FEATURES = (
    ("FracAtD", "Share of the object's light in this ring."),
    ("MeanFrac", "Share of the object's light in this ring, over the share of its voxels there."),
    ("RadialCV", "Coefficient of variation of the mean intensities of eight wedges of this ring."),
)


def _ratio(top: NDArray, bottom: NDArray) -> NDArray[np.float64]:
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)


def _variation(light: NDArray, count: NDArray) -> NDArray[np.float64]:
    """Return the standard deviation over the mean of the wedges that hold voxels; 0 in rings without any."""
    known = count > 0
    wedges = known.sum(-1)
    mean_of = np.divide(light, count, out=np.zeros(light.shape), where=known)
    total = mean_of.sum(-1)
    mean = np.divide(total, wedges, out=np.zeros(total.shape), where=wedges > 0)
    square = (np.where(known, mean_of - mean[..., None], 0.0) ** 2).sum(-1)
    spread = np.sqrt(np.divide(square, wedges, out=np.zeros(total.shape), where=wedges > 0))
    return np.where(wedges > 0, _ratio(spread, mean), 0.0)
