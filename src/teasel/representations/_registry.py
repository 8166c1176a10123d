"""Finds the members of this folder and of outside packages, and builds them from plain parameters."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from teasel.errors import ParameterError
from teasel.representations._base import PointRepresentation, Representation

__all__ = ["build", "find", "names"]

GROUP = "teasel.representations"


def names() -> tuple[str, ...]:
    """List every representation of labels that can be used here.

    Those of points (`PointRepresentation`) are found and built by name, but not listed: what takes labels cannot use
    them.

    Returns
    -------
    tuple of str
        Sorted names: the members of this folder and those that outside packages register.

    Examples
    --------
    >>> "star" in names()
    True
    """
    ours = {name for name, member in _members(_modules()).items() if issubclass(member, Representation)}
    return tuple(sorted({*ours, *_outside()}))


def find(name: str) -> type[Representation] | type[PointRepresentation]:
    """Give the class of a representation by its name.

    Only the file of that name is imported, or the one entry point.

    Parameters
    ----------
    name : str
        As listed by `names`.

    Returns
    -------
    type
        A frozen dataclass; its fields are the method's parameters.

    Raises
    ------
    ParameterError
        If there is no such representation, or an outside package claims the name of one that is built in.

    Examples
    --------
    >>> find("star").name
    'star'
    """
    modules = _modules()
    builtin = _members([name] if name in modules else []) or _members(modules)
    outside = _outside()
    if name in builtin:
        if name in outside:
            raise ParameterError(
                f"representation {name!r} is built in, but {outside[name].value} registers the same name; "
                f"rename it there or uninstall that package"
            )
        return builtin[name]
    if name in outside:
        return _load(outside[name])
    raise ParameterError(f"no representation {name!r}{_nearest(name, names())}; there are: {', '.join(names())}")


def build(name: str, params: Mapping[str, Any] | None = None) -> Any:
    """Make a representation from its name and plain parameters, as a file holds them.

    Parameters
    ----------
    name : str
        As listed by `names`.
    params : mapping, optional
        Values for the fields of its class; lists stand for tuples and mappings for nested dataclasses, so
        that what `dataclasses.asdict` gives, through JSON or YAML, builds the same object again.

    Returns
    -------
    Representation or PointRepresentation

    Raises
    ------
    ParameterError
        If the name or a parameter is unknown, or a value is of the wrong type or out of range.

    Examples
    --------
    >>> build("star", {"n_rays": 16}).n_rays
    16
    """
    return _fill(find(name), name, params or {})


def _modules() -> list[str]:
    """Names of the files of this folder that may hold a member."""
    found = pkgutil.iter_modules(import_module("teasel.representations").__path__)
    return sorted(m.name for m in found if not m.ispkg and not m.name.startswith("_"))


def _members(modules: Iterable[str]) -> dict[str, type[Representation] | type[PointRepresentation]]:
    """Representation classes defined in those files, by name."""
    members: dict[str, type[Representation] | type[PointRepresentation]] = {}
    for module in (import_module(f"teasel.representations.{m}") for m in modules):
        for value in vars(module).values():
            kind = isinstance(value, type) and issubclass(value, Representation | PointRepresentation)
            if kind and value.__module__ == module.__name__:
                members[value.name] = value
    return members


def _outside() -> dict[str, EntryPoint]:
    """Entry points of outside packages, by name; not imported."""
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(point: EntryPoint) -> type[Representation]:
    """Import what an entry point names and check that it is a representation."""
    value = point.load()
    if not (isinstance(value, type) and issubclass(value, Representation)):
        raise ParameterError(
            f"entry point {point.name!r} of group {GROUP} gives {value!r}; expected a subclass of Representation"
        )
    return value


def _fill(cls: Any, owner: str, params: Mapping[str, Any]) -> Any:
    """Build a dataclass from plain values, refusing unknown keys."""
    known = {f.name: f for f in fields(cls)}
    for key in params:
        if key not in known:
            raise ParameterError(
                f"{owner} has no parameter {key!r}{_nearest(str(key), known)}; it has: {', '.join(known) or 'none'}"
            )
    return cls(**{key: _convert(value, known[key], f"{owner}.{key}") for key, value in params.items()})


def _convert(value: Any, field: Any, owner: str) -> Any:
    """Turn a plain value into what the field holds, going by the type of its default."""
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    if is_dataclass(default) and isinstance(value, Mapping):
        return _fill(type(default), owner, value)
    if isinstance(value, list):
        value = _freeze(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if default is not MISSING and default is not None and type(value) is not type(default):
        raise ParameterError(f"{owner} is {value!r}; expected a {type(default).__name__} such as {default!r}")
    return value


def _freeze(value: Any) -> Any:
    """Lists, however deep, as tuples."""
    return tuple(_freeze(v) for v in value) if isinstance(value, list | tuple) else value


def _nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
