"""Reading and writing label images, the format chosen by suffix."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, FormatError, InputNotFound, ShapeError
from teasel.geometry import VoxelSize
from teasel.images.atomic import atomic_path
from teasel.labels.check import check_labels
from teasel.labels.connected import connected_labels
from teasel.labels.formats import coco, geojson, imagej_roi, npy, ome_zarr, png, tiff

__all__ = ["is_label_path", "read_labels", "write_labels"]

_PIXELS: tuple[ModuleType, ...] = (tiff, png, npy, ome_zarr)
_OBJECTS: tuple[ModuleType, ...] = (imagej_roi, geojson, coco)
_FORMATS = (*_PIXELS, *_OBJECTS)


def read_labels(
    path: str | os.PathLike[str], *, connect: bool = False, shape: tuple[int, int] | None = None
) -> NDArray[np.integer]:
    """Read a label image from a file.

    Parameters
    ----------
    path : path-like
        A ``.tif``, ``.tiff``, ``.png``, ``.npy`` or (OME-)``.zarr`` with one whole number per pixel, or objects as
        ImageJ ROIs (``.zip``), QuPath's ``.geojson`` or ``.geojson.gz``, or ``.coco.json``.
    connect : bool
        The file holds a mask, object or not: number its connected pieces. Touching objects become one.
    shape : tuple of int, optional
        Height and width in pixels of the image that outlines belong to, where the file does not say: ROIs never do,
        GeoJSON of other programs does not. Pixels have a shape of their own.

    Returns
    -------
    ndarray of int
        0 background; -1, if present, pixels that nobody has judged.

    Raises
    ------
    InputNotFound
        If there is no such file.
    FormatError
        If the file is of another format, broken, has colours, or holds a mask (bool, or nothing but 0 and
        255) and `connect` is not set.
    DataError
        If the values are no labels (see `check_labels`).

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "cells.labels.tif"
    >>> write_labels(path, [[0, 0, 1], [2, 2, 1]])
    >>> read_labels(path)
    array([[0, 0, 1],
           [2, 2, 1]], dtype=uint8)
    """
    source = Path(path)
    if not source.exists():
        raise InputNotFound(f"no file {source}; expected a label image ({_suffixes()})")
    kind = _format_of(source)
    if kind in _OBJECTS:
        return check_labels(kind.read(source, shape), str(source))
    array = kind.read(source)
    if connect:
        return connected_labels(array != 0)
    if array.dtype == bool or _is_mask(array):
        raise FormatError(
            f"{source} holds a mask (object or not), in which touching objects cannot be told apart; "
            "to number its connected pieces, ask for it: read_labels(path, connect=True)"
        )
    return check_labels(array, str(source))


def write_labels(path: str | os.PathLike[str], labels: ArrayLike, voxel_size_um: VoxelSize | None = None) -> None:
    """Write a label image to a file, whole or not at all.

    Parameters
    ----------
    path : path-like
        ``.tif`` or ``.tiff`` (opens in ImageJ and napari with the right calibration), ``.png`` or ``.npy``; of planes
        also ``.zip`` (ImageJ ROIs), ``.geojson``, ``.geojson.gz`` (QuPath) or ``.coco.json``.
    labels : array_like of int, shape ([t,] [z,] y, x)
        0 or more; ids are kept. A NumPy file also takes -1 and any shape.
    voxel_size_um : VoxelSize, optional
        Micrometres per pixel; stored in TIFF only.

    Raises
    ------
    FormatError
        If the suffix is none of the above.
    ShapeError, DataError, ParameterError
        If the array or the voxel size does not fit the format.

    Notes
    -----
    TIFF and PNG use the smallest of uint8, uint16 and (TIFF) uint32 that holds the largest label.

    Examples
    --------
    >>> import tempfile
    >>> write_labels(Path(tempfile.mkdtemp()) / "a.tif", [[0, 1]], VoxelSize(y=0.25, x=0.25))
    """
    target = Path(path)
    kind = _format_of(target)
    array = check_labels(labels)
    if kind is not npy and array.dtype.kind == "i" and array.min(initial=0) < 0:
        raise DataError(f"labels hold -1, for which {target.suffix} has no place; write .npy, or set it to 0")
    if kind in _OBJECTS and array.ndim != 2:
        raise ShapeError(f"labels have shape {array.shape}; {target.name} takes one plane (y, x), write .tif instead")
    with atomic_path(target) as temporary:
        kind.write(temporary, array, voxel_size_um or VoxelSize())


def is_label_path(path: str | os.PathLike[str]) -> bool:
    """Say whether the suffix is one of the files with a label per pixel that `read_labels` reads.

    Examples
    --------
    >>> is_label_path("a.TIF"), is_label_path("a.csv")
    (True, False)
    """
    return any(Path(path).suffix.lower() in kind.SUFFIXES for kind in _PIXELS)


def _format_of(path: Path) -> ModuleType:
    """Return the module that reads and writes a suffix."""
    for kind in _FORMATS:
        if path.name.lower().endswith(kind.SUFFIXES):
            return kind
    raise FormatError(f"{path.name}: labels are not kept in {path.suffix!r} files; expected {_suffixes()}")


def _suffixes() -> str:
    return ", ".join(suffix for kind in _FORMATS for suffix in kind.SUFFIXES)


def _is_mask(array: NDArray) -> bool:
    """Say whether an 8-bit image holds 255 and otherwise only 0, as masks do and labels hardly ever."""
    return array.dtype == np.uint8 and bool((array == 255).any()) and bool(((array == 0) | (array == 255)).all())
