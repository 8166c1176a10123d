"""Rounds and channels onto one grid: by fiducials, by a stain, or by the spots themselves.

Takes one image per round; gives an `Alignment` each: the map from the first round into this one (a shift, an affine
map, or a smooth local field), and how many pixels are left after it. Drift beyond a stated bound is an error.
"""

from __future__ import annotations

from teasel.spatial.register.chromatic import BitOffsets, measure_offsets
from teasel.spatial.register.rounds import MODELS, Alignment, Registration, align, register_rounds
from teasel.spatial.register.shift import bandpass, find_shift
from teasel.spatial.register.transform import LocalShifts, Transform, warp

__all__ = [
    "MODELS",
    "Alignment",
    "BitOffsets",
    "LocalShifts",
    "Registration",
    "Transform",
    "align",
    "bandpass",
    "find_shift",
    "measure_offsets",
    "register_rounds",
    "warp",
]
