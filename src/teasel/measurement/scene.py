"""What is known of the whole image before any object is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scene"]


@dataclass(frozen=True, eq=False)
class Scene:
    """One frame and one kind of object: what every family may rely on.

    Parameters
    ----------
    ndim : int
        2 or 3.
    channels : tuple of str
        Names of the channels, as they appear in the names of features.
    edges : tuple of float
        Edges of a voxel in `unit`, in the order ([z,] y, x).
    unit : str
        ``"um"``, or ``"px"`` where the voxel size is not known.
    compartment : str
        ``"object"``, ``"cell"``, ``"nucleus"`` or ``"cytoplasm"``.
    labels : ndarray of int64, shape (n,)
        Every object of the frame, ascending.
    areas : ndarray of int64, shape (n,)
        Their voxels.
    centroids : ndarray of float64, shape (n, ndim)
        Their centroids in voxels, in the order of `labels`.
    lows, highs : ndarray of int64, shape (n, ndim)
        First voxel of their bounding boxes, and the one after the last.
    grey_ranges : tuple of (float, float)
        The values that stand for black and white, for each channel.
    costes : dict of (int, int) to (float, float)
        Costes' thresholds for each pair of channels.
    child_counts, child_areas : ndarray of int64, shape (n,)
        Nuclei of each cell, and their voxels.
    child_centroids : ndarray of float64, shape (n, ndim)
        Centroid of each cell's nuclei in voxels; NaN without any.
    """

    ndim: int
    channels: tuple[str, ...]
    edges: tuple[float, ...]
    unit: str = "px"
    compartment: str = "object"
    labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    areas: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    centroids: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    lows: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    highs: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    grey_ranges: tuple[tuple[float, float], ...] = ()
    costes: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    child_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    child_areas: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    child_centroids: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))

    @property
    def axes(self) -> str:
        """Letters of the spatial axes, in order."""
        return "zyx"[3 - self.ndim :]

    @property
    def shortest(self) -> float:
        """Shortest edge of a voxel, in `unit`."""
        return min(self.edges)

    @property
    def proportions(self) -> tuple[float, ...]:
        """Edges of a voxel relative to the shortest: all 1 where voxels are cubes."""
        return tuple(edge / self.shortest for edge in self.edges)

    def units(self, power: int) -> str:
        """Return the name of a length, area or volume: ``um``, ``um2``, ``um3`` or ``px`` and so on."""
        return self.unit if power == 1 else f"{self.unit}{power}"

    @cached_property
    def nearest(self) -> dict[str, NDArray[np.float64]]:
        """The two nearest centroids of other objects for each object, how far they are, and the angle between them."""
        from scipy.spatial import cKDTree

        n = len(self.labels)
        names = ("FirstClosestDistance", "SecondClosestDistance", "AngleBetweenNeighbors")
        labels = ("FirstClosestObjectNumber", "SecondClosestObjectNumber")
        found = {name: np.full(n, np.nan) for name in (*names, *labels)}
        places = self.centroids * np.asarray(self.edges)
        ways = []
        if n < 2:
            return found
        known = min(n, 8)
        near = cKDTree(places).query(places, k=known)[1]  # (n, known)
        away = np.sqrt(((places[near] - places[:, None]) ** 2).sum(-1))
        away[near == np.arange(n)[:, None]] = -1  # itself, first even where another has the same centroid
        keys = tuple(places[near][..., axis] for axis in range(places.shape[1]))
        order = np.lexsort((*keys, away), axis=-1)  # equally near ones by their place, not by their label
        near, away = np.take_along_axis(near, order, 1), np.take_along_axis(away, order, 1)
        for k in range(1, min(known, 3)):
            found[names[k - 1]], found[labels[k - 1]] = away[:, k], self.labels[near[:, k]].astype(float)
            ways.append(places[near[:, k]] - places)
        if len(ways) == 2:
            product = away[:, 1] * away[:, 2]
            cosine = np.divide((ways[0] * ways[1]).sum(1), product, out=np.ones(n), where=product > 0)
            found["AngleBetweenNeighbors"] = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        return found
