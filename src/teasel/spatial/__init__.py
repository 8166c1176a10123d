"""Spatial transcriptomics: from images of rounds and channels to spots, genes and cells.

Takes images (`teasel.images.Image`) and label images; gives `Spots`, the one table that finding, decoding and
assigning pass on: positions in pixels and one value per spot in each column, kept as CSV or Parquet. Detectors are
one file each in ``detectors/``, the spot simulator that trains and judges them lies in ``simulation/``.
"""

from __future__ import annotations

from teasel.spatial.find import find_spots
from teasel.spatial.spots import Spots

__all__ = ["Spots", "find_spots"]
