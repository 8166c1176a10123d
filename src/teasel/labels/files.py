"""Reading and writing label images, the format chosen by suffix."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import AxesError, DataError, FormatError, InputNotFound, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images.atomic import atomic_path
from teasel.labels.check import check_labels
from teasel.labels.connected import connected_labels
from teasel.labels.formats import (
    cellpose_outlines,
    cellpose_seg,
    coco,
    ctc,
    geojson,
    imagej_roi,
    npy,
    ome_zarr,
    png,
    stardist,
    tiff,
)

__all__ = ["is_label_path", "read_labels", "read_voxel_size", "write_labels"]

_PIXELS: tuple[ModuleType, ...] = (tiff, png, cellpose_seg, npy, ome_zarr, ctc)  # _seg.npy before .npy
_OBJECTS: tuple[ModuleType, ...] = (imagej_roi, geojson, coco, cellpose_outlines, stardist)
_FORMATS = (*_PIXELS, *_OBJECTS)


def read_labels(
    path: str | os.PathLike[str], *, connect: bool = False, shape: tuple[int, int] | None = None
) -> NDArray[np.integer]:
    """Read a label image from a file or folder.

    Parameters
    ----------
    path : path-like
        With one whole number per pixel: ``.tif``, ``.tiff``, ``.png``, ``.npy``, Cellpose's ``_seg.npy``,
        (OME-)``.zarr`` or the labels in one (``image.zarr/labels/nuclei``), a Cell Tracking Challenge folder
        (``01_RES``). With outlines: ImageJ ROIs (``.zip``), QuPath's ``.geojson`` or ``.geojson.gz``, ``.coco.json``,
        Cellpose's ``_cp_outlines.txt``, StarDist's polygons (``.stardist.npz``, ``.stardist.json``).
    connect : bool
        The file holds a mask, object or not: number its connected pieces. Touching objects become one.
    shape : tuple of int, optional
        Height and width in pixels of the image that outlines belong to, where the file does not say: ROIs and
        Cellpose's outlines never do, GeoJSON and StarDist's polygons of other programs do not. Pixels have a shape of
        their own.

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


def read_voxel_size(path: str | os.PathLike[str]) -> VoxelSize:
    """Read the voxel size that labels were written with; unknown where the format has no place for it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.tif"
    >>> write_labels(path, [[0, 1]], VoxelSize(y=0.25, x=0.25))
    >>> read_voxel_size(path)
    VoxelSize(z=None, y=0.25, x=0.25)
    """
    from teasel.images import open_image

    if _format_of(Path(path)) not in (tiff, ome_zarr):
        return VoxelSize()
    try:
        return open_image(path).voxel_size_um
    except AxesError:  # a file that does not say what its axes are does not say how long they are either
        return VoxelSize()


def write_labels(
    path: str | os.PathLike[str],
    labels: ArrayLike,
    voxel_size_um: VoxelSize | None = None,
    *,
    nuclei: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    parents: Mapping[int, int] | None = None,
    version: str | None = None,
) -> None:
    """Write a label image to a file or folder, whole or not at all.

    Parameters
    ----------
    path : path-like
        ``.tif`` or ``.tiff`` (opens in ImageJ and napari with the right calibration), ``.png``, ``.npy``, ``.zarr``
        (OME-Zarr labels that stand alone), ``image.zarr/labels/NAME`` (into the image they belong to), ``NAME_RES``
        (Cell Tracking Challenge); of planes also ``.zip`` (ImageJ ROIs), ``.geojson``, ``.geojson.gz`` (QuPath),
        ``.coco.json``, ``_cp_outlines.txt`` (as Cellpose), ``.stardist.npz`` and ``.stardist.json``.
    labels : array_like of int, shape ([t,] [z,] y, x)
        0 or more; ids are kept. A NumPy file also takes -1 and any shape.
    voxel_size_um : VoxelSize, optional
        Micrometres per pixel; stored in TIFF and OME-Zarr only.
    nuclei : array_like of int, shape (y, x), optional
        Nuclei of the cells; GeoJSON only.
    scores : array_like of float, shape (n,), optional
        Of each object, in the order of labels; StarDist's polygons only.
    parents : mapping of int to int, optional
        Parent of each track that began by division; Cell Tracking Challenge only.
    version : str, optional
        Of OME-Zarr: ``"0.5"`` (taken if not given) or ``"0.4"``.

    Raises
    ------
    FormatError
        If the suffix is none of the above.
    ShapeError, DataError, ParameterError
        If the array, the voxel size or what else is given does not fit the format.
    StorageError
        If the disk is full or the folder may not be written to.

    Notes
    -----
    TIFF, PNG and OME-Zarr use the smallest of uint8, uint16 and (not PNG) uint32 that holds the largest label.

    Examples
    --------
    >>> import tempfile
    >>> write_labels(Path(tempfile.mkdtemp()) / "a.tif", [[0, 1]], VoxelSize(y=0.25, x=0.25))
    """
    target = Path(path)
    kind = _format_of(target)
    array = check_labels(labels)
    if kind is not npy and array.dtype.kind == "i" and array.min(initial=0) < 0:
        raise DataError(f"labels hold -1, for which {target.name} has no place; write .npy, or set it to 0")
    if kind in _OBJECTS and array.ndim != 2:
        raise ShapeError(f"labels have shape {array.shape}; {target.name} takes one plane (y, x), write .tif instead")
    size = voxel_size_um or VoxelSize()
    more: dict[str, Any] = {
        "nuclei": None if nuclei is None else check_labels(nuclei, "nuclei", ignore=False),
        "scores": None if scores is None else np.asarray(scores, float),
        "parents": parents,
        "version": version,
    }
    given = {name: value for name, value in more.items() if value is not None}
    if strange := sorted(set(given) - set(getattr(kind, "TAKES", ()))):
        raise ParameterError(f"{target.name} has no place for {strange[0]}; leave it out, or write another format")
    if kind is ome_zarr and ome_zarr.image_of(target):
        if version is not None:
            raise ParameterError(f"{target} gets the version of its image; leave the version out")
        ome_zarr.add(target, array, size)
        return
    with atomic_path(target) as temporary:
        kind.write(temporary, array, size, **given)


def is_label_path(path: str | os.PathLike[str]) -> bool:
    """Say whether the suffix is one of the files with a label per pixel that `read_labels` reads.

    Examples
    --------
    >>> is_label_path("a.TIF"), is_label_path("a.csv")
    (True, False)
    """
    return any(Path(path).suffix.lower() in kind.SUFFIXES for kind in _PIXELS)


def _format_of(path: Path) -> ModuleType:
    """Return the module that reads and writes a name."""
    for kind in _FORMATS:
        known = kind.matches(path) if hasattr(kind, "matches") else path.name.lower().endswith(kind.SUFFIXES)
        if known:
            return kind
    if path.is_dir():
        raise FormatError(f"{path} is a folder, but no OME-Zarr and none of the Cell Tracking Challenge")
    raise FormatError(f"{path.name}: labels are not kept in {path.suffix!r} files; expected {_suffixes()}")


def _suffixes() -> str:
    return ", ".join(suffix for kind in _FORMATS for suffix in kind.SUFFIXES)


def _is_mask(array: NDArray) -> bool:
    """Say whether an 8-bit image holds 255 and otherwise only 0, as masks do and labels hardly ever."""
    return array.dtype == np.uint8 and bool((array == 255).any()) and bool(((array == 0) | (array == 255)).all())
