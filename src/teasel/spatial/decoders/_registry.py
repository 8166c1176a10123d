"""Decoders by name: those of this folder, found by themselves."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from teasel.errors import ParameterError
from teasel.spatial.decoders._base import Decoder

__all__ = ["build_decoder", "decoders"]


def decoders() -> dict[str, type[Decoder]]:
    """Return every decoder class by its name.

    Examples
    --------
    >>> sorted(decoders())
    ['mixture', 'nearest', 'pixel']
    """
    found: dict[str, type[Decoder]] = {}
    for module in pkgutil.iter_modules(import_module("teasel.spatial.decoders").__path__):
        if not module.name.startswith("_"):
            for value in vars(import_module(f"teasel.spatial.decoders.{module.name}")).values():
                if isinstance(value, type) and issubclass(value, Decoder) and value is not Decoder:
                    found[value.name] = value
    return found


def build_decoder(name: str, parameters: Mapping[str, Any] | None = None) -> Decoder:
    """Build a decoder from its name and the values of its fields.

    Raises
    ------
    ParameterError
        If the name or a parameter is unknown.

    Examples
    --------
    >>> build_decoder("nearest", {"threshold": 0.5})
    Nearest(threshold=0.5, max_errors=-1)
    """
    known = decoders()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"no decoder {name!r}{meant} There are: {', '.join(sorted(known))}")
    names = [field.name for field in fields(known[name])]  # type: ignore[arg-type]
    unknown = sorted(set(parameters or {}) - set(names))
    if unknown:
        raise ParameterError(f"the decoder {name!r} has no parameter {unknown[0]!r}; it has: {', '.join(names)}")
    return known[name](**(parameters or {}))
