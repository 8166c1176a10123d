"""NumPy's own file: one array, memory-mapped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from teasel.errors import DataError, FormatError
from teasel.geometry import VoxelSize
from teasel.images.formats._base import Format, Found, corrupt, pick_level, pick_scene
from teasel.images.lazy import InMemory


class Npy(Format):
    """An .npy file says shape and type, but neither axes nor pixel size."""

    name: ClassVar[str] = "NPY"
    suffixes: ClassVar[tuple[str, ...]] = (".npy",)
    saves: ClassVar[tuple[str, ...]] = (".npy",)

    def sniff(self, path: Path, head: bytes) -> bool:
        """Know NumPy's mark; a zip of arrays too, to refuse it with a reason."""
        return head.startswith(b"\x93NUMPY") or (path.suffix.lower() == ".npz" and head.startswith(b"PK"))

    def scenes(self, path: Path) -> tuple[str, ...]:
        """One array, one scene."""
        return ("array",)

    def open(self, path: Path, scene: str, level: int) -> Found:
        """Map the array into memory."""
        pick_scene(scene, self.scenes(path), path)
        pick_level(level, 1, path)
        if path.suffix.lower() == ".npz":
            raise FormatError(
                f"{path.name} is an archive of arrays; take the image out: "
                f'numpy.save("image.npy", numpy.load("{path.name}")["NAME"])'
            )
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise _refusal(path, error) from error
        axes = axes_of_array(array.shape, array.dtype)
        return Found(InMemory(array), axes, VoxelSize())

    def save(
        self, path: Path, array: Any, *, axes: str, voxel_size_um: VoxelSize, channel_names: Sequence[str]
    ) -> None:
        """Write the values alone; axes and voxel size are lost."""
        values = np.asarray(array)
        if values.dtype.hasobject:
            raise DataError(f"{values.dtype} arrays hold Python objects, not values; convert to a number type")
        with path.open("wb") as file:
            np.save(file, values)


def axes_of_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """Name the axes of a bare array where there is only one reading, else ``?``."""
    if len(shape) == 2:
        return "yx"
    if len(shape) == 3 and shape[2] in (3, 4) and dtype == np.uint8:
        return "yxs"
    return "?" * len(shape)


def _refusal(path: Path, error: BaseException) -> FormatError:
    if "pickle" in str(error).lower() or "object" in str(error).lower():
        return FormatError(f"{path.name} holds Python objects, not numbers; such files can run code and are not opened")
    return corrupt(path, "an NPY array", error)
