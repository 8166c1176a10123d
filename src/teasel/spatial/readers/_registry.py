"""Which readers there are, and which one knows a file."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

from teasel.errors import FormatError, InputNotFound, ParameterError
from teasel.spatial.readers._base import Reader

__all__ = ["choose", "readers"]


def readers() -> dict[str, Reader]:
    """Return every reader by its name.

    Examples
    --------
    >>> sorted(readers())
    ['cosmx', 'imagej', 'iss', 'merlin', 'merscope', 'starfish', 'trackmate', 'xenium']
    """
    found: dict[str, Reader] = {}
    for entry in pkgutil.iter_modules(import_module("teasel.spatial.readers").__path__):
        if not entry.name.startswith("_"):
            module = import_module(f"teasel.spatial.readers.{entry.name}")
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, Reader) and value.__module__ == module.__name__:
                    found[value.name] = value()
    return found


def choose(source: Path, name: str | None) -> Reader:
    """Return the reader asked for, or the one that knows the file.

    Raises
    ------
    InputNotFound
        If there is no such file.
    FormatError
        If no reader knows it.
    ParameterError
        If there is no such reader.
    """
    if not source.is_file():
        raise InputNotFound(f"there is no file {source}")
    known = readers()
    if name is not None:
        if name not in known:
            raise ParameterError(f"no reader {name!r}; there are: {', '.join(sorted(known))}")
        return known[name]
    fitting = [one for one in known.values() if source.name.lower().endswith(one.suffixes)]
    for one in sorted(fitting, key=lambda one: -one.priority):
        if one.sniff(source):
            return one
    raise FormatError(f"{source.name} is of no known kind; known are: {', '.join(sorted(known))}. Ask for one by name")
