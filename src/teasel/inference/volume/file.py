"""A plane or volume in a file, opened once per process and read box by box."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import AxesError, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import Image, open_image
from teasel.inference.volume.grid import Box, index_of

__all__ = ["VolumeFile"]


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
