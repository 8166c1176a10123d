"""What is measured, read block by block: labels, an image on the same grid, and what both say about space."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import AxesError, DataError, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images import Image, open_image
from teasel.images.lazy import LazyArray, as_lazy

__all__ = ["Pixels", "open_labels", "open_pixels"]

Block = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Pixels:
    """The channels of one frame, on the grid of the labels.

    Parameters
    ----------
    image : Image
        The image.
    channels : tuple of str
        Their names as they appear in the names of features.
    frame : int or None
        Time point, in a series.
    plane : int, str or None
        Which plane of a stack the labels are of: its number, or ``"max"``.
    """

    image: Image
    channels: tuple[str, ...]
    frame: int | None = None
    plane: int | str | None = None

    def read(self, channel: int, block: Block) -> NDArray[Any]:
        """Read one channel of a block given as a slice per spatial axis of the labels."""
        axes = [a for a in self.image.axes if a in "zyx"]
        if self.plane is not None:
            axes.remove("z")
        selection: dict[str, Any] = dict(zip(axes, block, strict=True))
        if "c" in self.image.axes:
            selection["c"] = channel
        if self.frame is not None:
            selection["t"] = self.frame
        if isinstance(self.plane, int):
            selection["z"] = self.plane
        values = self.image.read(**selection)
        if self.plane == "max":
            values = values.max(axis=0)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise DataError(
                f"channel {self.channels[channel]} holds NaN or infinite values, of which nothing can be measured; "
                "set them to a number first (teasel.images.finite does)"
            )
        return values.astype(np.uint8) if values.dtype == bool else values


def open_labels(labels: Any, name: str = "labels") -> LazyArray:
    """Take labels of any kind as an array that is read when sliced, and check their type.

    Parameters
    ----------
    labels : path, ndarray, LazyArray or Image
        Label image; OME-Zarr folders and memory maps are read block by block.
    name : str
        What to call them in an error.

    Raises
    ------
    DataError
        If they are no whole numbers.
    InputNotFound, FormatError
        If there is no such file, or it holds no labels.
    """
    if isinstance(labels, str | os.PathLike):
        labels = _open_label_file(Path(labels))
    if isinstance(labels, Image):
        if "c" in labels.axes:
            raise AxesError(f"{name} has {labels.sizes['c']} channels; expected one number per voxel")
        labels = labels.data
    array = as_lazy(labels if hasattr(labels, "shape") and hasattr(labels, "dtype") else np.asarray(labels))
    if array.dtype.kind not in "iu":
        kind = "a mask, in which touching objects cannot be told apart" if array.dtype == bool else f"{array.dtype}"
        raise DataError(
            f"{name} is {kind}; expected whole numbers, a number per object and 0 for background"
            + (
                " (teasel.labels.check_labels turns whole numbers kept as floats into integers)"
                if array.dtype.kind == "f"
                else " (teasel.labels.connected_labels numbers the pieces of a mask)"
            )
        )
    return array


def open_pixels(
    image: Any,
    shape: Sequence[int],
    *,
    channels: Sequence[int | str] | None = None,
    z: int | str | None = None,
    axes: str | None = None,
    voxel_size_um: VoxelSize | None = None,
) -> tuple[Image, tuple[int, ...], tuple[str, ...], int | str | None]:
    """Open the image and see that the labels fit it.

    Parameters
    ----------
    image : path, ndarray or Image
        Anything `teasel.open_image` takes.
    shape : sequence of int
        Shape of the labels.
    channels : sequence of int or str, optional
        Which channels, by number from 0 or name; all if not given.
    z : int or str, optional
        Which plane the labels are of: a number from 0, or ``"max"`` for the maximum projection.
    axes, voxel_size_um
        As for `teasel.open_image`.

    Returns
    -------
    image : Image
    chosen : tuple of int
        Numbers of the channels.
    names : tuple of str
        What they are called in the names of features.
    plane : int, str or None

    Raises
    ------
    ShapeError
        If labels and image differ in shape.
    ParameterError
        If there is no such channel or plane, or it must be said which plane.
    """
    opened = _open_image(image, axes, voxel_size_um)
    plane = _plane(opened, len(shape), z)
    expected = tuple(n for a, n in opened.sizes.items() if a != "c" and not (a == "z" and plane is not None))
    if tuple(shape) != expected:
        raise ShapeError(
            f"labels have shape {tuple(shape)}, the image {expected} along "
            f"{''.join(a for a in opened.axes if a != 'c' and not (a == 'z' and plane is not None))}; "
            "labels and image must be of the same field, frame by frame and pixel by pixel"
        )
    chosen = _channels(opened, channels)
    return opened, chosen, _names(opened, chosen), plane


class _Channels(LazyArray):
    """Several images of one field as the channels of one."""

    def __init__(self, images: Sequence[Image], at: int) -> None:
        first = images[0]
        shape = [n for a, n in first.sizes.items() if a != "c"]
        self._images = [(image, i) for image in images for i in range(image.sizes.get("c", 1))]
        self._at = at
        super().__init__([*shape[:at], len(self._images), *shape[at:]], first.dtype)

    def read_block(self, block: Block) -> NDArray[Any]:
        """Read the channels of a block, each from its image."""
        chosen = self._images[block[self._at]]
        rest = [s for i, s in enumerate(block) if i != self._at]
        parts = []
        for image, channel in chosen:
            selection: dict[str, Any] = dict(zip([a for a in image.axes if a != "c"], rest, strict=True))
            parts.append(image.read(**selection, **({"c": channel} if "c" in image.axes else {})))
        return np.stack(parts, axis=self._at)


def _open_image(image: Any, axes: str | None, voxel_size_um: VoxelSize | None) -> Image:
    """Open one image, or several of one field as the channels of one."""
    if not (isinstance(image, list | tuple) and image and isinstance(image[0], str | os.PathLike | Image)):
        return open_image(image, axes=axes, voxel_size_um=voxel_size_um)
    images = [open_image(one, axes=axes, voxel_size_um=voxel_size_um) for one in image]
    if len(images) == 1:
        return images[0]
    kinds = {(tuple((a, n) for a, n in one.sizes.items() if a != "c"), str(one.dtype)) for one in images}
    if len(kinds) > 1:
        listing = "; ".join(f"{_stem(one)}: {one.axes} {one.shape}, {one.dtype}" for one in images)
        raise ShapeError(f"images of one field must have the same size and type; got {listing}")
    names = [name or _stem(one) for one in images for name in (one.channel_names or ("",))]
    axes_of = images[0].axes.replace("c", "")
    at = 1 if axes_of.startswith("t") else 0
    joined = f"{axes_of[:at]}c{axes_of[at:]}"
    return Image(_Channels(images, at), joined, images[0].voxel_size_um, tuple(names), source=images[0].source)


def _stem(image: Image) -> str:
    return image.source.name.split(".")[0] if image.source else ""


def _open_label_file(path: Path) -> Any:
    """Open a label file: large ones are read block by block, the others whole."""
    from teasel.labels import read_labels

    if path.name.lower().rstrip("/").endswith(".zarr") and path.is_dir():
        opened = open_image(path)
        return opened if "c" not in opened.axes else read_labels(path)
    return read_labels(path)


def _plane(image: Image, label_ndim: int, z: int | str | None) -> int | str | None:
    """Decide which plane of a stack the labels are of; None if they are of all of it."""
    if "z" not in image.axes:
        if z not in (None, 0, "max"):
            raise ParameterError(f"plane {z!r} asked for; the image has no z axis")
        return None
    depth, rest = image.sizes["z"], "t" in image.axes
    if label_ndim == 3 + rest:
        return None
    if z is None and depth == 1:
        return 0
    if z is None:
        raise ParameterError(
            f"the labels are of one plane, the image is a stack of {depth}; say which plane they are of with --z 0 .. "
            f"--z {depth - 1}, or --z max for the maximum projection (z= in Python)"
        )
    if z == "max":
        return "max"
    if not (str(z).isdigit() and int(z) < depth):
        raise ParameterError(f"z is {z!r}; expected a plane from 0 to {depth - 1}, or 'max'")
    return int(z)


def _channels(image: Image, wanted: Sequence[int | str] | None) -> tuple[int, ...]:
    """Return the numbers of the channels to measure."""
    n = image.sizes.get("c", 1)
    if wanted is None:
        return tuple(range(n))
    listing = ", ".join(f"{i}" + (f" ({name})" if name else "") for i, name in enumerate(image.channel_names or ("",)))
    found = []
    for one in wanted:
        if str(one) in image.channel_names:
            found.append(image.channel_names.index(str(one)))
        elif str(one).isdigit() and int(one) < n:
            found.append(int(one))
        else:
            raise ParameterError(f"no channel {one!r} to measure; the image has {listing}")
    return tuple(dict.fromkeys(found))


def _names(image: Image, chosen: Sequence[int]) -> tuple[str, ...]:
    """Return names fit for columns: letters, digits, dots and dashes; numbered where the file has none."""
    known = image.channel_names or ("",)
    names = [re.sub(r"[^\w.+-]+", "_", known[i]).strip("_") or f"channel{i}" for i in chosen]
    return tuple(name if names.count(name) == 1 else f"{name}{i}" for name, i in zip(names, chosen, strict=True))
