"""File formats, one per file: each knows its content, opens it lazily, and some write it.

The folder is scanned: a new file with a subclass of `Format` is a new format, with nothing else to edit.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from teasel.images.formats._base import Format, Found

__all__ = ["Format", "Found", "formats", "sniff"]

HEAD_BYTES = 4096


@cache
def formats() -> tuple[Format, ...]:
    """Return one object of every format in this folder, highest priority first.

    Examples
    --------
    >>> "TIFF" in [f.name for f in formats()]
    True
    """
    for module in iter_modules(__path__):
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")
    return tuple(sorted((kind() for kind in Format.__subclasses__()), key=lambda f: (-f.priority, f.name)))


def sniff(path: Path) -> Format | None:
    """Find the format of a file or folder by its content; None if no format knows it."""
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    return next((f for f in formats() if f.sniff(path, head)), None)
