"""What each pixel should predict, so that objects can be read back: one file per answer.

A representation is a pair of functions: `encode` takes labels and gives the fields a network should predict,
`decode` takes predicted fields and gives labels with a score per object; a `PointRepresentation` is the same pair
with points in place of labels. Every subclass of either in a file of this folder is a member, found by itself; an
outside package adds one of labels through the entry-point group ``teasel.representations``. `names` lists those of
labels, `find` gives the class, `build` makes one from plain parameters. Files here are numpy and scipy only; loops
that need a compiler live in ``kernels/`` and are imported when a member first needs them.
"""

from __future__ import annotations

from teasel.representations._base import (
    Decoded,
    DecodedPoints,
    Fields,
    Head,
    PointRepresentation,
    Representation,
)
from teasel.representations._registry import build, find, names

__all__ = [
    "Decoded",
    "DecodedPoints",
    "Fields",
    "Head",
    "PointRepresentation",
    "Representation",
    "build",
    "find",
    "names",
]
