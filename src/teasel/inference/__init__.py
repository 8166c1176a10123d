"""Running a model over an image of any size: object size, tiles, blocks.

Takes a `teasel.models.Model` and an image plane or a stack of planes; gives fields (`predict`), an object size
(`estimate_diameter`) or labels with scores (`segment_plane`, `segment_stack`). Memory is bounded by the block, not by
the image; labels do not depend on the tile size.
"""

from __future__ import annotations

from teasel.inference.blocks import PlaneResult, segment_plane
from teasel.inference.plane import Plane
from teasel.inference.predict import TILE_PX, predict
from teasel.inference.scale import estimate_diameter
from teasel.inference.solid import segment_stack
from teasel.inference.stack import Stack

__all__ = [
    "TILE_PX",
    "Plane",
    "PlaneResult",
    "Stack",
    "estimate_diameter",
    "predict",
    "segment_plane",
    "segment_stack",
]
