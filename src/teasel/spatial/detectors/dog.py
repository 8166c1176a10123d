"""Difference of Gaussians: the image blurred by a spot's width less the image blurred a little more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.detectors._filtering import TRUNCATE, FilteringDetector, Sigmas

__all__ = ["DifferenceOfGaussians"]

RATIO = 1.5


@dataclass(frozen=True)
class DifferenceOfGaussians(FilteringDetector):
    """Difference of Gaussians (DoG) with maxima refined by parabolas.

    References
    ----------
    Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94.
    """

    name: ClassVar[str] = "dog"

    def respond(self, image: NDArray[np.float32], sigmas: Sigmas) -> NDArray[np.float32]:
        """Blur by widths whose geometric mean is `sigmas` and subtract."""
        from scipy.ndimage import gaussian_filter

        fine, coarse = ([s * f for s in sigmas] for f in (RATIO**-0.5, RATIO**0.5))
        blurred = [gaussian_filter(image, s, mode="mirror", truncate=TRUNCATE) for s in (fine, coarse)]
        difference: NDArray[np.float32] = blurred[0] - blurred[1]
        return difference
