"""Zernike moments: the shape of an object as a sum of waves on the circle around it."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from teasel.errors import ParameterError
from teasel.measurement.features._base import Columns, Family
from teasel.measurement.kernels.circle import smallest_circles
from teasel.measurement.kernels.hull import hull_corners, row_ends
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Zernike"]


@dataclass(frozen=True)
class Zernike(Family):
    """Magnitudes of the Zernike moments of plane objects, within the smallest circle around the pixel centres.

    Parameters
    ----------
    degree : int
        Up to which degree, 0 or more.

    References
    ----------
    Boland et al., Automated recognition of patterns characteristic of subcellular structures (1998),
    doi:10.1002/(SICI)1097-0320(19981101)33:3<366::AID-CYTO12>3.0.CO;2-R.
    """

    name: ClassVar[str] = "zernike"
    compartments: ClassVar[tuple[str, ...]] = ("object", "cell", "nucleus")
    degree: int = 9

    def __post_init__(self) -> None:
        if not 0 <= self.degree <= 30:
            raise ParameterError(f"zernike: degree is {self.degree}; expected 0 to 30")

    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List the moments; none in volumes."""
        if scene.ndim != 2:
            return ()
        text = "Magnitude of the Zernike moment of degree {} and order {} of the shape."
        return tuple(self._feature(f"AreaShape_Zernike_{n}_{m}", text.format(n, m)) for n, m in self._pairs())

    def measure(self, objects: Objects) -> Columns:
        """Measure the moments."""
        if objects.scene.ndim != 2:
            return {}
        edges = objects.scene.edges
        owner, y, x = hull_corners(row_ends(objects.owner, *objects.places))
        centres, radii = smallest_circles(owner, np.stack([y * edges[0], x * edges[1]]), len(objects))
        scale = np.where(radii > 0, radii, 1.0)[objects.owner]
        v, u = ((p - c[objects.owner]) / scale for p, c in zip(objects.places_in_units, centres.T, strict=True))
        area = np.pi * radii**2
        sums = self._sums(objects, u, v)
        columns = {}
        for n, m in self._pairs():
            total = np.zeros(len(objects), complex)
            for power, weight in _radial(n, m).items():
                total += weight * sums[m, power]
            size = np.hypot(total.real, total.imag) * float(np.prod(edges))
            columns[f"AreaShape_Zernike_{n}_{m}"] = np.divide(
                size, area, out=np.full(len(objects), np.nan), where=area > 0
            )
        return columns

    def _pairs(self) -> list[tuple[int, int]]:
        return [(n, m) for n in range(self.degree + 1) for m in range(n % 2, n + 1, 2)]

    def _sums(self, objects: Objects, u: np.ndarray, v: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
        """Return the sums of ``(v + iu)**m * r**(2k)`` over each object, of which every moment is made."""
        square = u**2 + v**2
        sums = {}
        real, imaginary = np.ones_like(u), np.zeros_like(u)
        for m in range(self.degree + 1):
            re, im = real, imaginary
            for power in range((self.degree - m) // 2 + 1):
                sums[m, power] = objects.sum(re) + 1j * objects.sum(im)
                re, im = re * square, im * square
            real, imaginary = real * v - imaginary * u, real * u + imaginary * v
        return sums


def _radial(n: int, m: int) -> dict[int, float]:
    """Return the coefficients of the radial polynomial, by the power of r squared beyond r**m."""
    half, other = (n + m) // 2, (n - m) // 2
    return {
        other - k: (-1) ** k * factorial(n - k) / (factorial(k) * factorial(half - k) * factorial(other - k))
        for k in range(other + 1)
    }
