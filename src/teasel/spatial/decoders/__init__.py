"""Vectors of intensities to codewords, one decoder a file.

Takes one vector per spot or pixel, (n, n_bits), and a `Codebook`; gives a word and a score each (`Decoded`). A decoder
is a frozen dataclass with `fit` (scales and noise from a sample over fields) and `decode`; the folder is scanned for
them. How many calls are false is told by blanks, in `teasel.spatial.fdr`.
"""

from __future__ import annotations

from teasel.spatial.decoders._base import Decoded, Decoder, Fit
from teasel.spatial.decoders._registry import build_decoder, decoders
from teasel.spatial.decoders.mixture import Mixture
from teasel.spatial.decoders.nearest import Nearest
from teasel.spatial.decoders.pixel import PixelVector
from teasel.spatial.decoders.scale import fit_scales

__all__ = [
    "Decoded",
    "Decoder",
    "Fit",
    "Mixture",
    "Nearest",
    "PixelVector",
    "build_decoder",
    "decoders",
    "fit_scales",
]
