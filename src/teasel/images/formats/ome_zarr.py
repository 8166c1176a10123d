"""OME-Zarr 0.4 (zarr 2) and 0.5 (zarr 3): pyramids in chunks, labels, series, plates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.images.formats._base import Format, Found, corrupt, pick_level, pick_scene
from teasel.images.lazy import Block, LazyArray
from teasel.images.units import in_micrometres

_MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
_OLD_AXES = ("t", "c", "z", "y", "x")  # of version 0.1 and 0.2, which do not name them


class OmeZarr(Format):
    """Read chunk by chunk through zarr; a plain zarr array is opened too, if its axes are given."""

    name: ClassVar[str] = "OME-Zarr"
    suffixes: ClassVar[tuple[str, ...]] = (".zarr",)
    saves: ClassVar[tuple[str, ...]] = (".zarr",)

    def sniff(self, path: Path, head: bytes) -> bool:
        """Know the files that make a folder a zarr."""
        return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)

    def scenes(self, path: Path) -> tuple[str, ...]:
        """List the paths within the folder of every image: itself, series, fields of wells, labels."""
        return tuple(_scenes(_node(path), path))

    def open(self, path: Path, scene: str, level: int) -> Found:
        """Open one multiscale image at one level."""
        import zarr

        root = _node(path)
        scenes = _scenes(root, path)
        node = scenes[list(scenes)[pick_scene(scene, list(scenes), path)]]
        if isinstance(node, zarr.Array):
            names = getattr(node.metadata, "dimension_names", None) or ()
            letters = [n.lower() if isinstance(n, str) and n.lower() in _OLD_AXES else "?" for n in names]
            return Found(ZarrArray(node, path), "".join(letters) or "?" * node.ndim, VoxelSize())
        meta = _attributes(node)["multiscales"][0]
        try:
            datasets = meta["datasets"]
            arrays = [_array(node, d["path"], path) for d in datasets]
            axes = _axes(meta, arrays[0].ndim)
            array = arrays[pick_level(level, len(arrays), path)]
            size = _voxel_size(meta, datasets[level], axes)
        except (KeyError, TypeError, IndexError) as error:
            raise corrupt(path, "an OME-Zarr", error) from error
        return Found(
            ZarrArray(array, path), axes, size, _channel_names(_attributes(node)),
            levels=tuple(tuple(a.shape) for a in arrays),
        )  # fmt: skip

    def save(
        self, path: Path, array: Any, *, axes: str, voxel_size_um: VoxelSize, channel_names: Sequence[str]
    ) -> None:
        """Write version 0.5 with a pyramid."""
        from teasel.images.multiscale import write_multiscale

        write_multiscale(path, array, axes=axes, voxel_size_um=voxel_size_um, channel_names=channel_names)


class ZarrArray(LazyArray):
    """A zarr array whose errors name the file."""

    def __init__(self, array: Any, path: Path) -> None:
        super().__init__(array.shape, array.dtype)
        self._array, self._path = array, path

    def read_block(self, block: Block) -> np.ndarray:
        """Read the chunks that the block touches; missing chunks are the fill value, as zarr defines."""
        try:
            return np.asarray(self._array[block])
        except (RuntimeError, ValueError, OSError) as error:
            raise corrupt(self._path, "a zarr", error) from error


def _node(path: Path) -> Any:
    """Open the group or array in a folder."""
    import zarr

    try:
        return zarr.open(path, mode="r")
    except (ValueError, KeyError, TypeError, OSError, RuntimeError) as error:
        raise corrupt(path, "a zarr", error) from error


def _attributes(group: Any) -> dict[str, Any]:
    """Return the OME attributes: under "ome" since version 0.5, at the top before."""
    attributes = dict(group.attrs)
    return dict(attributes.get("ome", attributes))


def _scenes(root: Any, path: Path) -> dict[str, Any]:
    """Find every image of a folder by its path within."""
    import zarr

    if isinstance(root, zarr.Array):
        return {"array": root}
    meta = _attributes(root)
    found: dict[str, Any] = {}
    if "multiscales" in meta:
        found["image"] = root
    for name in _series(root, meta):
        child = root.get(name)
        if isinstance(child, zarr.Group) and "multiscales" in _attributes(child):
            found[name] = child
    for name in _attributes(root["labels"]).get("labels", []) if "labels" in root else []:
        child = root.get(f"labels/{name}")
        if isinstance(child, zarr.Group) and "multiscales" in _attributes(child):
            found[f"labels/{name}"] = child
    if not found:
        raise FormatError(f"{path.name} is a zarr group without an OME image (no 'multiscales'); give an array in it")
    return found


def _series(root: Any, meta: dict[str, Any]) -> list[str]:
    """List the children that are images: fields of a plate or well, series of a converted file."""
    if "plate" in meta:
        wells = [w["path"] for w in meta["plate"].get("wells", [])]
        return [f"{w}/{i['path']}" for w in wells for i in _attributes(root[w]).get("well", {}).get("images", [])]
    if "well" in meta:
        return [i["path"] for i in meta["well"].get("images", [])]
    if "bioformats2raw.layout" in meta:
        listed = _attributes(root["OME"]).get("series") if "OME" in root else None
        return list(listed) if listed else sorted((k for k in root.group_keys() if k.isdigit()), key=int)
    return []


def _array(node: Any, name: str, path: Path) -> Any:
    """Return a dataset of a pyramid."""
    import zarr

    array = node.get(name)
    if not isinstance(array, zarr.Array):
        raise FormatError(f"{path.name} is incomplete: its level {name!r} is missing; get it again")
    return array


def _axes(meta: dict[str, Any], ndim: int) -> str:
    """Read the names of the axes; any the house does not know become ``?``."""
    listed = meta.get("axes") or _OLD_AXES[5 - ndim :]
    names = [str(a["name"] if isinstance(a, dict) else a).lower() for a in listed]
    return "".join(n if n in _OLD_AXES else "?" for n in names)


def _voxel_size(meta: dict[str, Any], dataset: dict[str, Any], axes: str) -> VoxelSize:
    """Multiply the scales of the dataset and of the whole; without a unit they mean pixels."""
    scale = np.ones(len(axes))
    for transform in [
        *dataset.get("coordinateTransformations", []),
        *meta.get("coordinateTransformations", []),
    ]:
        if transform.get("type") == "scale":
            scale = scale * np.asarray(transform["scale"], float)
    units = [a.get("unit") if isinstance(a, dict) else None for a in meta.get("axes", [None] * len(axes))]
    pairs = zip(axes, scale, units, strict=True)
    return VoxelSize(**{a: in_micrometres(s, unit) for a, s, unit in pairs if a in "zyx"})


def _channel_names(meta: dict[str, Any]) -> tuple[str, ...]:
    names = tuple(str(c.get("label", "")) for c in meta.get("omero", {}).get("channels", []))
    return names if any(names) else ()
