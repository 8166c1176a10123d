"""Nuclei in cells: how many, how large against the cell, where, and how their light compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from teasel.measurement.features._base import Columns, Family
from teasel.measurement.objects import OUTSIDE
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Nuclei"]


@dataclass(frozen=True)
class Nuclei(Family):
    """The nuclei of each cell, those that share more voxels with it than with any other; where nuclei are given."""

    name: ClassVar[str] = "nuclei"
    compartments: ClassVar[tuple[str, ...]] = ("cell",)

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the features of the cell and of each channel."""
        shared = [
            self._feature("Children_Nuclei_Count", "Number of nuclei in the cell."),
            self._feature("Nuclei_AreaFraction", "Size of the cell's nuclei together over the size of the cell."),
            self._feature(
                "Nuclei_Distance_Centroid",
                "Distance from the centroid of the cell's nuclei to that of the cell.",
                unit=scene.unit,
            ),
            self._feature(
                "Nuclei_Distance_Minimum",
                "Least distance from the centroid of the cell's nuclei to a voxel on the cell's edge.",
                unit=scene.unit,
            ),
        ]
        light = [
            self._feature(
                f"Nuclei_MeanIntensityRatio_{channel}",
                "Mean intensity of the cell in its nuclei over that outside of all nuclei.",
                channel=channel,
            )
            for channel in scene.channels
        ]
        return (*shared, *light)

    def measure(self, objects: Objects) -> Columns:
        """Compare each cell with its nuclei."""
        scene, rows = objects.scene, objects.rows
        edges = np.asarray(scene.edges)
        places = scene.child_centroids[rows]  # (n, ndim), NaN without a nucleus
        away = np.sqrt((((places - scene.centroids[rows]) * edges) ** 2).sum(1))
        columns = {
            "Children_Nuclei_Count": scene.child_counts[rows].astype(float),
            "Nuclei_AreaFraction": scene.child_areas[rows] / objects.counts,
            "Nuclei_Distance_Centroid": away,
            "Nuclei_Distance_Minimum": _to_edge(objects, places),
        }
        inside = objects.inner == objects.own
        outside = objects.inner == 0
        for number, channel in enumerate(scene.channels):
            values = objects.values(number)
            means = [
                np.divide(
                    objects.sum(np.where(part, values, 0.0)),
                    objects.count(part),
                    out=np.full(len(objects), np.nan),
                    where=objects.count(part) > 0,
                )
                for part in (inside, outside)
            ]
            ratio = np.divide(means[0], means[1], out=np.full(len(objects), np.nan), where=means[1] != 0)
            columns[f"Nuclei_MeanIntensityRatio_{channel}"] = ratio
        return columns


def _to_edge(objects: Objects, places: np.ndarray) -> np.ndarray:
    """Return the distance from a place in each cell to the nearest voxel with something else beside it."""
    ndim = objects.scene.ndim
    edge = np.zeros(len(objects.at), bool)
    for axis in range(ndim):
        for side in (-1, 1):
            beside = objects.beside([side * (i == axis) for i in range(ndim)])
            edge |= (beside != objects.own) & (beside != OUTSIDE)
    rim = np.flatnonzero(edge)
    owner = objects.owner[rim]
    centre = places - objects.scene.lows[objects.rows]
    off = (objects.places[:, rim] - centre.T[:, owner]) * np.asarray(objects.scene.edges)[:, None]
    least = np.full(len(objects), np.inf)
    np.minimum.at(least, owner, np.nan_to_num(np.sqrt((off**2).sum(0)), nan=np.inf))
    return np.where(np.isfinite(least), least, np.nan)
