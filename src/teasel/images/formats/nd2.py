"""Nikon ND2, through the package nd2."""

from __future__ import annotations

import struct
import threading
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError, TeaselError
from teasel.geometry import VoxelSize
from teasel.images.formats._base import Format, Found, corrupt, missing, pick_level, pick_scene
from teasel.images.lazy import Block, LazyArray, View

_ERRORS = (ValueError, KeyError, TypeError, IndexError, OSError, struct.error, zlib.error)
_LETTERS = {"T": "t", "Z": "z", "C": "c", "Y": "y", "X": "x", "S": "s"}


class Nd2(Format):
    """Read frame by frame; stage positions are scenes."""

    name: ClassVar[str] = "ND2"
    suffixes: ClassVar[tuple[str, ...]] = (".nd2",)

    def sniff(self, path: Path, head: bytes) -> bool:
        """Know Nikon's first chunk, and the JPEG 2000 box of files before 2010 if they are called .nd2."""
        legacy = head[4:8] == b"jP  " and path.suffix.lower() == ".nd2"
        return head.startswith(b"\xda\xce\xbe\x0a") or legacy

    def scenes(self, path: Path) -> tuple[str, ...]:
        """List the stage positions."""
        with _opened(path) as file:
            return _scene_names(file)

    def open(self, path: Path, scene: str, level: int) -> Found:
        """Open one position."""
        pick_level(level, 1, path)
        with _opened(path) as file:
            position = pick_scene(scene, _scene_names(file), path)
            letters = "".join(file.sizes)
            strange = [a for a in letters if a not in (*_LETTERS, "P")]
            if strange:
                raise FormatError(f"{path.name} has the dimensions {dict(file.sizes)}; {strange} are not supported yet")
            channels, notes = _channels(file)
            volume = channels[0].volume if channels else None
            names = tuple(c.channel.name or "" for c in channels)
            frames = Nd2Frames(path, dict(file.sizes), file.dtype)
        stay = [d for d, a in enumerate(letters) if a != "P"]
        fixed = {letters.index("P"): position} if "P" in letters else {}
        axes = "".join(_LETTERS[letters[d]] for d in stay)
        names = names if "c" in axes else ()
        return Found(View(frames, stay, fixed=fixed), axes, _voxel_size(volume), names, notes)


class Nd2Frames(LazyArray):
    """All frames of an ND2; one thread reads at a time."""

    def __init__(self, path: Path, sizes: dict[str, int], dtype: Any) -> None:
        super().__init__(tuple(sizes.values()), dtype)
        self._path = path
        self._n_loops = len([a for a in sizes if a not in "CYXS"])
        self._loops = self.shape[: self._n_loops]
        self._file = _open(path)
        self._lock = threading.Lock()
        weakref.finalize(self, self._file.close)

    def read_block(self, block: Block) -> NDArray[Any]:
        """Read the frames that the block touches."""
        out = np.empty([s.stop - s.start for s in block], self.dtype)
        within = block[self._n_loops :]
        for at in product(*(range(s.stop - s.start) for s in block[: self._n_loops])):
            where = [i + s.start for i, s in zip(at, block, strict=False)]
            index = int(np.ravel_multi_index(where, self._loops)) if where else 0
            out[at] = self._frame(index)[within]
        return out

    def _frame(self, index: int) -> NDArray[Any]:
        with self._lock:
            try:
                return np.asarray(self._file.read_frame(index)).reshape(self.shape[self._n_loops :])
            except _ERRORS as error:
                raise corrupt(self._path, "an ND2", error) from error


def _open(path: Path) -> Any:
    try:
        import nd2
    except ImportError as error:
        raise missing("nd2", ".nd2")(error) from error
    try:
        return nd2.ND2File(path)
    except _ERRORS as error:
        raise corrupt(path, "an ND2", error) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file for as long as its header is read."""
    with _open(path) as file:
        try:
            yield file
        except TeaselError:
            raise
        except _ERRORS as error:
            raise corrupt(path, "an ND2", error) from error


def _channels(file: Any) -> tuple[list[Any], tuple[str, ...]]:
    """Return what the file says of its channels; nd2 trips over channels without a dye (seen in 0.12.0)."""
    try:
        return file.metadata.channels or [], ()
    except UnboundLocalError as error:
        return [], (f"the package nd2 could not read channel names and pixel size: {error}",)


def _scene_names(file: Any) -> tuple[str, ...]:
    """Name the positions as the microscope did, made unique by their number."""
    n = file.sizes.get("P", 1)
    loops = [loop for loop in file.experiment if loop.type == "XYPosLoop"]
    given = [p.name or "" for p in loops[0].parameters.points] if loops else []
    if len(given) != n:
        given = [""] * n
    return tuple(g if g and given.count(g) == 1 else f"position {i}" for i, g in enumerate(given))


def _voxel_size(volume: Any) -> VoxelSize:
    """Read the micrometres of the axes that the microscope calls calibrated."""
    if volume is None:
        return VoxelSize()
    pairs = zip("xyz", volume.axesCalibration, volume.axesCalibrated, strict=True)
    return VoxelSize(**{a: float(size) if known and size > 0 else None for a, size, known in pairs})
