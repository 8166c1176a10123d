"""What a worker must know to segment a block of a slide."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from teasel.geometry import VoxelSize
from teasel.images import Image, open_image
from teasel.inference.plane import Plane
from teasel.inference.volume.grid import Box, Grid, grow
from teasel.inference.volume.store import WorkFolder

__all__ = ["CHUNK", "SlideJob", "SlideRecipe"]

CHUNK = (1, 1024, 1024)
"""Pixels of a chunk of the result, whatever the blocks."""


@dataclass(frozen=True)
class SlideRecipe:
    """Everything that decides the result; workers and memory do not.

    Parameters
    ----------
    image, model : str
        Path of the image; name or folder of the model.
    digest_of_model : str
    axes : str, optional
        Of the image, where the file does not say.
    pixel_size_um : float, optional
        Where the file does not say.
    fixed : tuple of (str, int or str)
        Index along t and z, where the image has them.
    channels : tuple of int
    low, high : tuple of float
        Values that become 0 and 1.
    scale : float
        Network pixels per image pixel.
    block_px, overlap_px : int
        Edge of a block's core, and how far it reads beyond it, in image pixels.
    tile_px : int
        Edge of the tiles in which the network runs.
    diameter_px : float or None
        Object diameter that set the scale, in image pixels.
    diameter_source : str
        ``"estimated"``, ``"given"`` or ``"not found"``.
    notes : tuple of str
        What was found or assumed about the image.
    """

    image: str
    model: str
    digest_of_model: str
    axes: str | None
    pixel_size_um: float | None
    fixed: tuple[tuple[str, int | str], ...]
    channels: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    scale: float
    block_px: int
    overlap_px: int
    tile_px: int
    diameter_px: float | None
    diameter_source: str
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def description(self) -> dict[str, Any]:
        """Return plain values to keep with the result: files by their names, so that no folder is in them."""
        return self.to_dict() | {"image": Path(self.image).name, "model": Path(self.model).name}

    @property
    def digest(self) -> str:
        """SHA-256 of the recipe."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    @property
    def opened(self) -> Image:
        """The image, opened once per process."""
        return _open(self.image, self.axes, self.pixel_size_um)

    @property
    def plane(self) -> Plane:
        """The plane that is segmented."""
        return Plane(self.opened, dict(self.fixed), self.low, self.high, self.channels)


@lru_cache(maxsize=2)
def _open(path: str, axes: str | None, size: float | None) -> Image:
    return open_image(path, axes=axes, voxel_size_um=VoxelSize(y=size, x=size) if size else None)


@dataclass(frozen=True)
class SlideJob:
    """A recipe and where it is carried out; small enough to send with every task."""

    recipe: SlideRecipe
    folder: str
    shape: tuple[int, int, int]

    @property
    def voxel_size_um(self) -> VoxelSize:
        """Edge lengths of a pixel."""
        return self.recipe.opened.voxel_size_um

    @property
    def grid(self) -> Grid:
        """The cores of the blocks, from the plane's origin."""
        return Grid(self.shape, (1, self.recipe.block_px, self.recipe.block_px))

    def area(self, number: int) -> Box:
        """Return what a block reads: its core, and some of what lies around it."""
        around = (0, self.recipe.overlap_px, self.recipe.overlap_px)
        return grow(self.grid.box(number), around, around, self.shape)

    def near(self, box: Box) -> list[int]:
        """Return the blocks whose areas share a pixel with a box, in order."""
        around = (0, self.recipe.overlap_px, self.recipe.overlap_px)
        return self.grid.touching(grow(box, around, around, self.shape))

    @property
    def regions(self) -> Grid:
        """The blocks in which the result is written: whole chunks."""
        return Grid(self.shape, (1, 2 * CHUNK[1], 2 * CHUNK[2]))

    @property
    def work(self) -> WorkFolder:
        """Where tasks leave what others need, and their done records."""
        return WorkFolder(self.folder)

    @property
    def result(self) -> Path:
        """Where the result grows."""
        return Path(self.folder) / "result.ome.zarr"
