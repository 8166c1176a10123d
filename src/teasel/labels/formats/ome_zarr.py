"""Label images in OME-Zarr 0.4 and 0.5: alone, or beside the pixels of their image under ``labels/NAME``.

The metadata are those of https://ngff.openmicroscopy.org ("labels" and "image-label").
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from teasel.errors import FormatError, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.labels.dtype import to_smallest

__all__ = ["SUFFIXES", "TAKES", "add", "image_of", "matches", "read", "write"]

SUFFIXES = (".zarr",)
TAKES = ("version",)
_AXES = {2: "yx", 3: "zyx", 4: "tzyx"}


def matches(path: Path) -> bool:
    """Say whether a path is an OME-Zarr, or labels in one: ``image.zarr/labels/NAME``."""
    return path.name.lower().endswith(SUFFIXES) or image_of(path) is not None


def image_of(path: Path) -> Path | None:
    """Return the image that labels at ``IMAGE.zarr/.../labels/NAME`` belong to; None elsewhere.

    Examples
    --------
    >>> image_of(Path("a.zarr/labels/nuclei")).name
    'a.zarr'
    """
    within = any(parent.name.lower().endswith(SUFFIXES) for parent in path.parents)
    return path.parent.parent if within and path.parent.name == "labels" else None


def read(path: Path) -> NDArray:
    """Read the finest level of labels; axes t and z of length 1 are dropped.

    Notes
    -----
    Of an image with labels, the labels are read if there is one set of them. A zarr without either mark is taken as
    labels if it has one value per pixel.

    Raises
    ------
    FormatError
        If the image has several sets of labels or several channels, or is broken.
    """
    from teasel.images import open_image

    image = open_image(path, scene=_scene(path))
    single = [axis for axis in "tcz" if image.sizes.get(axis) == 1]
    if image.sizes.get("c", 1) > 1:
        raise FormatError(f"{path} has {image.sizes['c']} channels; expected one label per pixel")
    return image.read(**dict.fromkeys(single, 0))


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize, version: str = "0.5") -> None:
    """Write labels that stand alone, of shape ([t,] [z,] y, x), with a pyramid of every second pixel.

    Parameters
    ----------
    path : pathlib.Path
        Folder to make.
    labels : ndarray of int
        0 or more.
    voxel_size_um : VoxelSize
        Kept as scale and unit.
    version : str
        ``"0.5"`` (zarr 3) or ``"0.4"`` (zarr 2).
    """
    import zarr

    from teasel.images import write_multiscale

    write_multiscale(
        path, to_smallest(labels), axes=_axes(labels), voxel_size_um=voxel_size_um, version=version, is_labels=True
    )
    group = zarr.open_group(path, mode="r+")
    attributes: dict[str, Any] = dict(group.attrs)
    attributes.get("ome", attributes)["image-label"].pop("source", None)  # there is no image two folders up
    group.attrs.update(attributes)


def add(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Write labels into the image they belong to, in its version.

    Parameters
    ----------
    path : pathlib.Path
        ``IMAGE.zarr/labels/NAME``; the name must be new.
    labels : ndarray of int, shape ([t,] [z,] y, x)
        0 or more, on the pixels of the image.
    voxel_size_um : VoxelSize
        The image's own if nothing is known.

    Raises
    ------
    ParameterError
        If there are labels of that name.
    FormatError, ShapeError
        If there is no image, or it has another size.
    """
    from teasel.images import add_labels, open_image

    image = image_of(path)
    if image is None or not image.is_dir():
        raise FormatError(f"{path}: there is no OME-Zarr image {image}; to write labels alone, give a name with .zarr")
    if path.exists():
        raise ParameterError(f"{path} is there already; choose another name, or remove it first")
    if voxel_size_um == VoxelSize():
        voxel_size_um = open_image(image, scene="image").voxel_size_um
    add_labels(image, path.name, to_smallest(labels), axes=_axes(labels), voxel_size_um=voxel_size_um)


def _scene(path: Path) -> str | None:
    """Return which image of a zarr holds the labels; None if there is only one."""
    from teasel.images import list_scenes

    found = list_scenes(path)
    labels = [scene for scene in found if scene.startswith("labels/")]
    if len(labels) > 1:
        raise FormatError(
            f"{path} holds {len(labels)} sets of labels: {', '.join(labels)}; say which, such as {path}/{labels[0]}"
        )
    return labels[0] if labels else (found[0] if len(found) == 1 else None)


def _axes(labels: NDArray) -> str:
    if labels.ndim not in _AXES or not labels.size:
        raise ShapeError(f"labels have shape {labels.shape}; OME-Zarr takes (y, x), (z, y, x) or (t, z, y, x)")
    return _AXES[labels.ndim]
