"""Is a TIFF whole? Libraries pass over pages that are cut off; a stack would silently come out shorter."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Literal

from teasel.errors import FormatError

__all__ = ["check_whole"]

_CLASSIC_BYTES = 2**32  # larger files of the classic kind wrap their offsets around (LSM, NDPI): not walked

_ORDER: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}
_BYTES = {3: 2, 4: 4, 5: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # length of one value, by type; 1 for the others
_NEEDED = {270, 273, 279, 324, 325, 330}  # description, where strips, tiles and sub-images lie


def check_whole(tif: Any, path: Path) -> None:
    """Raise FormatError if the chain of directories, or ImageJ's one block of planes, ends beyond the file."""
    size = path.stat().st_size
    if tif.is_bigtiff or size < _CLASSIC_BYTES:
        _walk(path, size, tif.byteorder, tif.is_bigtiff)
    if tif.is_imagej and tif.series[0].kind != "imagej":
        images = (tif.imagej_metadata or {}).get("images", 1)
        page = tif.pages.first
        if len(tif.pages) < images and page.dataoffsets[0] + images * page.nbytes > size:
            raise FormatError(f"{path.name} is truncated: ImageJ wrote {images} planes, they end beyond the file")


def _walk(path: Path, size: int, byteorder: str, big: bool) -> None:
    """Follow the directories from one to the next, until the last points to none."""
    n, m = (8, 8) if big else (2, 4)
    seen: set[int] = set()
    with path.open("rb") as file:
        file.seek(8 if big else 4)
        at = int.from_bytes(file.read(m), _ORDER[byteorder])
        while at:
            if at in seen:
                raise FormatError(f"{path.name} is corrupt: its directories form a ring")
            seen.add(at)
            file.seek(at)
            count = file.read(n)
            length = int.from_bytes(count, _ORDER[byteorder]) * (20 if big else 12)
            entries = file.read(min(length, size))
            following = file.read(m)
            if len(following) < m or _ends_beyond(entries, size, byteorder, big):
                raise FormatError(f"{path.name} is truncated: page {len(seen) - 1} lies beyond its end; get it again")
            at = int.from_bytes(following, _ORDER[byteorder])


def _ends_beyond(entries: bytes, size: int, byteorder: str, big: bool) -> bool:
    """Say whether a value that a reader needs lies beyond the end of the file."""
    layout = struct.Struct(byteorder + ("HHQQ" if big else "HHII"))
    for tag, kind, count, offset in layout.iter_unpack(entries):
        length = _BYTES.get(kind, 1) * count
        if tag in _NEEDED and length > (8 if big else 4) and offset + length > size:
            return True
    return False
