"""Skeleton: the branches of an object."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.measurement.features._base import Columns, Family
from teasel.measurement.kernels.sheet import make_sheet
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Skeleton"]


@dataclass(frozen=True)
class Skeleton(Family):
    """The object thinned to lines one voxel wide.

    References
    ----------
    Zhang & Suen (1984), doi:10.1145/357994.358023, in planes; Lee, Kashyap & Chu (1994), doi:10.1006/cgip.1994.1042, in
    volumes.
    """

    name: ClassVar[str] = "skeleton"
    compartments: ClassVar[tuple[str, ...]] = ("object", "cell", "nucleus")

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the features."""
        units = {"TotalObjectSkeletonLength": scene.unit}
        return tuple(
            self._feature(f"ObjectSkeleton_{name}", text, unit=units.get(name, "1")) for name, text in _FEATURES
        )

    def measure(self, objects: Objects) -> Columns:
        """Measure the skeleton of each object."""
        voxels = _skeleton(objects)
        on = np.zeros(objects.ids.size, bool)
        at = objects.at[voxels]
        on[at] = True
        own, owner = objects.own[voxels], objects.owner[voxels]
        neighbours = np.zeros(len(at), np.int64)
        length = np.zeros(len(at))
        flat = [s // objects.ids.itemsize for s in objects.ids.strides]
        for step in product((-1, 0, 1), repeat=objects.scene.ndim):
            if any(step):
                joined = (objects.beside(step, of=at) == own) & on[at + int(np.dot(step, flat))]
                neighbours += joined
                length += joined * float(np.hypot.reduce(np.multiply(step, objects.scene.edges))) / 2
        n = len(objects)
        ends, branches = neighbours == 1, neighbours > 2
        return {
            "ObjectSkeleton_NumberBranchEnds": np.bincount(owner[ends], minlength=n).astype(float),
            "ObjectSkeleton_NumberNonTrunkBranches": np.bincount(owner[branches], minlength=n).astype(float),
            "ObjectSkeleton_TotalObjectSkeletonLength": np.bincount(owner, length, minlength=n),
        }


_FEATURES = (
    ("NumberBranchEnds", "Number of voxels of the skeleton with one neighbour on it."),
    ("NumberNonTrunkBranches", "Number of voxels of the skeleton with more than two neighbours on it."),
    ("TotalObjectSkeletonLength", "Length of the skeleton, from voxel to voxel."),
)


def _skeleton(objects: Objects) -> NDArray[np.int64]:
    """Return which voxels are on the skeleton, all objects thinned at once on a sheet where none touches another."""
    from skimage.morphology import skeletonize

    if not len(objects):
        return np.zeros(0, np.int64)
    sheet = make_sheet(objects)
    mask = np.zeros(sheet.shape, bool)
    mask.ravel()[sheet.at] = True
    method = "zhang" if mask.ndim == 2 else "lee"
    return np.flatnonzero(skeletonize(mask, method=method).ravel()[sheet.at] > 0)
