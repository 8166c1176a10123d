"""What can be measured: one family of features per file, found by themselves.

A family is a frozen dataclass derived from `Family`; its fields are its parameters. It takes the objects of a tile and
gives a column of numbers per feature, and says of each feature what it is and in which unit.
"""

from __future__ import annotations

from teasel.measurement.features._base import Family
from teasel.measurement.features._registry import find, names

__all__ = ["Family", "find", "names"]
