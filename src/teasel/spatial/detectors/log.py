"""Laplacian of Gaussian: the matched filter of a blurred point on a smooth background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.detectors._filtering import TRUNCATE, FilteringDetector, Sigmas

__all__ = ["LaplacianOfGaussian"]


@dataclass(frozen=True)
class LaplacianOfGaussian(FilteringDetector):
    """Laplacian of Gaussian (LoG) with maxima refined by parabolas.

    References
    ----------
    Marr and Hildreth 1980, doi:10.1098/rspb.1980.0020; Raj et al. 2008, doi:10.1038/nmeth.1253 (for single RNAs).
    """

    name: ClassVar[str] = "log"

    def respond(self, image: NDArray[np.float32], sigmas: Sigmas) -> NDArray[np.float32]:
        """Sum over axes of the second derivative after blurring, times the variance along the axis, negative."""
        from scipy.ndimage import gaussian_filter

        total = np.zeros(image.shape, np.float32)
        for axis, sigma in enumerate(sigmas):
            order = [2 if a == axis else 0 for a in range(image.ndim)]
            total -= np.float32(sigma**2) * gaussian_filter(image, sigmas, order, mode="mirror", truncate=TRUNCATE)
        return total
