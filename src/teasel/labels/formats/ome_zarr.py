"""Label images in OME-Zarr: read through the images room."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.geometry import VoxelSize

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".zarr",)


def read(path: Path) -> NDArray:
    """Read the finest level of an OME-Zarr image without channels; axes t and z of length 1 are dropped.

    Raises
    ------
    FormatError
        If the image has several channels or is broken.
    """
    from teasel.images import open_image

    image = open_image(path)
    single = [axis for axis in "tcz" if image.sizes.get(axis) == 1]
    if image.sizes.get("c", 1) > 1:
        raise FormatError(f"{path} has {image.sizes['c']} channels; expected one label per pixel")
    return image.read(**dict.fromkeys(single, 0))


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Refuse: labels belong into the OME-Zarr of their image, beside its pixels."""
    raise FormatError(f"{path.name}: labels are not written as OME-Zarr; write .tif, or .npy")
