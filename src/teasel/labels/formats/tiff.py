"""Label images as TIFF that opens with the right calibration in ImageJ and in napari."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from numpy.typing import NDArray

from teasel.errors import FormatError, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.labels.dtype import to_smallest

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".tif", ".tiff")
_BROKEN = (
    ValueError,
    IndexError,
    KeyError,
    RuntimeError,
    struct.error,
    zlib.error,
)  # TiffFileError is a ValueError
_AXES = {2: "yx", 3: "zyx", 4: "tzyx"}


def read(path: Path) -> NDArray:
    """Read the one label image of a TIFF file.

    Parameters
    ----------
    path : pathlib.Path
        A TIFF, OME-TIFF or ImageJ file with one value per pixel.

    Returns
    -------
    ndarray, shape ([t,] [z,] y, x)
        As stored; axes of length 1 are dropped.

    Raises
    ------
    FormatError
        If the file is broken, or holds several images or channels.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            series = list(file.series)
            if len(series) != 1:
                raise FormatError(f"{path} holds {len(series)} images; expected one label image")
            axes = series[0].axes
            if "S" in axes or "C" in axes:
                raise FormatError(
                    f"{path} has shape {series[0].shape} with axes {axes}, several values per pixel; "
                    "expected one label per pixel"
                )
            return series[0].asarray()
    except FormatError:
        raise
    except _BROKEN as why:
        raise FormatError(f"{path} cannot be read as TIFF ({why}); is it whole?") from why


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Write a label image as TIFF with ImageJ's description.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    labels : ndarray of int, shape ([t,] [z,] y, x)
        0 or more.
    voxel_size_um : VoxelSize
        y and x must both be known or both unknown, since ImageJ has one unit for both.

    Raises
    ------
    ShapeError
        If the array has fewer than 2 or more than 4 dimensions, or no pixel.
    DataError
        If a label is negative or beyond uint32.
    ParameterError
        If only one of y and x is known.

    Notes
    -----
    uint8, uint16 or uint32, whichever holds the largest label. ImageJ shows uint32 as 32-bit float, exact to
    2**24. Deflate without predictor, since ImageJ misreads Deflate with one. See ``docs/design/labels.md``.
    """
    import tifffile

    if labels.ndim not in _AXES or not labels.size:
        raise ShapeError(f"labels have shape {labels.shape}; a TIFF takes (y, x), (z, y, x) or (t, z, y, x)")
    stored = to_smallest(labels)
    tifffile.imwrite(
        path,
        stored,
        photometric="minisblack",
        compression="zlib",
        metadata=None,
        description=_description(stored, voxel_size_um),
        resolution=_resolution(voxel_size_um),
        resolutionunit="NONE",
        software="Teasel",
    )


def _description(labels: NDArray, size: VoxelSize) -> str:
    """Write what ImageJ wants to know: order of planes, unit, distance of slices, display range."""
    lengths = dict(zip(_AXES[labels.ndim], labels.shape, strict=True))
    lines = ["ImageJ=1.53t", f"images={lengths.get('t', 1) * lengths.get('z', 1)}"]
    if "z" in lengths:
        lines.append(f"slices={lengths['z']}")
    if "t" in lengths:
        lines.append(f"frames={lengths['t']}")
    if labels.ndim > 2:
        lines.append("hyperstack=true")
    if size.known("yx"):
        lines.append("unit=um")
    if size.z is not None:
        lines.append(f"spacing={size.z!r}")
    lines += ["min=0.0", f"max={float(max(1, labels.max()))}", "loop=false"]
    return "\n".join(lines) + "\n"


def _resolution(size: VoxelSize) -> tuple[float, float]:
    """Return pixels per micrometre along x and y; 1 where unknown, which without a unit means pixels."""
    if size.x is None and size.y is None:
        return 1.0, 1.0
    if size.x is None or size.y is None:
        raise ParameterError(f"voxel size y {size.y} um, x {size.x} um; a TIFF takes both or neither")
    return 1 / size.x, 1 / size.y
