"""Zeiss CZI, through pylibCZIrw."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.images.formats._base import Format, Found, corrupt, missing, pick_level, pick_scene
from teasel.images.lazy import Block, LazyArray
from teasel.images.units import in_micrometres

_TYPES = {
    "Gray8": ("u1", 1), "Gray16": ("u2", 1), "Gray32Float": ("f4", 1), "Gray32": ("u4", 1),
    "Bgr24": ("u1", 3), "Bgr48": ("u2", 3), "Bgr96Float": ("f4", 3),
}  # fmt: skip
_HOUSE = "TCZYX"


class Czi(Format):
    """Read region by region at full resolution; mosaics come stitched, pixels without data are 0."""

    name: ClassVar[str] = "CZI"
    suffixes: ClassVar[tuple[str, ...]] = (".czi",)

    def sniff(self, path: Path, head: bytes) -> bool:
        """Know the name of the first segment."""
        return head.startswith(b"ZISRAWFILE")

    def scenes(self, path: Path) -> tuple[str, ...]:
        """List the scenes by their number in the file."""
        with _opened(path) as reader:
            return _scene_names(reader)

    def open(self, path: Path, scene: str, level: int) -> Found:
        """Open one scene."""
        pick_level(level, 1, path)
        with _opened(path) as reader:
            names = _scene_names(reader)
            pick_scene(scene, names, path)
            number = int(scene.split()[1]) if scene.startswith("scene ") else None
            box = reader.total_bounding_box
            strange = {a: n for a, (_, n) in box.items() if a not in _HOUSE + "SM" and n > 1}
            if strange:
                raise FormatError(f"{path.name} has the dimensions {strange}, which are not supported yet")
            boxes = reader.scenes_bounding_rectangle
            area = boxes[number] if number is not None else reader.total_bounding_rectangle
            kinds = {reader.get_channel_pixel_type(c) for c in range(box["C"][1])}
            dtype, samples = _pixel_type(kinds, path)
            facts = ElementTree.fromstring(reader.raw_metadata)
        sizes = [box[a][1] for a in "TCZ"]
        if samples == 3 and sizes[1] > 1:
            raise FormatError(f"{path.name} has {sizes[1]} channels of colour pictures; that is not supported yet")
        data = CziPlanes(path, number, sizes, (area.x, area.y, area.w, area.h), dtype, samples)
        axes = "tczyx" if samples == 1 else "tczyxs"
        return Found(data, axes, _voxel_size(facts), _channel_names(facts, sizes[1]))


class CziPlanes(LazyArray):
    """One scene of a CZI; one thread reads at a time."""

    def __init__(
        self,
        path: Path,
        scene: int | None,
        sizes: list[int],
        area: tuple[int, int, int, int],
        dtype: np.dtype[Any],
        samples: int,
    ) -> None:
        super().__init__([*sizes, area[3], area[2], *([3] if samples == 3 else [])], dtype)
        self._path, self._scene, self._area = path, scene, area
        self._reader = _open(path)
        self._lock = threading.Lock()
        weakref.finalize(self, self._reader.close)

    def read_block(self, block: Block) -> NDArray[Any]:
        """Read the region of every plane of the block."""
        out = np.empty([s.stop - s.start for s in block], self.dtype)
        y, x = block[3], block[4]
        region = (self._area[0] + x.start, self._area[1] + y.start, x.stop - x.start, y.stop - y.start)
        for at in product(*(range(s.stop - s.start) for s in block[:3])):
            t, c, z = (i + s.start for i, s in zip(at, block[:3], strict=True))
            values = self._read(region, {"T": t, "C": c, "Z": z})
            out[at] = values[..., 0] if self.ndim == 5 else values[..., ::-1][..., block[5]]  # BGR to RGB
        return out

    def _read(self, region: tuple[int, int, int, int], plane: dict[str, int]) -> NDArray[Any]:
        with self._lock:
            try:
                return np.asarray(self._reader.read(roi=region, plane=plane, scene=self._scene))
            except RuntimeError as error:
                raise corrupt(self._path, "a CZI", error) from error


def _open(path: Path) -> Any:
    try:
        from pylibCZIrw.czi import CziReader
    except ImportError as error:
        raise missing("pylibCZIrw", ".czi")(error) from error
    try:
        return CziReader(str(path))
    except RuntimeError as error:
        raise corrupt(path, "a CZI", error) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file for as long as its header is read."""
    reader = _open(path)
    try:
        yield reader
    except (RuntimeError, ElementTree.ParseError) as error:
        raise corrupt(path, "a CZI", error) from error
    finally:
        reader.close()


def _scene_names(reader: Any) -> tuple[str, ...]:
    return tuple(f"scene {n}" for n in sorted(reader.scenes_bounding_rectangle)) or ("image",)


def _pixel_type(kinds: set[str], path: Path) -> tuple[np.dtype[Any], int]:
    """Return the type that holds every channel, and the samples per pixel."""
    if not kinds <= set(_TYPES):
        raise FormatError(f"{path.name} holds pixels of type {', '.join(sorted(kinds))}; known are {', '.join(_TYPES)}")
    samples = {_TYPES[k][1] for k in kinds}
    if len(samples) > 1:
        raise FormatError(f"{path.name} mixes grey and colour channels ({', '.join(sorted(kinds))}); split it first")
    return np.result_type(*(np.dtype(_TYPES[k][0]) for k in kinds)), samples.pop()


def _voxel_size(root: ElementTree.Element) -> VoxelSize:
    """Read Scaling, given in metres."""
    sizes: dict[str, float | None] = {}
    for distance in root.iterfind(".//Scaling/Items/Distance"):
        axis, value = str(distance.get("Id")).lower(), distance.findtext("Value")
        if axis in "zyx" and value:
            sizes[axis] = in_micrometres(float(value), "m") if math.isfinite(float(value)) else None
    return VoxelSize(**sizes)


def _channel_names(root: ElementTree.Element, n: int) -> tuple[str, ...]:
    path = ".//Information/Image/Dimensions/Channels/Channel"
    names = tuple(e.get("Name") or "" for e in root.iterfind(path))
    return names if len(names) == n and any(names) else ()
