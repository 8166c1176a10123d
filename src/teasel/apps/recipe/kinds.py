"""Which values a field of a recipe takes, read off its dataclass; reading, writing and the schema share it."""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any

__all__ = ["Kind", "kinds_of"]


@dataclass(frozen=True)
class Kind:
    """What one key takes.

    Parameters
    ----------
    plain : type or None
        bool, int, float or str; None for a section.
    many : bool
        Whether it takes a list of them.
    section : type or None
        The dataclass whose fields are the keys of the section.
    optional : bool
        Whether None stands for "not given".
    required : bool
        Whether the key must be there.
    default : Any
        What holds if it is not; a section has none.
    """

    plain: type | None
    many: bool = False
    section: type | None = None
    optional: bool = False
    required: bool = False
    default: Any = None

    @property
    def words(self) -> str:
        """What is expected, in words."""
        if self.section is not None:
            return "a section with keys of its own"
        one = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[self.plain or str]
        return f"a list of {one}s" if self.many and self.plain is not str else "a list of texts" if self.many else one


def kinds_of(section: type) -> dict[str, Kind]:
    """Return what each field of a dataclass takes.

    Raises
    ------
    TypeError
        If a field has a type that no recipe can hold.

    Examples
    --------
    >>> from teasel.apps.recipe import ExportOptions
    >>> kinds_of(ExportOptions)["labels"].words
    'a list of texts'
    """
    hints = typing.get_type_hints(section)
    return {field.name: _kind(field, hints[field.name]) for field in fields(section)}


def _kind(field: Field[Any], hint: Any) -> Kind:
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    inner = next(part for part in parts if part is not type(None))
    optional, default = type(None) in parts, None if field.default is MISSING else field.default
    required = field.default is MISSING and field.default_factory is MISSING
    if is_dataclass(inner) and isinstance(inner, type):
        return Kind(None, section=inner, optional=optional)
    many = typing.get_origin(inner) is tuple
    plain = typing.get_args(inner)[0] if many else inner
    if plain not in (bool, int, float, str):
        raise TypeError(f"{field.name}: a recipe holds no {hint}; expected bool, int, float, str or a tuple of one")
    return Kind(plain, many, None, optional, required, default)
