"""Walls of a stained tissue found without training: bright sheets, each as strong as its surroundings make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError

__all__ = ["Walls"]

TRUNCATE = 6
"""Gaussians end after so many standard deviations: sooner, an even brightness would have a curvature."""

_SLAB_VOXELS = 1 << 23


@dataclass(frozen=True)
class Walls:
    """Find bright sheets in a stack.

    Parameters
    ----------
    scales_px : tuple of float
        Standard deviations of the Gaussians that the stack is looked at through, in pixels along y and x, above 0; a
        wall is found best at about half its apparent thickness.
    contrast_px : int
        Radius of the box over which the usual strength of sheets is measured, in pixels; 1 or more. Faint walls in
        faint regions then count like bright ones in bright regions.
    anisotropy : float
        Distance between planes over the width of a pixel.

    Notes
    -----
    Strength of a sheet is the most negative curvature of the brightness (smallest eigenvalue of the Hessian), the
    strongest of all scales. A voxel's value is strength / (strength + mean strength around it): 0.5 where it is as
    strong as usual. Each voxel depends on a fixed neighbourhood.

    References
    ----------
    Sato et al. 1998, doi:10.1016/S1361-8415(98)80009-1 (sheets and lines by curvature).

    Examples
    --------
    >>> stack = np.zeros((20, 20, 20), np.float32)
    >>> stack[:, :, 9:11] = 100
    >>> found = Walls().find(stack)
    >>> int(found[10, 10, 10]) > 200, int(found[10, 10, 3]) < 20
    (True, True)
    """

    scales_px: tuple[float, ...] = (1.5, 2.5)
    contrast_px: int = 12
    anisotropy: float = 1.0

    def __post_init__(self) -> None:
        if not self.scales_px or not all(0 < scale < 50 for scale in self.scales_px):
            raise ParameterError(f"scales_px is {self.scales_px}; expected numbers above 0 and below 50")
        if self.contrast_px < 1:
            raise ParameterError(f"contrast_px is {self.contrast_px}; expected 1 or more")
        if not 0.1 <= self.anisotropy <= 30:
            raise ParameterError(f"anisotropy is {self.anisotropy}; expected 0.1 to 30")

    @classmethod
    def of_tissue(cls, thickness_px: float = 3.0, cell_diameter_px: float = 30.0, anisotropy: float = 1.0) -> Walls:
        """Choose scales and contrast for walls of about a thickness around cells of about a diameter.

        Examples
        --------
        >>> Walls.of_tissue() == Walls()
        True
        """
        return cls((thickness_px / 2, thickness_px / 1.2), max(1, round(0.4 * cell_diameter_px)), anisotropy)

    def find(
        self, stack: NDArray[np.generic], *, progress: Callable[[int, int], None] | None = None
    ) -> NDArray[np.uint8]:
        """Return how much of a wall each voxel is.

        Parameters
        ----------
        stack : ndarray, shape (z, y, x)
            Brightness; not finite becomes 0.
        progress : callable, optional
            Called as ``progress(planes done, planes in all)``.

        Returns
        -------
        ndarray of uint8, shape (z, y, x)
            0 inside cells, towards 255 on walls: a boundary map.

        Raises
        ------
        ShapeError
            If the stack has not three dimensions.

        Notes
        -----
        The stack is worked through in slabs of about 8 million voxels, so that beyond stack and result memory stays
        below 1 GB.
        """
        if stack.ndim != 3:
            raise ShapeError(f"the stack has shape {stack.shape}; expected (z, y, x)")
        margin = self._along_z(self.contrast_px) + int(
            np.ceil((TRUNCATE + 1) * max(0.5, max(self.scales_px) / self.anisotropy))
        )
        depth = stack.shape[0]
        step = max(1, _SLAB_VOXELS // max(1, stack.shape[1] * stack.shape[2]) - 2 * margin)
        result = np.empty(stack.shape, np.uint8)
        for start in range(0, depth, step):
            stop, low = min(start + step, depth), max(0, start - margin)
            found = self._slab(stack[low : min(depth, stop + margin)])
            result[start:stop] = found[start - low : stop - low]
            if progress is not None:
                progress(stop, depth)
        return result

    def _slab(self, stack: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Do a piece at once."""
        from scipy import ndimage

        values = np.nan_to_num(stack.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        strength = np.zeros(stack.shape, np.float32)
        for scale in self.scales_px:
            np.maximum(strength, -scale * scale * self._lowest_curvature(values, scale), out=strength)
        strength = np.maximum(strength - np.float32(1e-5) * np.abs(values), 0)  # rounding is no wall
        box = [2 * radius + 1 for radius in (self._along_z(self.contrast_px), self.contrast_px, self.contrast_px)]
        usual = ndimage.uniform_filter(strength, box, mode="nearest")
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(strength > 0, strength / (strength + np.maximum(usual, 0)), 0)
        return np.rint(255 * share).astype(np.uint8)

    def _along_z(self, length_px: float) -> int:
        """Return a length in planes."""
        return max(1, round(length_px / self.anisotropy))

    def _lowest_curvature(self, values: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
        """Return the smallest eigenvalue of the Hessian at one scale, per squared pixel."""
        from scipy import ndimage

        edges = (self.anisotropy, 1.0, 1.0)
        sigmas = [max(0.4, scale / edge) for edge in edges]

        def second(a: int, b: int) -> NDArray[np.float32]:
            order = [(axis == a) + (axis == b) for axis in range(3)]
            derivative = ndimage.gaussian_filter(values, sigmas, order=order, mode="nearest", truncate=TRUNCATE)
            return np.asarray(derivative / np.float32(edges[a] * edges[b]))

        return lowest_eigenvalue(*(second(a, b) for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))))


def lowest_eigenvalue(
    zz: NDArray[np.float32],
    yy: NDArray[np.float32],
    xx: NDArray[np.float32],
    zy: NDArray[np.float32],
    zx: NDArray[np.float32],
    yx: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the smallest eigenvalue of symmetric 3 x 3 matrices, given element by element, in closed form."""
    middle = (zz + yy + xx) / 3
    a, b, c = zz - middle, yy - middle, xx - middle
    size = np.sqrt((a * a + b * b + c * c + 2 * (zy * zy + zx * zx + yx * yx)) / 6)
    determinant = a * (b * c - yx * yx) - zy * (zy * c - yx * zx) + zx * (zy * yx - b * zx)
    cosine = np.clip(determinant / np.maximum(2 * size**3, 1e-30), -1, 1)
    angle = np.arccos(cosine) / 3
    return np.asarray(middle + 2 * size * np.cos(angle + 2 * np.pi / 3), np.float32)
