"""Which families of features are asked for, and how their columns are told apart by compartment."""

from __future__ import annotations

from collections.abc import Sequence

from teasel.errors import ParameterError
from teasel.measurement.features import Family, find, names

__all__ = ["PREFIXES", "choose_families"]

PREFIXES = {"object": "", "cell": "Cells_", "nucleus": "Nuclei_", "cytoplasm": "Cytoplasm_"}
"""What the names of features begin with, by compartment."""


def choose_families(families: Sequence[str | Family] | None) -> tuple[Family, ...]:
    """Build the families asked for, in the order of their columns; all if none is named.

    Raises
    ------
    ParameterError
        If there is no family of a name, or the list is empty.

    Examples
    --------
    >>> [family.name for family in choose_families(["intensity", "shape"])]
    ['shape', 'intensity']
    """
    if isinstance(families, str):
        families = (families,)
    asked = [f if isinstance(f, Family) else find(f)() for f in (names() if families is None else families)]
    if not asked:
        raise ParameterError(f"no family of features to measure; there are: {', '.join(names())}")
    order = names()
    return tuple(sorted({f.name: f for f in asked}.values(), key=lambda f: order.index(f.name)))
