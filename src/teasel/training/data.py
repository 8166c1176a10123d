"""Folders of images and labels, read into memory as normalised pairs."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import AxesError, DataError, InputNotFound, ParameterError, ShapeError
from teasel.images import Image, is_image_path, open_image
from teasel.inference.stack import find_anisotropy
from teasel.labels import read_labels
from teasel.labels.files import read_voxel_size
from teasel.models.roles import distinct

__all__ = ["Item", "Pair", "find_pairs", "median_diameter", "normalise", "read_items"]

SUFFIXES = ("cp_masks", "labels", "label", "masks", "mask", "seg", "instances")
HELD_OUT = 0.1


@dataclass(frozen=True)
class Pair:
    """Paths of one image and its labels, and the part of the split they belong to (``"train"`` or ``"val"``)."""

    image: Path
    labels: Path
    split: str


@dataclass(frozen=True)
class Item:
    """One training image in memory.

    Parameters
    ----------
    name : str
        ``<set>/<file stem>``.
    image : ndarray of float32, shape (c, [z,] y, x)
        Normalised so that percentiles 1 and 99.8 are 0 and 1; c is 1 (grey), 3 (colour), or one per role.
    labels : ndarray of int32, shape ([z,] y, x)
        0 background, -1 unknown.
    diameter_px : float
        Median equivalent diameter of its objects, in pixels along y and x; NaN if it has none.
    anisotropy : float
        Distance between the planes of a stack over the width of a pixel.
    """

    name: str
    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    diameter_px: float
    anisotropy: float = 1.0

    def scales(self, scale: float) -> tuple[float, ...]:
        """Return the factor per axis by which pixels become squares or cubes of `scale` per pixel along y and x."""
        return (scale * self.anisotropy,) * (self.labels.ndim - 2) + (scale, scale)


def find_pairs(folder: str | Path) -> list[Pair]:
    """Find images and their labels in a folder.

    Two layouts are understood: ``images/`` and ``labels/`` with equal file stems, with an optional ``split.csv``
    (columns ``id,split``); or images beside their labels, named ``<stem>_labels.tif``, ``<stem>.labels.tif``,
    ``<stem>_masks.png`` and the like.

    Parameters
    ----------
    folder : path
        The folder.

    Returns
    -------
    list of Pair
        Sorted by file name. Without ``split.csv`` a tenth, chosen by a hash of the name, is for validation.

    Raises
    ------
    InputNotFound
        If the folder does not exist.
    DataError
        If it holds no pair of image and labels.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputNotFound(f"no folder {folder}; give a folder with images/ and labels/, or with pairs of files")
    if (folder / "images").is_dir() and (folder / "labels").is_dir():
        truth = {p.stem: p for p in sorted((folder / "labels").iterdir()) if is_image_path(p)}
        found = [(p.stem, p) for p in sorted((folder / "images").iterdir()) if is_image_path(p) and p.stem in truth]
    else:
        files = [p for p in sorted(folder.iterdir()) if is_image_path(p)]
        truth = {stem: p for p in files if (stem := _stem_of_labels(p))}
        found = [(p.stem, p) for p in files if p.stem in truth and p != truth[p.stem]]
    if not found:
        raise DataError(
            f"no pairs of image and labels in {folder}; expected images/ and labels/ with equal names, "
            "or files like a.tif beside a_labels.tif"
        )
    split = _read_split(folder / "split.csv")
    return [Pair(image, truth[stem], split.get(stem) or _hashed_split(stem)) for stem, image in found]


def read_items(
    pairs: Iterable[Pair], name: str, *, roles: Sequence[str] = (), ndim: int = 2, anisotropy: float = 0.0
) -> Iterator[Item]:
    """Read pairs one by one, normalised; see `Item`.

    Parameters
    ----------
    pairs : iterable of Pair
        What to read.
    name : str
        The set's, in front of each image's name.
    roles : sequence of str
        What the channels of a network show, see `ModelSpec`; each image then holds the first, or the first few, of
        the distinct roles in this order, and each channel is normalised on its own.
    ndim : int
        3 if stacks are wanted as wholes: how far apart their planes are then has to be known.
    anisotropy : float
        Distance between planes over the width of a pixel; 0 if the files say it.

    Raises
    ------
    ShapeError
        If an image and its labels differ in size, or an image has more channels than there are roles.
    ParameterError
        If a stack does not say how far apart its planes are, and `anisotropy` does not either.
    """
    for pair in pairs:
        labels = np.asarray(read_labels(pair.labels)).astype(np.int32)
        named = not roles and labels.ndim == 2
        image = open_image(pair.image) if named else _open_beside(pair.image, labels.shape)
        pixels = image.read().astype(np.float32)
        if "c" not in image.axes:
            pixels = pixels[None]
        elif image.axes.index("c") != 0:
            pixels = np.moveaxis(pixels, image.axes.index("c"), 0)
        if pixels.shape[1:] != labels.shape:
            raise ShapeError(f"{pair.image} has {pixels.shape[1:]} pixels, {pair.labels} has {labels.shape}")
        if all(np.array_equal(channel, pixels[0]) for channel in pixels[1:]):
            pixels = pixels[:1]  # a grey picture saved in colour
        if roles and len(pixels) > len(distinct(roles)):
            raise ShapeError(
                f"{pair.image} has {len(pixels)} channels, the roles are {', '.join(distinct(roles))}; "
                "save those that show them, in this order, or leave roles out"
            )
        parts = [normalise(channel[None]) for channel in pixels] if roles else [normalise(pixels)]
        ratio = _anisotropy(pair, image, anisotropy) if ndim == 3 and labels.ndim == 3 else 1.0
        diameter = median_diameter(labels, ratio)
        yield Item(f"{name}/{pair.image.stem}", np.concatenate(parts), labels, diameter, ratio)


def _anisotropy(pair: Pair, image: Image, given: float) -> float:
    """Return how far apart planes are, as given, or as the image or else its labels say."""
    if not given and None in image.voxel_size_um.along("zyx"):
        image = replace(image, voxel_size_um=read_voxel_size(pair.labels))
        if None in image.voxel_size_um.along("zyx"):
            raise ParameterError(
                f"{pair.image} does not say how far apart its planes are; give --anisotropy (distance of planes over "
                "pixel width, 1 if voxels are cubes)"
            )
    return find_anisotropy(image, given or None)[0]


def _open_beside(path: Path, shape: tuple[int, ...]) -> Image:
    """Open an image; where a file does not name its axes, those that fit its labels are space, the other channels."""
    try:
        return open_image(path)
    except AxesError:
        space = "zyx"[-len(shape) :]
        for axes in ("c" + space, space + "c"):
            with suppress(AxesError):
                image = open_image(path, axes=axes)
                if tuple(image.sizes[axis] for axis in space) == shape:
                    return image
        raise


def normalise(pixels: NDArray[np.float32], low: float = 1.0, high: float = 99.8) -> NDArray[np.float32]:
    """Map percentiles of all pixels (channels together) to 0 and 1; a constant image becomes 0."""
    a, b = np.percentile(pixels, (low, high))
    return ((pixels - a) / max(b - a, 1e-6)).astype(np.float32)


def median_diameter(labels: NDArray[np.integer], anisotropy: float = 1.0) -> float:
    """Median over objects of the diameter of the disc (ball) of equal area (volume), in pixels; NaN without objects."""
    areas = np.bincount(np.maximum(labels, 0).ravel())[1:]
    areas = areas[areas > 0]
    if len(areas) == 0:
        return float("nan")
    size = 2 * (areas / np.pi) ** 0.5 if labels.ndim == 2 else 2 * (areas * anisotropy * 0.75 / np.pi) ** (1 / 3)
    return float(np.median(size))


def _stem_of_labels(path: Path) -> str | None:
    """Return the stem of the image that a label file belongs to, or None if it is not named like labels."""
    for suffix in SUFFIXES:
        for joint in "_-.":
            if path.stem.endswith(joint + suffix):
                return path.stem[: -len(joint + suffix)]
    return None


def _read_split(path: Path) -> dict[str, str]:
    """Read ``id,split`` rows; an absent file is an empty table."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row["split"] for row in csv.DictReader(file)}


def _hashed_split(stem: str) -> str:
    """Choose the part of the split by the name, so that it never changes."""
    value = int.from_bytes(hashlib.sha256(stem.encode()).digest()[:4], "big") / 2**32
    return "val" if value < HELD_OUT else "train"
