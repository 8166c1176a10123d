"""Every pixel to its nearest codeword by direction; pixels of one word that touch are one molecule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import ArrayLike

from teasel.errors import ParameterError
from teasel.spatial.codebook import Codebook
from teasel.spatial.decoders._base import Decoded, Decoder, Fit
from teasel.spatial.decoders.nearest import nearest_direction
from teasel.spatial.decoders.scale import fit_scales

__all__ = ["PixelVector"]


@dataclass(frozen=True)
class PixelVector(Decoder):
    """The word of the nearest direction, pixel by pixel, after the bits' scales were optimised over fields.

    Parameters
    ----------
    max_distance : float
        Pixels further from every word, both of length 1, are background; in (0, sqrt(2)). The usual 0.5167 lies
        halfway to a word of four bits with one bit missing.
    min_area_px : int
        Smallest group of pixels that is kept; what is better is left to the error rate.

    References
    ----------
    Emanuel, Eichhorn, Zhuang: MERlin, doi:10.5281/zenodo.3758540.
    """

    name: ClassVar[str] = "pixel"
    pixelwise: ClassVar[bool] = True
    max_distance: float = 0.5167
    min_area_px: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.max_distance < 2**0.5:
            raise ParameterError(f"max_distance is {self.max_distance}; expected a number in (0, 1.414)")

    def fit(self, vectors: ArrayLike, codebook: Codebook) -> Fit:
        """Find the scale of each bit."""
        return {"scales": fit_scales(vectors, codebook, max_distance=self.max_distance)}

    def decode(self, vectors: ArrayLike, codebook: Codebook, fit: Fit) -> Decoded:
        """Choose the nearest direction; -1 beyond `max_distance`."""
        found = nearest_direction(vectors, codebook, fit)
        far = ~(found.distance < self.max_distance)
        word = found.word.copy()
        word[far] = -1
        return Decoded(word, found.score, found.distance, found.intensity)
