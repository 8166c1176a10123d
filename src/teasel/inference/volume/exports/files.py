"""Files of a result, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from teasel.images.atomic import atomic_path

__all__ = ["put_file"]


def put_file(path: Path, data: bytes) -> None:
    """Write a file, making its folder if need be; what stands there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
