"""What a simulated field holds before light meets it: cells, nuclei, and how deep each pixel lies in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from teasel.representations.cleaning import largest_parts
from teasel.representations.grid import inner_boundary
from teasel.training.simulation.fields import Floats, blur

__all__ = ["Anatomy", "make_nuclei"]


@dataclass(frozen=True)
class Anatomy:
    """Cells and nuclei of one field.

    Parameters
    ----------
    labels : ndarray of int32, shape (y, x)
        Whole cells 1 .. n, each connected; 0 is background.
    nuclei : ndarray of int32, shape (y, x)
        Nuclei, each inside its cell and with its number.
    depth : ndarray of float32, shape (y, x)
        0 at the outer border of a cell and in the background, 1 at the point it grew from.
    nuclear_depth : ndarray of float32, shape (y, x)
        The same of nuclei.
    is_round : ndarray of bool, shape (n,)
        Cells that are round and thick.
    diameter_px : float
        Diameter of a typical cell.
    """

    labels: NDArray[np.int32]
    nuclei: NDArray[np.int32]
    depth: Floats
    nuclear_depth: Floats
    is_round: NDArray[np.bool_]
    diameter_px: float

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.is_round)

    @cached_property
    def rim(self) -> Floats:
        """1 on pixels at a cell's border, 0 elsewhere."""
        return inner_boundary(self.labels).astype(np.float32)

    @cached_property
    def seams(self) -> Floats:
        """1 on border pixels that touch another cell, 0 elsewhere."""
        seam = np.zeros(self.labels.shape, np.float32)
        for axis in (0, 1):
            a, mark = np.moveaxis(self.labels, axis, 0), np.moveaxis(seam, axis, 0)
            met = (a[1:] != a[:-1]) & (a[1:] > 0) & (a[:-1] > 0)
            mark[1:][met] = 1
            mark[:-1][met] = 1
        return seam

    def inside(self, sigma_px: float) -> Floats:
        """Return the cells' area with borders softened."""
        return blur((self.labels > 0).astype(np.float32), sigma_px)

    def per_cell(self, values: NDArray[np.floating], background: float = 0.0) -> Floats:
        """Spread one value per cell over its pixels."""
        return np.r_[background, values].astype(np.float32)[self.labels]


def make_nuclei(
    labels: NDArray[np.int32],
    depth: Floats,
    points: Floats,
    angles: NDArray[np.floating],
    *,
    share: float,
    missing: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], Floats]:
    """Put a nucleus into each cell: an ellipse along the cell, a little off its middle, cut to the cell's inside.

    Parameters
    ----------
    labels, depth : ndarray, shape (y, x)
        As in `Anatomy`.
    points : ndarray, shape (n, 2)
        Where each cell grew from.
    angles : ndarray, shape (n,)
        Direction of each cell's long axis, radians from x towards y.
    share : float
        Area of a nucleus over that of its cell.
    missing : ndarray of bool, shape (n,)
        Cells that get none.
    rng : Generator
        Source of chance.

    Returns
    -------
    nuclei : ndarray of int32, shape (y, x)
    nuclear_depth : ndarray of float32, shape (y, x)
    """
    nuclei, found = np.zeros_like(labels), np.zeros(labels.shape, np.float32)
    areas = np.bincount(labels.ravel(), minlength=len(points) + 1)[1:]
    usual = float(np.median(areas)) if len(areas) else 0.0
    for i in np.flatnonzero(~missing):
        area = share * np.exp(rng.normal(0, 0.15)) * (0.5 * areas[i] + 0.5 * usual)  # nuclei vary less than cells
        radius = float(np.sqrt(area / np.pi))
        stretch, tilt = rng.uniform(1.0, 1.8) ** 0.5, angles[i] + rng.normal(0, 0.3)
        middle = points[i] + rng.normal(0, 0.12, 2) * radius
        reach = radius * stretch + 1
        low = np.maximum(0, np.floor(middle - reach)).astype(int)
        high = np.minimum(labels.shape, np.ceil(middle + reach) + 1).astype(int)
        if radius < 1.5 or np.any(high <= low):
            continue
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        y = (np.arange(low[0], high[0])[:, None] - middle[0]).astype(np.float32)
        x = (np.arange(low[1], high[1]) - middle[1]).astype(np.float32)
        c, s = float(np.cos(tilt)), float(np.sin(tilt))
        along = (c / radius / stretch * x) + (s / radius / stretch * y)
        across = (c / radius * stretch * y) - (s / radius * stretch * x)
        squared = along**2 + across**2
        squared += rng.uniform(0, 0.2) * _three_waves(along, across, squared, rng.uniform(0, 6))
        mine = (squared < 1) & (labels[box] == i + 1) & (depth[box] > 0.06)
        nuclei[box][mine] = i + 1
        found[box][mine] = (1 - squared[mine]).astype(np.float32)
    whole = largest_parts(nuclei) > 0  # what a neighbour cuts off is no second nucleus
    return np.where(whole, nuclei, 0), np.where(whole, found, 0)


def _three_waves(along: Floats, across: Floats, squared: Floats, phase: float) -> Floats:
    """Return cos(3 angle + phase) by the formula for three times an angle; `squared` is the squared distance."""
    cosine, sine = along * (along**2 - 3 * across**2), across * (3 * along**2 - across**2)
    waves = float(np.cos(phase)) * cosine - float(np.sin(phase)) * sine
    return np.asarray(waves / np.maximum(squared, 1e-6) ** 1.5, np.float32)
