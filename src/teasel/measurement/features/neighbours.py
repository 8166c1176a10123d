"""Neighbours: what touches an object, and how far the nearest ones are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.measurement.features._base import Columns, Family
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Neighbours"]


@dataclass(frozen=True)
class Neighbours(Family):
    """Neighbours within some distances.

    Parameters
    ----------
    distances_px : tuple of float
        How near is a neighbour, in shortest edges of a voxel, each 1 or more. 1 stands for what touches, and is called
        ``Adjacent`` in the names of features.

    References
    ----------
    Stirling et al., CellProfiler 4 (2021), doi:10.1186/s12859-021-04344-9, module MeasureObjectNeighbors.
    """

    name: ClassVar[str] = "neighbours"
    compartments: ClassVar[tuple[str, ...]] = ("object", "cell", "nucleus")
    distances_px: tuple[float, ...] = (1, 5)

    def __post_init__(self) -> None:
        if not self.distances_px or min(self.distances_px) < 1:
            raise ParameterError(f"neighbours: distances_px is {self.distances_px}; expected numbers, each 1 or more")

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the features of each distance, and of the nearest objects."""
        named = []
        for name in map(_name, self.distances_px):
            within = "that touch it" if name == "Adjacent" else f"within {name} voxels of it"
            named += [
                self._feature(f"Neighbors_NumberOfNeighbors_{name}", f"Number of objects {within}."),
                self._feature(
                    f"Neighbors_PercentTouching_{name}",
                    f"Percentage of the object's outermost voxels with another object {within.replace('it', 'them')}.",
                    unit="%",
                ),
            ]
        first = _name(self.distances_px[0])
        for name, text, unit in _NEAREST:
            named.append(self._feature(f"Neighbors_{name}_{first}", text, unit=unit.format(length=scene.unit)))
        return tuple(named)

    def measure(self, objects: Objects) -> Columns:
        """Measure each distance."""
        rim = _rim(objects)
        at, owner = objects.at[rim], objects.owner[rim]
        own = objects.own[rim]
        total = np.bincount(owner, minlength=len(objects))
        columns: Columns = {}
        for distance in self.distances_px:
            touched = np.zeros(len(rim), bool)
            pairs = [np.zeros(0, np.int64)]
            for step, length in _steps(objects.scene, distance + 0.5):
                beside = objects.beside(step, of=at)
                other = (beside > 0) & (beside != own)
                touched |= other
                if length <= distance:
                    pairs.append(np.unique(owner[other].astype(np.int64) << 32 | beside[other]))
            found = np.unique(np.concatenate(pairs))
            columns[f"Neighbors_NumberOfNeighbors_{_name(distance)}"] = np.bincount(
                found >> 32, minlength=len(objects)
            ).astype(float)
            share = 100.0 * np.bincount(owner[touched], minlength=len(objects)) / total
            columns[f"Neighbors_PercentTouching_{_name(distance)}"] = share
        nearest = objects.scene.nearest
        first = _name(self.distances_px[0])
        return columns | {f"Neighbors_{name}_{first}": nearest[name][objects.rows] for name, _, _ in _NEAREST}

    def margin_px(self, scene: Scene) -> int:
        """Return the largest distance, and one more for the half voxel that counts as contact."""
        return int(np.floor(max(self.distances_px) + 0.5))


_NEAREST = (
    ("FirstClosestObjectNumber", "Label of the object with the nearest centroid.", "label"),
    ("FirstClosestDistance", "Distance to the nearest centroid of another object.", "{length}"),
    ("SecondClosestObjectNumber", "Label of the object with the second nearest centroid.", "label"),
    ("SecondClosestDistance", "Distance to the second nearest centroid of another object.", "{length}"),
    ("AngleBetweenNeighbors", "Angle between the directions to the two nearest centroids.", "degree"),
)


def _name(distance: float) -> str:
    return "Adjacent" if distance == 1 else f"{distance:g}"


def _steps(scene: Scene, reach: float) -> list[tuple[tuple[int, ...], float]]:
    """Return the steps to all voxels within reach, and how long they are."""
    ranges = [range(-int(reach / edge), int(reach / edge) + 1) for edge in scene.proportions]
    steps = []
    for step in product(*ranges):
        length = float(np.sqrt(sum((s * edge) ** 2 for s, edge in zip(step, scene.proportions, strict=True))))
        if 0 < length <= reach:
            steps.append((step, length))
    return steps


def _rim(objects: Objects) -> NDArray[np.int64]:
    """Return the voxels that have anything else beside them, diagonally too; the border of the image counts."""
    inner = np.ones(len(objects.at), bool)
    for step in product((-1, 0, 1), repeat=objects.scene.ndim):
        if any(step):
            inner &= objects.beside(step) == objects.own
    return np.flatnonzero(~inner)
