"""Arrays as image files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from teasel.errors import AxesError, FormatError, ShapeError
from teasel.geometry import VoxelSize, check_axes
from teasel.images.atomic import atomic_path
from teasel.images.formats import formats

__all__ = ["save_image"]


def save_image(
    path: str | os.PathLike[str],
    array: Any,
    *,
    axes: str,
    voxel_size_um: VoxelSize | None = None,
    channel_names: Sequence[str] = (),
) -> None:
    """Write an array as an image file, in the format its name asks for.

    Parameters
    ----------
    path : path-like
        ``.tif`` (ImageJ hyperstack for uint8, uint16 and float32, else OME-TIFF), ``.ome.tif`` (OME-TIFF),
        ``.png``, ``.npy``, or ``.zarr`` (OME-Zarr 0.5). What stands there is replaced once the new file is
        whole.
    array : array-like
        The values; for ``.zarr`` it may be lazy and larger than memory.
    axes : str
        One letter per dimension, out of ``"tczyx"``. With c last (``"yxc"``, 3 or 4 channels) TIFF and PNG
        hold a colour picture.
    voxel_size_um : VoxelSize, optional
        Micrometres per voxel; PNG and NPY cannot keep it.
    channel_names : sequence of str
        One name per channel.

    Raises
    ------
    FormatError
        If no format writes such a name.
    AxesError, ShapeError, DataError
        If the format cannot hold the array.
    InputNotFound
        If the folder does not exist.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "a.tif"
    >>> save_image(file, np.zeros((3, 16, 16), np.uint16), axes="zyx", voxel_size_um=VoxelSize(2.0, 0.5, 0.5))
    >>> from teasel.images import open_image
    >>> open_image(file).voxel_size_um
    VoxelSize(z=2.0, y=0.5, x=0.5)
    """
    target = Path(path)
    format_ = next((f for f in formats() if target.name.lower().endswith(f.saves or ("/",))), None)
    if format_ is None:
        endings = ", ".join(sorted(suffix for f in formats() for suffix in f.saves))
        raise FormatError(f"no format writes {target.name!r}; use one of {endings}")
    axes = check_axes(axes, array.ndim)
    if 0 in array.shape:
        raise ShapeError(f"an image of shape {tuple(array.shape)} has nothing in it to save")
    if channel_names and ("c" not in axes or len(channel_names) != array.shape[axes.index("c")]):
        raise AxesError(f"{len(channel_names)} channel names for axes {axes!r} of shape {tuple(array.shape)}")
    with atomic_path(target) as temporary:
        format_.save(
            temporary,
            array,
            axes=axes,
            voxel_size_um=voxel_size_um or VoxelSize(),
            channel_names=channel_names,
        )
