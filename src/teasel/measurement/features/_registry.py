"""Finds the families of this folder."""

from __future__ import annotations

import pkgutil
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module

from teasel.errors import ParameterError
from teasel.measurement.features._base import Family

__all__ = ["find", "names"]

_ORDER = ("shape", "zernike", "skeleton", "intensity", "radial_distribution", "texture", "granularity")


def names() -> tuple[str, ...]:
    """List the families, in the order in which their columns stand in a table.

    Examples
    --------
    >>> "intensity" in names()
    True
    """
    found = _members()
    return tuple(sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)))


def find(name: str) -> type[Family]:
    """Return the class of a family.

    Raises
    ------
    ParameterError
        If there is none of that name.

    Examples
    --------
    >>> find("intensity").name
    'intensity'
    """
    found = _members()
    if name not in found:
        near = get_close_matches(name, list(found), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"no family of features {name!r}{hint}; there are: {', '.join(names())}")
    return found[name]


@lru_cache
def _members() -> dict[str, type[Family]]:
    package = import_module("teasel.measurement.features")
    members: dict[str, type[Family]] = {}
    for found in pkgutil.iter_modules(package.__path__):
        if not found.name.startswith("_"):
            module = import_module(f"teasel.measurement.features.{found.name}")
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, Family) and value.__module__ == module.__name__:
                    members[value.name] = value
    return members
