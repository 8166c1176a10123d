"""Anything in, one `Image` out."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from teasel.errors import DataError, FormatError, InputNotFound, ShapeError
from teasel.geometry import VoxelSize
from teasel.images.atomic import is_partial
from teasel.images.axes import arrange, name_axes
from teasel.images.formats import Format, Found, formats, sniff
from teasel.images.formats.npy import axes_of_array
from teasel.images.image import NO_PIXEL_SIZE, Image
from teasel.images.lazy import as_lazy

__all__ = ["is_image_path", "list_scenes", "open_image"]

Source = str | os.PathLike[str] | Image | Any


def open_image(
    source: Source,
    *,
    axes: str | None = None,
    voxel_size_um: VoxelSize | None = None,
    scene: str | int | None = None,
    level: int = 0,
    name: str | None = None,
) -> Image:
    """Open an image file, or take an array as an image; pixels are read later, when asked for.

    Parameters
    ----------
    source : path, str, ndarray or Image
        A file of any known format (the content decides, not the name), an OME-Zarr folder, an array of any
        library, or an image that is open already.
    axes : str, optional
        What the dimensions are, in the order of the source: letters out of ``"tczyx"``. Needed where the
        source does not say; overrides it where it does.
    voxel_size_um : VoxelSize, optional
        Micrometres per voxel of the full resolution; overrides what the source says, where it is known.
    scene : str or int, optional
        Name or number (from 0) of the scene; the first if not given.
    level : int
        Level of the resolution pyramid, 0 for the full one.
    name : str, optional
        What to call an array in messages.

    Returns
    -------
    Image
        Axes in the order ``"tczyx"``; axes t, c, z of length 1 are left out unless `axes` names them.
        Values are as in the file, in the machine's byte order; floats may hold NaN or infinity (see
        `finite`).

    Raises
    ------
    InputNotFound
        If there is no such file; the message names the nearest.
    FormatError
        If the file is empty, corrupt, truncated or of no known format.
    AxesError
        If the axes are ambiguous or do not fit; the message shows the choices.
    DataError
        If the values are complex or no numbers.
    ShapeError
        If the array has fewer than two dimensions, or one of length 0.
    ParameterError
        If there is no such scene or level.
    MissingDependency
        If the format needs a package that is not installed.

    Examples
    --------
    >>> image = open_image(np.zeros((5, 64, 80), np.uint16), axes="zyx")
    >>> image.axes, image.shape
    ('zyx', (5, 64, 80))
    """
    if isinstance(source, Image):
        return _again(source, axes, voxel_size_um)
    if not isinstance(source, str | os.PathLike):
        return _from_array(source, axes, voxel_size_um, name or "the array")
    path = Path(source)
    format_ = _format_of(path)
    scenes = format_.scenes(path)
    chosen = _choose(scene, scenes)
    found = format_.open(path, chosen, level)
    found = replace(found, notes=found.notes + _remarks(path, format_, scene, scenes))
    image = _finish(found, axes, voxel_size_um, path.name, level)
    return replace(
        image,
        source=path,
        format=format_.name,
        scenes=scenes,
        scene=chosen if len(scenes) > 1 else None,
        level=level,
    )


def list_scenes(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """List the scenes of a file: its series, positions, fields or wells.

    Parameters
    ----------
    path : path-like
        An image file or folder.

    Returns
    -------
    tuple of str
        Names to give as `scene`; at least one.

    Raises
    ------
    InputNotFound, FormatError, MissingDependency
        As `open_image`.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.npy"
    >>> np.save(file, np.zeros((4, 4)))
    >>> list_scenes(file)
    ('array',)
    """
    return _format_of(Path(path)).scenes(Path(path))


def is_image_path(path: str | os.PathLike[str]) -> bool:
    """Say by the name alone whether a path is an image, for scans of folders.

    A ``.zarr`` folder is one image. Hidden files and unfinished writes are none.

    Examples
    --------
    >>> is_image_path("a.TIF"), is_image_path("plate.ome.zarr"), is_image_path("notes.txt")
    (True, True, False)
    """
    name = Path(path).name.lower()
    if name.startswith(".") or is_partial(path):
        return False
    return name.endswith(tuple(suffix for f in formats() for suffix in f.suffixes))


def _format_of(path: Path) -> Format:
    """Find the format by content, or say why there is none."""
    if not path.exists():
        raise InputNotFound(_not_there(path))
    if path.is_file() and path.stat().st_size == 0:
        raise FormatError(f"{path.name} is empty (0 bytes); copy it again")
    format_ = sniff(path)
    if format_ is not None:
        return format_
    if path.is_dir():
        n = sum(is_image_path(p) for p in path.iterdir())
        raise FormatError(
            f"{path} is a folder, not an image; it holds {n} image files. Give one of them, or a .zarr folder"
        )
    known = ", ".join(sorted({suffix for f in formats() for suffix in f.suffixes}))
    raise FormatError(f"the content of {path.name} is of no known image format; known are {known}")


def _not_there(path: Path) -> str:
    """Write the message for a missing file, with the nearest name in its folder."""
    if not path.parent.is_dir():
        return f"there is no file {path}: its folder {path.parent} does not exist"
    near = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
    return f"there is no file {path}" + (f"; did you mean {near[0]!r}?" if near else "")


def _choose(scene: str | int | None, scenes: tuple[str, ...]) -> str:
    """Turn a number into the name of its scene; names pass through."""
    if scene is None:
        return scenes[0]
    if str(scene) not in scenes and str(scene).isdigit() and int(scene) < len(scenes):
        return scenes[int(scene)]
    return str(scene)


def _remarks(path: Path, format_: Format, scene: str | int | None, scenes: tuple[str, ...]) -> tuple[str, ...]:
    """Say what the caller may not expect: another content than the name promises, more scenes than one."""
    notes: tuple[str, ...] = ()
    if not path.name.lower().endswith(format_.suffixes):
        notes += (f"the name ends in {path.suffix or 'nothing'!r}, the content is {format_.name}: that counts",)
    if scene is None and len(scenes) > 1:
        notes += (f"the first of {len(scenes)} scenes, {scenes[0]!r}; choose another with scene=",)
    return notes


def _from_array(array: Any, axes: str | None, voxel_size_um: VoxelSize | None, name: str) -> Image:
    """Take an array of any library; bare Python lists are turned into one."""
    if not (hasattr(array, "shape") and hasattr(array, "dtype")):
        array = np.asarray(array)
    data = as_lazy(array)
    return _finish(Found(data, axes_of_array(data.shape, data.dtype), VoxelSize()), axes, voxel_size_um, name, 0)


def _again(image: Image, axes: str | None, voxel_size_um: VoxelSize | None) -> Image:
    """Change the axes or the voxel size of an open image."""
    if axes is None and voxel_size_um is None:
        return image
    size = _override(image.voxel_size_um, voxel_size_um)
    if axes is None or axes.lower() == image.axes:
        return replace(image, voxel_size_um=size, notes=_notes(image.notes, size))
    named = image.axes.replace("c", "s") if image.is_rgb else image.axes
    found = Found(image.data, named, size, image.channel_names, image.notes, image.levels)
    found, is_rgb = arrange(name_axes(found, axes, "the image"))
    return replace(
        image, data=found.data, axes=found.axes, voxel_size_um=size, channel_names=found.channel_names,
        is_rgb=is_rgb, notes=_notes(found.notes, size), levels=found.levels,
    )  # fmt: skip


def _notes(notes: tuple[str, ...], size: VoxelSize) -> tuple[str, ...]:
    """Drop the note on a missing pixel size once there is one."""
    return tuple(n for n in notes if n != NO_PIXEL_SIZE or not size.known("yx"))


def _finish(found: Found, axes: str | None, voxel_size_um: VoxelSize | None, name: str, level: int) -> Image:
    """Check what was opened, name and order its axes, and say what is not known."""
    shape, dtype = found.data.shape, found.data.dtype
    if len(shape) < 2:
        raise ShapeError(f"{name} has {len(shape)} dimensions, shape {shape}; an image has at least y and x")
    if 0 in shape:
        raise ShapeError(f"{name} has a dimension of length 0, shape {shape}; there is nothing in it")
    if dtype.kind == "c":
        raise DataError(f"{name} holds complex numbers ({dtype}); take their absolute value first")
    if dtype.kind not in "buif":
        raise DataError(f"{name} holds {dtype}, not numbers")
    found, is_rgb = arrange(name_axes(found, axes, name))
    size = _override(found.voxel_size_um, _at_level(voxel_size_um, found, level))
    names = found.channel_names if not is_rgb and "c" in found.axes else ()
    if names and len(names) != found.data.shape[found.axes.index("c")]:
        names = ()
    notes = found.notes if size.known("yx") else (*found.notes, NO_PIXEL_SIZE)
    return Image(found.data, found.axes, size, names, is_rgb=is_rgb, notes=notes, levels=found.levels)


def _at_level(size: VoxelSize | None, found: Found, level: int) -> VoxelSize | None:
    """Scale a voxel size of the full resolution to a level."""
    if size is None or level == 0 or not found.levels:
        return size
    ratios = dict(zip(found.axes, np.divide(found.levels[0], found.levels[level]), strict=True))
    known = {a: getattr(size, a) for a in "zyx"}
    return VoxelSize(**{a: None if s is None else float(s * ratios.get(a, 1.0)) for a, s in known.items()})


def _override(size: VoxelSize, by: VoxelSize | None) -> VoxelSize:
    """Take the caller's sizes where they are known."""
    if by is None:
        return size
    return VoxelSize(**{a: getattr(by, a) if getattr(by, a) is not None else getattr(size, a) for a in "zyx"})
