"""Arrays as OME-Zarr 0.4 or 0.5: chunks, a pyramid, micrometres, channel names, labels beside the image."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, FormatError, ParameterError, ShapeError
from teasel.geometry import AXES, VoxelSize, check_axes
from teasel.images.atomic import atomic_path
from teasel.images.lazy import LazyArray, View, as_lazy

__all__ = ["add_labels", "write_multiscale"]

_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
_COLOURS = ("0000FF", "00FF00", "FF0000", "00FFFF", "FF00FF", "FFFF00", "FFFFFF")
_SMALLEST_PX = 256  # the pyramid ends with a level no larger than this


def write_multiscale(
    path: str | os.PathLike[str],
    array: Any,
    *,
    axes: str,
    voxel_size_um: VoxelSize | None = None,
    channel_names: Sequence[str] = (),
    version: str = "0.5",
    chunk_px: int = 512,
    shard_px: int | None = None,
    is_labels: bool = False,
    n_levels: int | None = None,
) -> None:
    """Write one multiscale image, block by block, so that a lazy array may be larger than memory.

    Parameters
    ----------
    path : path-like
        Folder to make, ``.zarr``; what stands there is replaced once the new one is whole.
    array : array-like
        The values; sliced, never taken whole.
    axes : str
        One letter per dimension, out of ``"tczyx"``.
    voxel_size_um : VoxelSize, optional
        Micrometres per voxel; axes that are not known get the scale 1 without a unit.
    channel_names : sequence of str
        One name per channel.
    version : str
        ``"0.5"`` (zarr 3) or ``"0.4"`` (zarr 2).
    chunk_px : int
        Edge of a chunk along y and x; it holds one plane along the other axes.
    shard_px : int, optional
        Edge of a shard, a multiple of `chunk_px`: one file for many chunks; only version 0.5.
    is_labels : bool
        Whether the values are labels: the pyramid then takes every second pixel instead of averaging, and the
        metadata say that they belong to the image two folders above (see `add_labels`).
    n_levels : int, optional
        Levels of the pyramid; if not given, halved until y and x are 256 or less.

    Raises
    ------
    ParameterError
        If the version is unknown or the shards do not fit.
    DataError
        If the values are of a type OME-Zarr cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "a.zarr"
    >>> write_multiscale(folder, np.zeros((2, 600, 600), np.uint16), axes="cyx", version="0.4")
    >>> from teasel.images import open_image
    >>> open_image(folder).levels
    ((2, 600, 600), (2, 300, 300), (2, 150, 150))
    """
    import zarr

    _check(version, chunk_px, shard_px)
    data, axes = _ordered(as_lazy(array), axes)
    if data.dtype.kind not in "buif":
        raise DataError(f"OME-Zarr holds numbers, not {data.dtype}")
    levels = n_levels or _count_levels(data.shape)
    metadata = _metadata(axes, levels, voxel_size_um or VoxelSize())
    with atomic_path(path) as temporary:
        group = zarr.create_group(temporary, zarr_format=3 if version == "0.5" else 2)
        smallest = _write_levels(group, data, axes, levels, chunk_px, shard_px, is_labels)
        if any(channel_names):
            metadata["omero"] = _display(channel_names, smallest, axes)
        if version == "0.4":
            metadata["multiscales"][0]["version"] = "0.4"
        if is_labels:
            mark = {} if version == "0.5" else {"version": "0.4"}
            metadata["image-label"] = {**mark, "source": {"image": "../../"}}
        group.attrs.update({"ome": {"version": "0.5", **metadata}} if version == "0.5" else metadata)


def _write_levels(
    group: Any, data: LazyArray, axes: str, levels: int, chunk_px: int, shard_px: int | None, is_labels: bool
) -> Any:
    """Write the pyramid, each level from the one before, and return the smallest."""
    source: Any = data
    for level in range(levels):
        lengths = zip(source.shape, axes, strict=True)
        shape = tuple((n + 1) // 2 if level and a in "yx" else n for n, a in lengths)
        target = _create(group, str(level), shape, data.dtype, axes, chunk_px, shard_px)
        _copy(source, target, halve=level > 0, is_labels=is_labels)
        source = target
    return source


def add_labels(
    path: str | os.PathLike[str],
    name: str,
    labels: Any,
    *,
    axes: str,
    voxel_size_um: VoxelSize | None = None,
) -> None:
    """Add a label image to an OME-Zarr image, under ``labels/<name>``, in the version the image has.

    Parameters
    ----------
    path : path-like
        Folder of the image.
    name : str
        Name of the labels; it must be new.
    labels : array-like of int
        0 background, above 0 objects.
    axes : str
        One letter per dimension.
    voxel_size_um : VoxelSize, optional
        Micrometres per voxel, as the image's.

    Raises
    ------
    DataError
        If the labels are not integers.
    ShapeError
        If they do not have the image's y and x.
    FormatError
        If there is no image.
    ParameterError
        If there are labels of that name.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "a.zarr"
    >>> write_multiscale(folder, np.zeros((64, 64), np.uint8), axes="yx")
    >>> add_labels(folder, "nuclei", np.eye(64, dtype=np.uint16), axes="yx")
    >>> from teasel.images import list_scenes
    >>> list_scenes(folder)
    ('image', 'labels/nuclei')
    """
    import zarr

    if np.dtype(labels.dtype).kind not in "ui":
        raise DataError(f"labels are integers, came {labels.dtype}")
    root = zarr.open_group(path, mode="r+")
    version = "0.5" if root.metadata.zarr_format == 3 else "0.4"
    group = root.require_group("labels")
    attributes: dict[str, Any] = dict(group.attrs)
    known = list(attributes.get("ome", attributes).get("labels", []))
    if name in known:
        raise ParameterError(f"{Path(path).name} has labels {name!r} already; choose another name")
    levels = _levels_of(root, Path(path), labels.shape)
    folder = Path(path) / "labels" / name
    write_multiscale(
        folder, labels, axes=axes, voxel_size_um=voxel_size_um, version=version, is_labels=True, n_levels=levels
    )
    listed = {"labels": [*known, name]}
    group.attrs.update({"ome": {"version": "0.5", **listed}} if version == "0.5" else listed)


def _levels_of(root: Any, path: Path, shape: tuple[int, ...]) -> int:
    """Return how many levels the image has, which its labels must have too; check that they lie on its pixels."""
    attributes: dict[str, Any] = dict(root.attrs)
    found = attributes.get("ome", attributes).get("multiscales")
    if not found:
        raise FormatError(f"{path.name} is no OME-Zarr image to add labels to")
    datasets = found[0]["datasets"]
    image = root[datasets[0]["path"]].shape
    if tuple(shape[-2:]) != tuple(image[-2:]):
        raise ShapeError(f"labels of shape {tuple(shape)} do not lie on the pixels of {path.name}, {tuple(image)}")
    return len(datasets)


def _check(version: str, chunk_px: int, shard_px: int | None) -> None:
    if version not in ("0.4", "0.5"):
        raise ParameterError(f"OME-Zarr version {version!r}; expected '0.4' or '0.5'")
    if shard_px is not None and (version == "0.4" or shard_px % chunk_px):
        raise ParameterError(f"shards of {shard_px} px: only in 0.5, and a multiple of the chunks' {chunk_px} px")


def _ordered(data: LazyArray, axes: str) -> tuple[LazyArray, str]:
    """Bring the axes into the order that OME-Zarr 0.4 requires, which is the house's."""
    axes = check_axes(axes, data.ndim)
    kept = "".join(a for a in AXES if a in axes)
    return (data if kept == axes else View(data, [axes.index(a) for a in kept])), kept


def _count_levels(shape: tuple[int, ...]) -> int:
    levels, longest = 1, max(shape[-2:])
    while longest > _SMALLEST_PX:
        longest, levels = (longest + 1) // 2, levels + 1
    return levels


def _create(
    group: Any, name: str, shape: tuple[int, ...], dtype: Any, axes: str, chunk_px: int, shard_px: int | None
) -> Any:
    """Make the array of one level."""
    chunks = tuple(min(chunk_px, n) if a in "yx" else 1 for n, a in zip(shape, axes, strict=True))
    more: dict[str, Any] = {}
    if group.metadata.zarr_format == 2:
        more["chunk_key_encoding"] = {"name": "v2", "separator": "/"}
    else:
        more["dimension_names"] = list(axes)
        if shard_px is not None:
            chunks = tuple(chunk_px if a in "yx" else 1 for a in axes)
            more["shards"] = tuple(shard_px if a in "yx" else 1 for a in axes)
    return group.create_array(name, shape=shape, dtype=dtype, chunks=chunks, fill_value=0, **more)


def _copy(source: Any, target: Any, *, halve: bool, is_labels: bool) -> None:
    """Fill a level from its source, one chunk (or shard) at a time."""
    step = target.shards or target.chunks
    for block in _blocks(target.shape, step):
        if not halve:
            target[block] = source[block]
            continue
        pairs = zip(block[-2:], source.shape[-2:], strict=True)
        doubled = [slice(2 * s.start, min(2 * s.stop, n)) for s, n in pairs]
        values = np.asarray(source[(*block[:-2], *doubled)])
        target[block] = values[..., ::2, ::2] if is_labels else _mean_of_4(values)


def _blocks(shape: tuple[int, ...], step: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    for at in product(*(range(0, n, s) for n, s in zip(shape, step, strict=True))):
        yield tuple(slice(a, min(a + s, n)) for a, s, n in zip(at, step, shape, strict=True))


def _mean_of_4(values: NDArray[Any]) -> NDArray[Any]:
    """Average 2 x 2 pixels; an odd last row or column stands for its pair."""
    pad = [(0, 0)] * (values.ndim - 2) + [(0, n % 2) for n in values.shape[-2:]]
    even = np.pad(values, pad, mode="edge").astype(np.float64)
    mean = (even[..., ::2, ::2] + even[..., 1::2, ::2] + even[..., ::2, 1::2] + even[..., 1::2, 1::2]) / 4
    if values.dtype.kind == "f":
        return mean.astype(values.dtype)
    return mean >= 0.5 if values.dtype == bool else np.rint(mean).astype(values.dtype)


def _metadata(axes: str, n_levels: int, size: VoxelSize) -> dict[str, Any]:
    """Write the multiscales attribute."""
    listed: list[dict[str, str]] = []
    for axis in axes:
        known = axis in "zyx" and getattr(size, axis) is not None
        listed.append({"name": axis, "type": _TYPES[axis], **({"unit": "micrometer"} if known else {})})
    datasets = []
    for level in range(n_levels):
        full = [(getattr(size, a) or 1.0) if a in "zyx" else 1.0 for a in axes]
        scale = [s * 2**level if a in "yx" else s for s, a in zip(full, axes, strict=True)]
        transforms = [{"type": "scale", "scale": scale}]
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    return {"multiscales": [{"axes": listed, "datasets": datasets, "name": "image"}]}


def _display(names: Sequence[str], smallest: Any, axes: str) -> dict[str, Any]:
    """Write the omero attribute: the names of channels, and how bright to show them, from the smallest level."""
    channels = []
    for i, name in enumerate(names):
        values = np.asarray(smallest[tuple(i if a == "c" else slice(None) for a in axes)])
        good = values[np.isfinite(values)]
        low, high = (float(good.min()), float(good.max())) if good.size else (0.0, 1.0)
        bounds = np.iinfo(values.dtype) if values.dtype.kind in "ui" else None
        window = {
            "min": low if bounds is None else float(bounds.min),
            "max": high if bounds is None else float(bounds.max),
            "start": low,
            "end": high,
        }
        channels.append({"label": name, "color": _COLOURS[i % len(_COLOURS)], "window": window, "active": True})
    return {"channels": channels}
