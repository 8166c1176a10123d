"""Radial symmetry: a spot is where the gradients around it point to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.detectors._filtering import FilteringDetector, Sigmas
from teasel.spatial.detectors.dog import DifferenceOfGaussians

__all__ = ["RadialSymmetry"]

RADIUS = 2.0  # of the window around a maximum, in widths


@dataclass(frozen=True)
class RadialSymmetry(FilteringDetector):
    """Maxima of a difference of Gaussians, placed at the point nearest to all gradient lines around.

    Along each axis lengths are counted in widths of the spot, so that an anisotropic spot is round.

    References
    ----------
    Parthasarathy 2012, doi:10.1038/nmeth.2071; Bahry et al. 2022, doi:10.1038/s41592-022-01669-y (RS-FISH).
    """

    name: ClassVar[str] = "radial"

    def respond(self, image: NDArray[np.float32], sigmas: Sigmas) -> NDArray[np.float32]:
        """Answer like a difference of Gaussians."""
        return DifferenceOfGaussians().respond(image, sigmas)

    def refine(
        self, image: NDArray[np.float32], response: NDArray[np.float32], pixels: NDArray[np.int64], sigmas: Sigmas
    ) -> NDArray[np.float64]:
        """Solve, for each maximum, for the point with the least squared distance to the gradient lines.

        Each line counts by the gradient's square over its distance, as far steps say less. Where the lines do not
        meet within one and a half pixels, the parabola's place is kept.
        """
        from scipy.ndimage import gaussian_filter

        ndim, widths = image.ndim, np.array(sigmas)
        smooth = gaussian_filter(image, [0.5 * s for s in sigmas], mode="mirror")
        radius = [max(1, round(RADIUS * s)) for s in sigmas]
        steps = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in radius), indexing="ij"), -1).reshape(-1, ndim)
        steps = steps[((steps / np.maximum(radius, 1)) ** 2).sum(1) <= 1.01]
        gradients = [np.gradient(smooth, axis=a) if image.shape[a] > 1 else np.zeros_like(smooth) for a in range(ndim)]
        place = np.clip(pixels[:, None] + steps, 0, np.array(image.shape) - 1)  # (n, window, ndim)
        at = tuple(np.moveaxis(place, -1, 0))
        slope = np.stack([g[at] for g in gradients], -1).astype(np.float64) * widths  # per width
        away = (place - pixels[:, None]) / widths
        size = np.linalg.norm(slope, axis=-1)
        direction = slope / np.maximum(size, 1e-12)[..., None]
        weight = size**2 / np.maximum(np.linalg.norm(away, axis=-1), 0.5)
        across = (
            np.eye(ndim) - direction[..., :, None] * direction[..., None, :]
        )  # distance to a line, (n, window, d, d)
        matrix = (weight[..., None, None] * across).sum(1)
        target = (weight[..., None, None] * across @ away[..., None]).sum(1)
        scale = np.trace(matrix, axis1=1, axis2=2)[:, None, None]
        moved = np.linalg.solve(matrix + 1e-9 * (scale + 1e-12) * np.eye(ndim), target)[..., 0] * widths
        kept = (np.abs(moved) <= 1.5).all(1)
        return np.where(kept[:, None], moved, super().refine(image, response, pixels, sigmas))
