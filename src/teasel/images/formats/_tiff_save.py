"""Arrays as TIFF: in ImageJ's dialect where it knows the type of the values, else or when asked as OME."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from teasel.errors import DataError
from teasel.geometry import AXES, VoxelSize

__all__ = ["save_tiff"]

_IMAGEJ = ("uint8", "uint16", "float32")
_OME = (*_IMAGEJ, "int8", "int16", "int32", "uint32", "float64", "bool")


def save_tiff(
    path: Path, array: Any, *, axes: str, voxel_size_um: VoxelSize, channel_names: Sequence[str] = ()
) -> None:
    """Write an array whose last axis may be the c of a colour picture (``"yxc"``, uint8, 3 channels)."""
    values = np.asarray(array)
    values = values.astype(np.uint8) if values.dtype == bool else values.astype(values.dtype.newbyteorder("="))
    if values.dtype.name not in _OME:
        raise DataError(
            f"TIFF programs do not open {values.dtype}; convert to one of {', '.join(_OME)}, or save as .npy or .zarr"
        )
    rgb = axes[-1] == "c"
    if rgb and not (values.shape[-1] in (3, 4) and values.dtype in (np.uint8, np.uint16)):
        raise DataError(
            f"axes {axes!r} with c last mean a colour picture of 3 or 4 channels, uint8 or uint16; "
            f"came {values.shape} {values.dtype}; put c before y for other channels"
        )
    ome = path.name.lower().endswith((".ome.tif", ".ome.tiff")) or values.dtype.name not in _IMAGEJ
    if ome or (rgb and values.dtype != np.uint8):
        _save_ome(path, values, axes, rgb, voxel_size_um, channel_names)
    else:
        _save_imagej(path, values, axes, rgb, voxel_size_um, channel_names)


def _save_imagej(path: Path, values: Any, axes: str, rgb: bool, size: VoxelSize, channel_names: Sequence[str]) -> None:
    import tifffile

    order = "tzcyx" if not rgb else "tzyxc"
    kept = "".join(a for a in order if a in axes)
    metadata: dict[str, Any] = {"axes": kept.upper() if not rgb else kept[:-1].upper() + "S"}
    resolution = None
    if size.known("yx"):
        assert size.x is not None
        assert size.y is not None
        metadata["unit"] = "um"
        resolution = (1 / size.x, 1 / size.y)
    if size.z is not None and "z" in axes:
        metadata |= {"spacing": size.z, "unit": "um"}
    if any(channel_names) and not rgb and len(channel_names) == values.shape[axes.index("c")] and axes == "cyx":
        metadata["Labels"] = list(channel_names)
    tifffile.imwrite(
        path, values.transpose([axes.index(a) for a in kept]), imagej=True, metadata=metadata,
        resolution=resolution, photometric="rgb" if rgb else "minisblack",
    )  # fmt: skip


def _save_ome(path: Path, values: Any, axes: str, rgb: bool, size: VoxelSize, channel_names: Sequence[str]) -> None:
    import tifffile

    kept = axes if rgb else "".join(a for a in AXES if a in axes)
    metadata: dict[str, Any] = {"axes": kept.upper() if not rgb else kept[:-1].upper() + "S"}
    for axis in "zyx":
        if getattr(size, axis) is not None and axis in axes:
            metadata |= {
                f"PhysicalSize{axis.upper()}": getattr(size, axis),
                f"PhysicalSize{axis.upper()}Unit": "µm",
            }
    if any(channel_names) and not rgb and "c" in axes:
        metadata["Channel"] = {"Name": list(channel_names)}
    tifffile.imwrite(
        path, values.transpose([axes.index(a) for a in kept]), ome=True, metadata=metadata,
        photometric="rgb" if rgb else "minisblack", bigtiff=values.nbytes > 2**31,
    )  # fmt: skip
