"""Layouts: where cells lie and how they share the ground, grown from points until they meet."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from teasel.representations.cleaning import clean
from teasel.training.simulation.anatomy import Anatomy, make_nuclei
from teasel.training.simulation.fields import Floats, smooth_noise
from teasel.training.simulation.shapes import Shape, border

__all__ = ["Layout"]

Range = tuple[float, float]
_BODY = Shape(elongation=(1.0, 1.15), waviness=0.03)
SMALLEST_SHARE = 0.12
"""Cells that others leave less than this share of the usual area are dropped."""


@dataclass(frozen=True)
class Layout:
    """How cells are spread over a field; ranges are drawn from anew for every scene.

    Every cell grows from its point in its own metric: along its long axis, into its processes, faster over ground a
    random level-set field favours. Where two meet they share a border; a smooth warp bends all of it.

    Parameters
    ----------
    diameter_px : tuple of float
        Equivalent diameter of a typical cell.
    spread : tuple of float
        Deviation of the logarithm of diameters within a scene.
    cover : tuple of float
        Summed area of free cells over the area of the field; from about 1.3 the field is full.
    clumping : tuple of float
        Share of cells that are put beside another one.
    shape : Shape
        Outlines.
    alignment : tuple of float
        How far cells share a direction: 0 not at all, 1 fully.
    round_share : tuple of float
        Share of cells that are round and thick: dividing, dying or not yet spread.
    raggedness : tuple of float
        Deviation of the level-set field that roughens borders, in radii.
    warp : tuple of float
        Deviation of the warp, in diameters.
    gaps : tuple of float
        Share of the field in which no cell begins: wounds, stroma, lumen.
    nucleus_share : tuple of float
        Area of a nucleus over that of its cell.
    without_nucleus : tuple of float
        Share of cells whose nucleus lies outside the plane.
    """

    diameter_px: Range = (26.0, 56.0)
    spread: Range = (0.1, 0.35)
    cover: Range = (0.15, 0.9)
    clumping: Range = (0.0, 0.7)
    shape: Shape = field(default_factory=Shape)
    alignment: Range = (0.0, 0.8)
    round_share: Range = (0.0, 0.15)
    raggedness: Range = (0.0, 0.1)
    warp: Range = (0.0, 0.12)
    gaps: Range = (0.0, 0.0)
    nucleus_share: Range = (0.12, 0.4)
    without_nucleus: Range = (0.0, 0.1)

    def draw(self, size_px: int, rng: np.random.Generator) -> Anatomy:
        """Draw cells and nuclei on a square field of `size_px` pixels."""
        diameter = float(np.exp(rng.uniform(*np.log(self.diameter_px))))
        spread = rng.uniform(*self.spread)
        shape = (size_px, size_px)
        points, radii = self._seeds(size_px, diameter, spread, rng)
        n = len(points)
        is_round = rng.random(n) < rng.uniform(*self.round_share)
        radii = np.where(is_round, 0.55 * diameter * np.exp(rng.normal(0, 0.12, n)) / 2, radii)
        common, aligned = rng.uniform(0, np.pi), rng.uniform(*self.alignment)
        angles = common + rng.normal(0, 1, n) * np.pi / 2 * (1 - aligned)
        warp = [smooth_noise(shape, diameter / 2, rng) * rng.uniform(*self.warp) * diameter for _ in range(2)]
        bend = 3 * float(np.abs(warp[0]).mean())
        level = smooth_noise(shape, max(4.0, diameter / 6), rng) * np.float32(rng.uniform(*self.raggedness))
        distance, raw = np.ones(shape, np.float32), np.zeros(shape, np.int32)
        elongation, radius = self.shape.draw(n, rng)
        bodies = _BODY.draw(n, rng)
        elongation = np.where(is_round, bodies[0], elongation)
        radius = np.where(is_round[:, None], bodies[1], radius)
        for i in range(n):
            outline = (float(elongation[i]), radius[i])
            _grow(i + 1, points[i], float(radii[i]), float(angles[i]), outline, warp, bend, level, distance, raw)
        smallest = max(16, int(SMALLEST_SHARE * np.pi / 4 * diameter**2))
        labels = clean(raw, min_area=smallest).astype(np.int32)
        kept = _origins(labels, raw)  # which seed each label came from
        distance[labels == 0] = 1
        depth = 1 - distance
        nuclei, nuclear_depth = make_nuclei(
            labels,
            depth,
            points[kept],
            angles[kept],
            share=rng.uniform(*self.nucleus_share),
            missing=rng.random(len(kept)) < rng.uniform(*self.without_nucleus),
            rng=rng,
        )
        return Anatomy(labels, nuclei, depth, nuclear_depth, is_round[kept], diameter)

    def _seeds(self, size_px: int, diameter: float, spread: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw points and radii: apart from each other by about a radius, some beside a neighbour."""
        cover, clumping, gaps = (rng.uniform(*r) for r in (self.cover, self.clumping, self.gaps))
        margin = 0.6 * diameter
        wanted = max(1, round(cover * (size_px + 2 * margin) ** 2 / (np.pi / 4 * diameter**2)))
        ground = smooth_noise((64, 64), rng.uniform(12, 40), rng)
        floor = np.quantile(ground, gaps) if gaps > 0 else -np.inf
        radii = (diameter / 2 * np.exp(rng.normal(0, spread, wanted))).astype(np.float32)
        points = np.empty((wanted, 2), np.float32)
        taken = _Ground(size_px + 2 * margin, diameter / 8)
        count = 0
        for y, x, beside, which, turn in self._tries(8 * wanted, margin, size_px, rng):
            if count == wanted:
                break
            if count and beside < clumping:
                near = int(which * count)
                away = 0.85 * float(radii[near] + radii[count])
                y, x = float(points[near, 0]) + away * math.sin(turn), float(points[near, 1]) + away * math.cos(turn)
            if not (-margin < y < size_px + margin and -margin < x < size_px + margin):
                continue
            if taken.is_taken(y + margin, x + margin):
                continue
            if ground[int(min(max(y / size_px, 0), 1) * 63), int(min(max(x / size_px, 0), 1) * 63)] < floor:
                continue
            points[count] = y, x
            taken.take(y + margin, x + margin, 0.62 * (float(radii[count]) + diameter / 2))
            count += 1
        return points[:count], radii[:count]

    @staticmethod
    def _tries(count: int, margin: float, size_px: int, rng: np.random.Generator) -> list[list[float]]:
        """Draw what `count` tries need, all at once: y, x, two numbers in [0, 1), an angle."""
        low, high = (-margin, -margin, 0, 0, 0), (size_px + margin, size_px + margin, 1, 1, 2 * np.pi)
        tries: list[list[float]] = rng.uniform(low, high, (count, 5)).tolist()
        return tries


class _Ground:
    """A coarse map of where no further cell may begin, as one has begun too near."""

    def __init__(self, edge_px: float, step_px: float) -> None:
        n = int(edge_px / step_px) + 2
        self.step_px, self.map = step_px, np.zeros((n, n), bool)

    def is_taken(self, y: float, x: float) -> bool:
        """Tell whether a point lies too near to one before."""
        return bool(self.map[int(y / self.step_px), int(x / self.step_px)])

    def take(self, y: float, x: float, radius_px: float) -> None:
        """Close a disc."""
        y, x, r = y / self.step_px - 0.5, x / self.step_px - 0.5, radius_px / self.step_px
        top, left = max(0, int(y - r)), max(0, int(x - r))
        view = self.map[top : int(y + r) + 2, left : int(x + r) + 2]
        rows, columns = np.arange(view.shape[0])[:, None], np.arange(view.shape[1])
        view |= (rows + (top - y)) ** 2 + (columns + (left - x)) ** 2 < r * r


def _grow(
    number: int,
    point: Floats,
    radius: float,
    angle: float,
    outline: tuple[float, Floats],
    warp: list[Floats],
    bend: float,
    level: Floats,
    distance: Floats,
    labels: NDArray[np.int32],
) -> None:
    """Give a cell every pixel that is nearer to it than to others, in radii of each (in place)."""
    elongation, table = outline
    c, s = math.cos(angle), math.sin(angle)
    long, short = elongation**0.5, elongation**-0.5
    extent = np.array([math.hypot(long * s, short * c), math.hypot(long * c, short * s)])  # of the turned ellipse
    reach = radius * float(table.max()) * 1.15 * extent + bend + 2
    low = np.maximum(0, np.floor(point - reach)).astype(int)
    high = np.minimum(distance.shape, np.ceil(point + reach) + 1).astype(int)
    if np.any(high <= low):
        return
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    y = np.arange(low[0], high[0], dtype=np.float32)[:, None] - point[0] + warp[0][box]
    x = np.arange(low[1], high[1], dtype=np.float32)[None, :] - point[1] + warp[1][box]
    along = (np.float32(c / radius / long) * x) + (np.float32(s / radius / long) * y)
    across = (np.float32(c / radius / short) * y) - (np.float32(s / radius / short) * x)
    found = np.sqrt(along**2 + across**2) / border(table, along, across) * (1 + level[box])
    nearer = found < distance[box]
    distance[box][nearer] = found[nearer]
    labels[box][nearer] = number


def _origins(labels: NDArray[np.int32], raw: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return for each label 1 .. n the index of the seed it grew from; filled holes do not count."""
    inside = (labels > 0) & (raw > 0)
    origin = np.zeros(int(labels.max(initial=0)), np.intp)
    origin[labels[inside] - 1] = raw[inside] - 1
    return origin
