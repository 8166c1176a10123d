"""What is to be exported, from where, and where it grows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import AxesError, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import Image, open_image
from teasel.inference.volume.grid import Box, Grid, index_of
from teasel.inference.volume.store import WorkFolder

__all__ = ["TARGETS", "Export", "ExportJob", "VolumeFile"]

TARGETS = {
    "layer": "labels (and the image) for Neuroglancer, cloud-volume and tensorstore, at several scales",
    "meshes": "surfaces beside that layer",
    "skeletons": "centre lines beside that layer",
    "obj": "a surface per object, micrometres",
    "ply": "a surface per object, micrometres",
    "swc": "a centre line per object with radii, micrometres",
}
"""What can be written."""

MESHES, LINES = {"meshes", "obj", "ply"}, {"skeletons", "swc"}


@dataclass(frozen=True)
class VolumeFile:
    """A plane or volume in a file, read box by box as (z, y, x).

    Parameters
    ----------
    path : str
        Any file that `teasel.open_image` takes; OME-Zarr is read chunk by chunk.
    channel : int, optional
        Which, if it has several.
    voxel_size : tuple of float, optional
        Micrometres (z, y, x), where the file does not say.
    """

    path: str
    channel: int | None = None
    voxel_size: tuple[float, float, float] | None = None

    def opened(self, level: int = 0) -> Image:
        """Open a level of the file, once per process."""
        return _open(self, level)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels (z, y, x); a plane has z of 1."""
        sizes = self.opened().sizes
        return sizes.get("z", 1), sizes["y"], sizes["x"]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.opened().dtype

    @property
    def spacing_um(self) -> tuple[float, float, float]:
        """Edge lengths of a voxel (z, y, x); a plane is as thick as its pixels are wide.

        Raises
        ------
        ParameterError
            If they are not known.
        """
        size = VoxelSize(*self.voxel_size) if self.voxel_size else self.opened().voxel_size_um
        z = size.z if size.z or self.shape[0] > 1 else size.x
        if not (z and size.y and size.x):
            raise ParameterError(
                f"{self.path} does not say how large a voxel is; give --voxel-size Z,Y,X in micrometres"
            )
        return z, size.y, size.x

    def read(self, box: Box, level: int = 0) -> NDArray[Any]:
        """Read a box of a level."""
        image = self.opened(level)
        area: dict[str, Any] = dict(zip("zyx", index_of(box), strict=True))
        if "c" in image.axes:
            area["c"] = self.channel or 0
        if "z" not in image.axes:
            del area["z"]
        return np.asarray(image.read(**area)).reshape(tuple(b - a for a, b in box))


@lru_cache(maxsize=8)
def _open(file: VolumeFile, level: int) -> Image:
    """Open a file, and check that it is a plane or volume of one channel."""
    try:
        image = open_image(file.path, level=level)
    except AxesError:  # the file does not name its axes
        image = open_image(file.path, axes="zyx", level=level)
    if image.sizes.get("t", 1) > 1 or not set("yx") <= set(image.axes):
        raise AxesError(
            f"{file.path} has axes {image.axes!r}; expected a plane or a volume, give one time point as a file"
        )
    n = image.sizes.get("c", 1)
    if n > 1 and file.channel is None:
        raise ParameterError(f"{file.path} has {n} channels; choose one with --channel 0 .. {n - 1}")
    if not 0 <= (file.channel or 0) < n:
        raise ParameterError(f"no channel {file.channel}; {file.path} has {n}, from 0")
    return image


@dataclass(frozen=True)
class Export:
    """What to write of which objects.

    Parameters
    ----------
    labels : VolumeFile
        Label image, 0 background.
    image : VolumeFile, optional
        The image it belongs to, of the same shape.
    targets : tuple of str
        Out of `TARGETS`.
    segments : tuple of int
        Objects that get surfaces and centre lines; all if empty.
    min_voxels : int
        Smaller objects get none.
    fewer_faces : int
        Surfaces are thinned to about one face in so many, where that moves them by less than a voxel; 1 keeps all.
    """

    labels: VolumeFile
    image: VolumeFile | None = None
    targets: tuple[str, ...] = ("layer", "meshes")
    segments: tuple[int, ...] = ()
    min_voxels: int = 0
    fewer_faces: int = 8

    def __post_init__(self) -> None:
        unknown = [name for name in self.targets if name not in TARGETS]
        if unknown or not self.targets:
            raise ParameterError(
                f"cannot export {', '.join(unknown) or 'nothing'}; expected out of {', '.join(TARGETS)}"
            )
        if self.fewer_faces < 1 or self.min_voxels < 0:
            raise ParameterError(
                f"fewer_faces {self.fewer_faces}, min_voxels {self.min_voxels}; expected 1 or more, and 0 or more"
            )

    @property
    def wants_meshes(self) -> bool:
        """Whether surfaces are needed."""
        return bool(MESHES & set(self.targets))

    @property
    def wants_lines(self) -> bool:
        """Whether centre lines are needed."""
        return bool(LINES & set(self.targets))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """SHA-256 of what is asked for."""
        content = self.to_dict() | {"shape": self.labels.shape}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class ExportJob:
    """An export, the blocks it is carried out in, and the folder; small enough to send with every task."""

    export: Export
    folder: str
    shape: tuple[int, int, int]
    block: tuple[int, int, int]
    spacing_um: tuple[float, float, float]

    @property
    def grid(self) -> Grid:
        """The blocks."""
        return Grid(self.shape, self.block)

    @property
    def work(self) -> WorkFolder:
        """Where tasks leave what others need, and their done records."""
        return WorkFolder(str(Path(self.folder) / "x".join(map(str, self.block))))

    @property
    def result(self) -> Path:
        """Where the result grows."""
        return Path(self.folder) / "result"
