"""Whole slides that are TIFFs (Aperio SVS, Hamamatsu NDPI ...): the scanner's facts through tiffslide."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any, ClassVar

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.images.formats._base import Format, Found, corrupt, missing, pick_level, pick_scene
from teasel.images.formats.tiff import MAGIC, Tiff

_NDPI_TAG = 65420


class Slide(Format):
    """A pyramid of tiles; label and overview pictures are left out. Pixels are read as any tiled TIFF's."""

    name: ClassVar[str] = "whole slide"
    suffixes: ClassVar[tuple[str, ...]] = (".svs", ".ndpi", ".scn", ".bif")
    priority: ClassVar[int] = 1

    def sniff(self, path: Path, head: bytes) -> bool:
        """Know a TIFF by a scanner's mark, or by the name that scanners give."""
        if head[:4] not in MAGIC:
            return False
        return path.suffix.lower() in self.suffixes or b"Aperio" in head or _is_ndpi(path)

    def scenes(self, path: Path) -> tuple[str, ...]:
        """One slide, one scene."""
        return ("slide",)

    def open(self, path: Path, scene: str, level: int) -> Found:
        """Open the slide at a level of its pyramid."""
        pick_scene(scene, self.scenes(path), path)
        properties = _properties(path)
        index = int(properties.get("tiffslide.series-index") or 0)
        tiff = Tiff()
        found = tiff.open_series(path, index, level)
        pick_level(level, max(1, len(found.levels)), path)
        mpp = [float(properties.get(f"tiffslide.mpp-{a}") or 0) for a in "yx"]
        if not all(mpp):
            return found
        ratios = [n / m for n, m in zip(found.levels[0], found.levels[level], strict=True)]
        y, x = (m * ratios[found.axes.index(a)] for m, a in zip(mpp, "yx", strict=True))
        notes = tuple(n for n in found.notes if "resolution tag" not in n)
        return Found(found.data, found.axes, VoxelSize(None, y, x), (), notes, found.levels)


def _is_ndpi(path: Path) -> bool:
    """Look for Hamamatsu's tag in the first directory."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tif:
            return _NDPI_TAG in tif.pages.first.tags
    except (tifffile.TiffFileError, struct.error, ValueError, IndexError, KeyError, OSError):
        return False  # a broken TIFF is reported by whoever opens it


def _properties(path: Path) -> dict[str, Any]:
    try:
        from tiffslide import TiffSlide
    except ImportError as error:
        raise missing("tiffslide", "whole slides")(error) from error
    import tifffile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tiffslide warns of vendors it knows in part
            with TiffSlide(path) as slide:
                return dict(slide.properties)
    except NotImplementedError as error:
        raise FormatError(f"{path.name} is a slide of a kind tiffslide does not know: {error}") from error
    except (tifffile.TiffFileError, ValueError, KeyError, IndexError, OSError) as error:
        raise corrupt(path, "a slide", error) from error
