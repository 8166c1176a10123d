"""Granularity: how much of an object's light lies in bright grains of each size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.measurement.features._base import Columns, Family
from teasel.measurement.kernels.reconstruction import erode, reconstruct
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.kernels.batches import Batch
    from teasel.measurement.objects import Objects

__all__ = ["Granularity"]


@dataclass(frozen=True)
class Granularity(Family):
    """The granular spectrum of each object, taken by itself: what is lost when grains of growing size are removed.

    Parameters
    ----------
    length : int
        Number of sizes, 1 or more; the n-th is a radius of n voxels.

    Notes
    -----
    Grains are removed by an opening with reconstruction (erosion by one voxel more each time, then growing back under
    the image), as in CellProfiler, yet within the object alone: no light of neighbours, no background to guess and no
    grid to sample, and the same numbers whatever else is in the image.

    References
    ----------
    Ravkin & Temov, Bit representation techniques and image processing (1988); Stirling et al., CellProfiler 4 (2021),
    doi:10.1186/s12859-021-04344-9, module MeasureGranularity.
    """

    name: ClassVar[str] = "granularity"
    length: int = 16

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ParameterError(f"granularity: length is {self.length}; expected 1 or more")

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the sizes, for each channel."""
        text = "Percentage of the object's light lost when grains of radius {} are removed after those of radius {}."
        return tuple(
            self._feature(f"Granularity_{i}_{channel}", text.format(i, i - 1), channel=channel)
            for channel in scene.channels
            for i in range(1, self.length + 1)
        )

    def measure(self, objects: Objects) -> Columns:
        """Measure each channel."""
        columns: Columns = {}
        for number, channel in enumerate(objects.scene.channels):
            values, ranks = objects.values(number), objects.ranks(number)
            spectrum = np.zeros((self.length, len(objects)))
            for batch in objects.batches:
                self._fill(spectrum, objects, batch, values, ranks)
            columns |= {f"Granularity_{i + 1}_{channel}": row for i, row in enumerate(spectrum)}
        return columns

    def _fill(
        self,
        spectrum: NDArray[np.float64],
        objects: Objects,
        batch: Batch,
        values: NDArray[np.float64],
        ranks: NDArray[np.int32],
    ) -> None:
        """Measure the objects of a batch; ranks stand for values, which are small numbers in the same order."""
        counts = objects.counts[batch.members]
        starts = np.cumsum(counts) - counts
        own = ranks[batch.voxels] + 1
        level = own.astype(np.uint16 if own.max() < 2**16 - 1 else np.int32)
        grey = values[batch.voxels]
        table = _values_of_ranks(own, grey, starts, counts)
        first = np.repeat(starts, counts)
        image = batch.scatter(level, 0)
        mask = image > 0
        eroded = image
        mean = np.add.reduceat(grey, starts) / counts
        scale = np.maximum(mean, np.finfo(float).eps)
        flat = np.zeros(len(counts), bool)
        for i in range(self.length):
            eroded = erode(eroded, mask)
            left = batch.gather(reconstruct(eroded, image)).astype(np.int64)
            now = np.add.reduceat(table[first + left - 1], starts) / counts
            spectrum[i, batch.members] = (mean - now) * 100 / scale
            mean = now
            flat = np.maximum.reduceat(left, starts) == np.minimum.reduceat(left, starts)
            if flat.all():  # nothing is left to remove
                break


def _values_of_ranks(
    ranks: NDArray[np.int32], values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the value of rank 1, 2, ... of each object, from the object's first place on."""
    table = np.zeros(len(values))
    table[np.repeat(starts, counts) + ranks - 1] = values
    return table
