"""Size and shape: how large an object is, how round, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.measurement.features._base import Columns, Family
from teasel.measurement.kernels.corners import corner_patterns, euler_numbers, surface_areas
from teasel.measurement.kernels.hull import feret_diameters, hull_areas, hull_corners, row_ends
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Shape"]


@dataclass(frozen=True)
class Shape(Family):
    """Size and shape, in micrometres where the voxel size is known.

    References
    ----------
    Stirling et al., CellProfiler 4 (2021), doi:10.1186/s12859-021-04344-9, module MeasureObjectSizeShape.
    """

    name: ClassVar[str] = "shape"

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the features of planes or volumes."""
        length, size = scene.units(1), scene.units(scene.ndim)
        units = {"length": length, "size": size, "surface": scene.units(2), "angle": "degree", "1": "1"}
        wanted = _VOLUME if scene.ndim == 3 else {entry[0] for entry in _FEATURES} - {*_VOLUME_ONLY}
        listed = [entry for entry in _FEATURES if entry[0] in wanted]
        named = [self._feature(f"AreaShape_{n}", text, unit=units[unit]) for n, unit, text in listed]
        for axis in reversed(scene.axes):
            letter = axis.upper()
            named += [
                self._feature(f"AreaShape_Center_{letter}", f"{letter} of the centroid.", unit=length),
                self._feature(
                    f"AreaShape_BoundingBoxMinimum_{letter}",
                    f"Where the bounding box begins along {axis}.",
                    unit=length,
                ),
                self._feature(
                    f"AreaShape_BoundingBoxMaximum_{letter}", f"Where the bounding box ends along {axis}.", unit=length
                ),
            ]
        return tuple(named)

    def measure(self, objects: Objects) -> Columns:
        """Measure size and shape."""
        scene = objects.scene
        edges = np.asarray(scene.edges, np.float64)
        size = objects.counts * float(np.prod(edges))
        box = np.prod(objects.extents * edges, axis=1)
        spread = _covariances(objects)
        patterns = corner_patterns(objects)
        columns = {
            "Extent": size / box,
            "EulerNumber": euler_numbers(patterns, scene.ndim),
            "EquivalentDiameter": (2 * scene.ndim * size / np.pi) ** (1 / scene.ndim),
            **_radii(objects),
        }
        if scene.ndim == 2:
            columns |= {"Area": size, "BoundingBoxArea": box, **_ellipse(spread), **_outline(objects, size)}
        else:
            variance = np.clip(np.linalg.eigvalsh(spread), 0, None)  # (n, 3), ascending
            columns |= {
                "Volume": size,
                "BoundingBoxVolume": box,
                "SurfaceArea": surface_areas(patterns, scene.edges),
                "MajorAxisLength": np.sqrt(20 * variance[:, -1]),
                "MinorAxisLength": np.sqrt(20 * variance[:, 0]),
                "Solidity": objects.counts / _hull_volumes(objects),
            }
        named = {f"AreaShape_{name}": column for name, column in columns.items()}
        return named | _places(objects)


_FEATURES = (
    ("Area", "size", "Area of the object."),
    ("Volume", "size", "Volume of the object."),
    ("Perimeter", "length", "Length of the outline through the centres of its outermost pixels."),
    ("SurfaceArea", "surface", "Area of the surface halfway between voxels in and out of the object."),
    ("FormFactor", "1", "4 pi area / perimeter squared: 1 for a circle, less for other shapes."),
    ("Compactness", "1", "Perimeter squared / (4 pi area): 1 for a circle, more for other shapes."),
    ("ConvexArea", "size", "Area of the convex hull."),
    ("Solidity", "1", "Share of the convex hull that the object fills."),
    ("Extent", "1", "Share of the bounding box that the object fills."),
    ("EulerNumber", "1", "Number of pieces minus number of holes; pixels that meet at a corner are connected."),
    ("Eccentricity", "1", "Eccentricity of the ellipse with the same second moments: 0 for a circle, 1 for a line."),
    ("MajorAxisLength", "length", "Longest axis of the ellipse or ellipsoid with the same second moments."),
    ("MinorAxisLength", "length", "Shortest axis of the ellipse or ellipsoid with the same second moments."),
    ("Orientation", "angle", "Angle from the y axis to the longest axis of that ellipse, from -90 to 90 degrees."),
    ("EquivalentDiameter", "length", "Diameter of the circle or ball of the same size."),
    ("MaximumRadius", "length", "Greatest distance of a voxel of the object to the nearest one outside."),
    ("MeanRadius", "length", "Mean distance of the voxels of the object to the nearest one outside."),
    ("MedianRadius", "length", "Median distance of the voxels of the object to the nearest one outside."),
    ("MinFeretDiameter", "length", "Least distance between two parallel lines that hold the object between them."),
    ("MaxFeretDiameter", "length", "Greatest distance between two parallel lines that hold the object between them."),
    ("BoundingBoxArea", "size", "Area of the bounding box."),
    ("BoundingBoxVolume", "size", "Volume of the bounding box."),
)
_VOLUME_ONLY = ("Volume", "SurfaceArea", "BoundingBoxVolume")
_VOLUME = (
    *(*_VOLUME_ONLY, "Solidity", "Extent", "EulerNumber", "MajorAxisLength", "MinorAxisLength"),
    *("EquivalentDiameter", "MaximumRadius", "MeanRadius", "MedianRadius"),
)


def _covariances(objects: Objects) -> NDArray[np.float64]:
    """Return the covariance of the voxels' places along each two axes; shape (n, ndim, ndim)."""
    places = objects.places_in_units
    ndim = len(places)
    centred = [p - (objects.sum(p) / objects.counts)[objects.owner] for p in places]
    spread = np.zeros((len(objects), ndim, ndim))
    for i in range(ndim):
        for j in range(i + 1):
            spread[:, i, j] = spread[:, j, i] = objects.sum(centred[i] * centred[j]) / objects.counts
    return spread


def _ellipse(spread: NDArray[np.float64]) -> Columns:
    """Read the ellipse off the covariance, as scikit-image does."""
    low, high = np.clip(np.linalg.eigvalsh(spread), 0, None).T
    y, x, yx = spread[:, 0, 0], spread[:, 1, 1], spread[:, 0, 1]
    level = np.where(yx > 0, np.pi / 4, np.where(yx < 0, -np.pi / 4, 0.0))
    angle = np.where(y == x, level, 0.5 * np.arctan2(2 * yx, y - x))
    return {
        "MajorAxisLength": 4 * np.sqrt(high),
        "MinorAxisLength": 4 * np.sqrt(low),
        "Eccentricity": np.sqrt(1 - np.divide(low, high, out=np.ones_like(low), where=high > 0)),
        "Orientation": np.degrees(angle),
    }


def _radii(objects: Objects) -> Columns:
    """Read the radii off the distances to the outside."""
    depth = objects.depth
    ordered = depth[np.lexsort((depth, objects.owner))]
    counts, starts = objects.counts, objects.starts
    lower, upper = ordered[starts + (counts - 1) // 2], ordered[starts + counts // 2]
    edge = objects.scene.shortest
    return {
        "MaximumRadius": objects.largest(depth) * edge,
        "MeanRadius": objects.sum(depth) / counts * edge,
        "MedianRadius": (lower + upper) / 2 * edge,
    }


def _outline(objects: Objects, size: NDArray) -> Columns:
    """Measure the outline and the convex hull of plane objects."""
    from teasel.measurement.kernels.perimeter import perimeters

    edges = objects.scene.edges
    perimeter = perimeters(objects)
    rows = row_ends(objects.owner, *objects.places)
    convex = hull_areas(rows, len(objects))
    owner, y, x = hull_corners(rows)
    least, greatest = feret_diameters(owner, y * edges[0], x * edges[1], len(objects))
    round_ = 4 * np.pi * size
    return {
        "Perimeter": perimeter,
        "FormFactor": np.divide(round_, perimeter**2, out=np.full(len(size), np.nan), where=perimeter > 0),
        "Compactness": perimeter**2 / round_,
        "ConvexArea": convex * float(np.prod(edges)),
        "Solidity": objects.counts / convex,
        "MinFeretDiameter": least,
        "MaxFeretDiameter": greatest,
    }


def _hull_volumes(objects: Objects) -> NDArray[np.int64]:
    """Count the voxels whose centre lies in the convex hull of each object's voxels, as scikit-image does."""
    from teasel.measurement.kernels.hull_volume import hull_volume

    parts = np.split(objects.places, objects.starts[1:], axis=1) if len(objects) else []
    return np.array([hull_volume(part) for part in parts], np.int64)


def _places(objects: Objects) -> Columns:
    """Say where each object is."""
    scene = objects.scene
    columns: Columns = {}
    for i, axis in enumerate(scene.axes):
        edge, letter = scene.edges[i], axis.upper()
        columns[f"AreaShape_Center_{letter}"] = scene.centroids[objects.rows, i] * edge
        columns[f"AreaShape_BoundingBoxMinimum_{letter}"] = scene.lows[objects.rows, i] * edge
        columns[f"AreaShape_BoundingBoxMaximum_{letter}"] = scene.highs[objects.rows, i] * edge
    return columns
