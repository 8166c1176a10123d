"""Colocalisation: whether two channels are bright in the same places of an object."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.measurement.features._base import Columns, Family
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Colocalisation"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Colocalisation(Family):
    """How two channels go together, for each pair of channels.

    Parameters
    ----------
    threshold_percent : float
        Percentage of an object's brightest voxel above which a voxel counts as bright, for the overlap, Manders' and
        the rank weighted coefficients; 0 to 100.

    References
    ----------
    Manders et al. (1993), doi:10.1111/j.1365-2818.1993.tb03313.x. Costes et al. (2004),
    doi:10.1529/biophysj.103.038422. Singan et al., Dual channel rank-based intensity weighting (2011),
    doi:10.1186/1471-2105-12-407.
    """

    name: ClassVar[str] = "colocalisation"
    surveys: ClassVar[tuple[str, ...]] = ("costes",)
    threshold_percent: float = 15.0

    def __post_init__(self) -> None:
        if not 0 <= self.threshold_percent <= 100:
            raise ParameterError(f"colocalisation: threshold_percent is {self.threshold_percent}; expected 0 to 100")

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the coefficients of each pair of channels; none with fewer than two."""
        named = []
        for one, other in combinations(scene.channels, 2):
            for name, text, ordered in _FEATURES:
                for a, b in ((one, other), (other, one))[: 1 + ordered]:
                    text_of = text.format(a=a, b=b)
                    named.append(self._feature(f"Correlation_{name}_{a}_{b}", text_of, channel=f"{one}_{other}"))
        return tuple(named)

    def measure(self, objects: Objects) -> Columns:
        """Measure each pair of channels."""
        channels = objects.scene.channels
        bright = [self._bright(objects, objects.values(i)) for i in range(len(channels))] if len(channels) > 1 else []
        ranks = [objects.ranks(i) for i in range(len(channels))] if len(channels) > 1 else []
        columns: Columns = {}
        for i, j in combinations(range(len(channels)), 2):
            a, b = objects.values(i), objects.values(j)
            both = bright[i] & bright[j]
            low_a, low_b = objects.scene.costes[i, j]
            found = {
                "Correlation": (_pearson(objects, a, b),),
                **_overlap(objects, a, b, both),
                "Manders": (_share(objects, a, both, bright[i]), _share(objects, b, both, bright[j])),
                "RWC": self._ranked(objects, (a, b), (bright[i], bright[j]), (ranks[i], ranks[j])),
            }
            above = a >= low_a, b >= low_b
            costes = above[0] & above[1]
            found["Costes"] = (_share(objects, a, costes, above[0]), _share(objects, b, costes, above[1]))
            for name, values in found.items():
                for column, (x, y) in zip(values, ((i, j), (j, i)), strict=False):
                    columns[f"Correlation_{name}_{channels[x]}_{channels[y]}"] = column
        return columns

    def _bright(self, objects: Objects, values: Floats) -> NDArray[np.bool_]:
        """Say which voxels reach the threshold of their object."""
        return values >= (self.threshold_percent / 100 * objects.largest(values))[objects.owner]

    def _ranked(
        self,
        objects: Objects,
        values: tuple[Floats, Floats],
        bright: tuple[NDArray[np.bool_], NDArray[np.bool_]],
        ranks: tuple[NDArray[np.int32], NDArray[np.int32]],
    ) -> tuple[Floats, Floats]:
        """Return Manders' coefficients with each voxel weighted by how near its two ranks are."""
        top = np.maximum(objects.largest(ranks[0]), objects.largest(ranks[1])) + 1.0
        weight = 1 - np.abs(ranks[0] - ranks[1]) / top[objects.owner]
        both = bright[0] & bright[1]
        first, second = (
            _ratio(objects.sum(np.where(both, v * weight, 0.0)), objects.sum(np.where(own, v, 0.0)))
            for v, own in zip(values, bright, strict=True)
        )
        return first, second


_FEATURES = (
    ("Correlation", "Pearson's correlation of the intensities of {a} and {b}.", False),
    ("Overlap", "Overlap coefficient of {a} and {b} where both are bright.", False),
    ("K", "Sum of the products of {a} and {b} over the sum of {a} squared, where both are bright.", True),
    ("Manders", "Share of the bright light of {a} that lies where {b} is bright too.", True),
    ("RWC", "Share of the bright light of {a} where {b} is bright too, weighted by how near the ranks are.", True),
    ("Costes", "Share of the light of {a} above Costes' threshold that lies where {b} is above its own.", True),
)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)


def _pearson(objects: Objects, a: Floats, b: Floats) -> Floats:
    """Return Pearson's correlation; NaN where one channel is flat."""
    da, db = (v - (objects.sum(v) / objects.counts)[objects.owner] for v in (a, b))
    spread = np.sqrt(objects.sum(da * da)) * np.sqrt(objects.sum(db * db))
    flat = (objects.smallest(a) == objects.largest(a)) | (objects.smallest(b) == objects.largest(b))
    return _ratio(objects.sum(da * db), np.where(flat, 0.0, spread))


def _overlap(objects: Objects, a: Floats, b: Floats, both: NDArray[np.bool_]) -> dict[str, tuple[Floats, ...]]:
    a, b = np.where(both, a, 0.0), np.where(both, b, 0.0)
    product, aa, bb = objects.sum(a * b), objects.sum(a * a), objects.sum(b * b)
    return {"Overlap": (_ratio(product, np.sqrt(aa * bb)),), "K": (_ratio(product, aa), _ratio(product, bb))}


def _share(objects: Objects, values: Floats, where: NDArray[np.bool_], of: NDArray[np.bool_]) -> Floats:
    """Return how much of the light in `of` lies in `where`."""
    return _ratio(objects.sum(np.where(where, values, 0.0)), objects.sum(np.where(of, values, 0.0)))
