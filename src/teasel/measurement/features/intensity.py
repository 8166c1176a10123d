"""Intensity: how bright an object is in each channel, all over and along its edge, and where its light lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from teasel.measurement.features._base import Columns, Family
from teasel.measurement.kernels.order import quantile, rank_of_deviation
from teasel.measurement.objects import OUTSIDE
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Intensity"]


@dataclass(frozen=True)
class Intensity(Family):
    """Intensity in the grey values of the image.

    References
    ----------
    Stirling et al., CellProfiler 4 (2021), doi:10.1186/s12859-021-04344-9, module MeasureObjectIntensity.
    """

    name: ClassVar[str] = "intensity"

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the features of each channel."""
        named = []
        for channel in scene.channels:
            for name, text in _FEATURES:
                unit = scene.unit if name == "MassDisplacement" else "grey value"
                named.append(self._feature(f"Intensity_{name}_{channel}", text, unit=unit, channel=channel))
            for kind, text in (
                ("CenterMassIntensity", "centre of mass of the light"),
                ("MaxIntensity", "brightest voxel"),
            ):
                for axis in reversed(scene.axes):
                    name = f"Location_{kind}_{axis.upper()}_{channel}"
                    named.append(
                        self._feature(name, f"{axis.upper()} of the {text}.", unit=scene.unit, channel=channel)
                    )
        return tuple(named)

    def measure(self, objects: Objects) -> Columns:
        """Measure each channel."""
        steps = _face_steps(objects.scene.ndim)
        beside = [objects.beside(step) for step in steps]
        edge = np.flatnonzero(np.logical_or.reduce([(b != objects.own) & (b != OUTSIDE) for b in beside]))
        middle = [objects.sum(p) / objects.counts for p in objects.places_in_units]
        columns: Columns = {}
        for number, channel in enumerate(objects.scene.channels):
            values = objects.values(number)
            inside = _statistics(objects, values) | _quantiles(objects, number) | _edge(objects, values, edge)
            columns |= {f"Intensity_{name}_{channel}": column for name, column in inside.items()}
            columns |= _locations(objects, values, channel, middle)
        return columns


_FEATURES = (
    ("IntegratedIntensity", "Sum of the intensities in the object."),
    ("MeanIntensity", "Mean intensity in the object."),
    ("StdIntensity", "Standard deviation of the intensities in the object."),
    ("MinIntensity", "Least intensity in the object."),
    ("MaxIntensity", "Greatest intensity in the object."),
    ("LowerQuartileIntensity", "Intensity that a quarter of the object stays below."),
    ("MedianIntensity", "Median intensity in the object."),
    ("MADIntensity", "Median of the absolute deviations from the median intensity."),
    ("UpperQuartileIntensity", "Intensity that three quarters of the object stay below."),
    ("IntegratedIntensityEdge", "Sum of the intensities along the edge of the object."),
    ("MeanIntensityEdge", "Mean intensity along the edge of the object."),
    ("StdIntensityEdge", "Standard deviation of the intensities along the edge of the object."),
    ("MinIntensityEdge", "Least intensity along the edge of the object."),
    ("MaxIntensityEdge", "Greatest intensity along the edge of the object."),
    ("MassDisplacement", "Distance from the centroid to the centre of mass of the light."),
)


def _face_steps(ndim: int) -> list[tuple[int, ...]]:
    return [tuple(s * (i == axis) for i in range(ndim)) for axis in range(ndim) for s in (-1, 1)]


def _statistics(objects: Objects, values: np.ndarray) -> Columns:
    total = objects.sum(values)
    mean = total / objects.counts
    return {
        "IntegratedIntensity": total,
        "MeanIntensity": mean,
        "StdIntensity": np.sqrt(objects.sum((values - mean[objects.owner]) ** 2) / objects.counts),
        "MinIntensity": objects.smallest(values),
        "MaxIntensity": objects.largest(values),
    }


def _quantiles(objects: Objects, channel: int) -> Columns:
    """Return quartiles, median and the median deviation from it."""
    ordered = objects.values(channel)[objects.order(channel)]
    starts, counts = objects.starts, objects.counts
    lower, median, upper = (quantile(ordered, starts, counts, fraction) for fraction in (0.25, 0.5, 0.75))
    rank = np.minimum(counts // 2, counts - 1)
    deviation = rank_of_deviation(ordered, starts, counts, median, rank)
    above = rank_of_deviation(ordered, starts, counts, median, np.minimum(rank + 1, counts - 1))
    part = np.where(rank < counts - 1, counts / 2 - counts // 2, 0.0)
    return {
        "LowerQuartileIntensity": lower,
        "MedianIntensity": median,
        "MADIntensity": deviation * (1 - part) + above * part,
        "UpperQuartileIntensity": upper,
    }


def _edge(objects: Objects, values: np.ndarray, edge: np.ndarray) -> Columns:
    """Return the statistics of the voxels that face another object or the background; NaN without any."""
    n = len(objects)
    owner, values = objects.owner[edge], values[edge]
    counts = np.bincount(owner, minlength=n)
    known = counts > 0
    total = np.bincount(owner, values, minlength=n)
    mean = np.divide(total, counts, out=np.full(n, np.nan), where=known)
    square = np.bincount(owner, (values - mean[owner]) ** 2, minlength=n)
    least, greatest = np.full(n, np.inf), np.full(n, -np.inf)
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    if len(starts):
        least[known], greatest[known] = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    columns = {
        "IntegratedIntensityEdge": total,
        "MeanIntensityEdge": mean,
        "StdIntensityEdge": np.sqrt(np.divide(square, counts, out=np.full(n, np.nan), where=known)),
        "MinIntensityEdge": least,
        "MaxIntensityEdge": greatest,
    }
    return {name: np.where(known, column, np.nan) for name, column in columns.items()}


def _locations(objects: Objects, values: np.ndarray, channel: str, middle: list[np.ndarray]) -> Columns:
    """Return where the light is, and how far from the centroid."""
    scene = objects.scene
    total = objects.sum(values)
    brightest = objects.last_of_largest(values)
    away = np.zeros(len(objects))
    columns: Columns = {}
    for i, axis in enumerate(scene.axes):
        corner = scene.lows[objects.rows, i] * scene.edges[i]
        mass = objects.sum(objects.places_in_units[i] * values)
        centre = np.divide(mass, total, out=np.full(len(objects), np.nan), where=total != 0)
        away += (centre - middle[i]) ** 2
        columns[f"Location_CenterMassIntensity_{axis.upper()}_{channel}"] = corner + centre
        columns[f"Location_MaxIntensity_{axis.upper()}_{channel}"] = corner + objects.places_in_units[i, brightest]
    columns[f"Intensity_MassDisplacement_{channel}"] = np.sqrt(away)
    return columns
