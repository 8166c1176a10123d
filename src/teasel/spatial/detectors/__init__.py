"""Spot detectors, one file each: an image (`Source`) in, `Spots` with calibrated scores out.

`log`, `dog` and `radial` filter the image and judge each maximum by how it stands out from the noise around it and from
the other maxima of the image; `spots` is a trained network. Each is a frozen dataclass whose fields are its only
parameters. `names` lists them, `build` makes one from plain parameters. A new file with a subclass of `Detector` is
found by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from teasel.errors import ParameterError
from teasel.spatial.detectors._base import Detector

__all__ = ["Detector", "build", "names"]


def names() -> tuple[str, ...]:
    """List the detectors of this folder, sorted.

    Examples
    --------
    >>> names()
    ('dog', 'log', 'radial', 'spots')
    """
    return tuple(sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")))


def build(name: str, params: Mapping[str, Any] | None = None) -> Detector:
    """Make a detector from its name and parameters.

    Parameters
    ----------
    name : str
        As listed by `names`.
    params : mapping, optional
        Values for the fields of its class.

    Raises
    ------
    ParameterError
        If the name or a parameter is unknown, or a value is out of range.

    Examples
    --------
    >>> build("log", {"sigma_px": 1.5}).sigma_px
    1.5
    """
    if name not in names():
        close = get_close_matches(name, names(), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ParameterError(f"no detector {name!r}{hint}; there are: {', '.join(names())}")
    module = import_module(f"{__name__}.{name}")
    (found,) = (
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Detector) and member.__module__ == module.__name__
    )
    known = [field.name for field in fields(found)]  # type: ignore[arg-type]
    for key in params or {}:
        if key not in known:
            raise ParameterError(f"detector {name!r} has no parameter {key!r}; it has: {', '.join(known)}")
    made: Detector = found(**dict(params or {}))
    return made
