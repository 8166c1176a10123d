"""Leica LIF and LOF, through liffile."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

from teasel.errors import FormatError, TeaselError
from teasel.geometry import VoxelSize
from teasel.images.formats._base import Format, Found, corrupt, missing, pick_level, pick_scene
from teasel.images.lazy import InMemory, View
from teasel.images.units import in_micrometres

_ERRORS = (ValueError, KeyError, TypeError, IndexError, OSError, AssertionError, struct.error, ElementTree.ParseError)
_LETTERS = {"T": "t", "Z": "z", "C": "c", "Y": "y", "X": "x", "S": "s"}
_NUMBERS = {"1": "x", "2": "y", "3": "z"}  # DimID of a DimensionDescription


class Lif(Format):
    """Memory-mapped; images, mosaic tiles and other dimensions are scenes."""

    name: ClassVar[str] = "LIF"
    suffixes: ClassVar[tuple[str, ...]] = (".lif", ".lof")

    def sniff(self, path: Path, head: bytes) -> bool:
        """Know the mark of Leica's containers."""
        return head.startswith(b"\x70\0\0\0") and head[8:9] == b"\x2a"

    def scenes(self, path: Path) -> tuple[str, ...]:
        """List the images by their path in the project, and the positions of those that have several."""
        with _opened(path) as file:
            return tuple(name for name, _, _ in _scenes(file))

    def open(self, path: Path, scene: str, level: int) -> Found:
        """Map one image into memory."""
        pick_level(level, 1, path)
        with _opened(path) as file:
            scenes = _scenes(file)
            _, index, position = scenes[pick_scene(scene, [name for name, _, _ in scenes], path)]
            image = file.images[index]
            dims = list(image.sizes)
            data = InMemory(image.asarray(mode="c", out="memmap"))  # private to this process, never written back
            size, names = _voxel_size(image.xml_element), _channel_names(image.xml_element)
        stay = [d for d, a in enumerate(dims) if a in _LETTERS]
        fixed = {dims.index(a): i for a, i in position.items()}
        axes = "".join(_LETTERS[dims[d]] for d in stay)
        return Found(View(data, stay, fixed=fixed), axes, size, names if "c" in axes else ())


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file for as long as its header is read."""
    try:
        from liffile import LifFile
    except ImportError as error:
        raise missing("liffile", path.suffix or ".lif")(error) from error
    try:
        with LifFile(path) as file:
            if not len(file.images):
                raise FormatError(f"{path.name} holds no image")
            yield file
    except TeaselError:
        raise
    except _ERRORS as error:
        raise corrupt(path, "a LIF", error) from error


def _scenes(file: Any) -> list[tuple[str, int, dict[str, int]]]:
    """List (name, image, position along dimensions that the house has no letter for)."""
    found = []
    for index, image in enumerate(file.images):
        others = [(a, n) for a, n in image.sizes.items() if a not in _LETTERS]
        for at in product(*(range(n) for _, n in others)):
            position = {a: i for (a, _), i in zip(others, at, strict=True)}
            found.append((" ".join([image.path, *(f"{a}{i}" for a, i in position.items())]), index, position))
    return found


def _voxel_size(element: ElementTree.Element) -> VoxelSize:
    """Read the length of each axis; it spans from the first pixel's centre to the last one's."""
    sizes: dict[str, float | None] = {}
    for dimension in element.iterfind(".//ImageDescription/Dimensions/DimensionDescription"):
        axis = _NUMBERS.get(dimension.get("DimID", ""))
        n, length = int(dimension.get("NumberOfElements", 0)), float(dimension.get("Length", 0))
        if axis and n > 1:
            sizes[axis] = in_micrometres(abs(length) / (n - 1), dimension.get("Unit"))
    return VoxelSize(**sizes)


def _channel_names(element: ElementTree.Element) -> tuple[str, ...]:
    """Name the channels by their colour tables, which is what Leica's program shows."""
    path = ".//ImageDescription/Channels/ChannelDescription"
    names = tuple(e.get("LUTName") or "" for e in element.iterfind(path))
    return names if any(names) else ()
