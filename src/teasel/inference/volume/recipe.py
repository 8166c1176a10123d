"""What decides the result of a run, and where the run keeps what it has done."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from teasel.agglomeration import Agglomeration, Connected, Height, MutexWatershed
from teasel.errors import ParameterError
from teasel.geometry import VoxelSize
from teasel.inference.volume.grid import Grid
from teasel.inference.volume.source import AffinitySource
from teasel.inference.volume.store import WorkFolder

__all__ = ["CHUNK", "Job", "Recipe", "whole_chunks"]

CHUNK = (64, 64, 64)
"""Voxels of a chunk of the result, whatever the blocks: so its files are the same too."""


def whole_chunks(shape: tuple[int, int, int], block: tuple[int, int, int]) -> Grid:
    """Return blocks of whole chunks, about as large as a block.

    Examples
    --------
    >>> whole_chunks((500, 500, 500), (100, 150, 31)).block
    (64, 128, 64)
    """
    sizes = [c * max(1, b // c) for c, b in zip(CHUNK, block, strict=True)]
    return Grid(shape, (sizes[0], sizes[1], sizes[2]))


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; blocks, workers and memory do not.

    Parameters
    ----------
    source : AffinitySource
        The affinities.
    height : Height
        The landscape whose hills are supervoxels.
    method : Agglomeration, MutexWatershed or Connected
        How supervoxels become segments; the last one takes no supervoxels.
    threshold : float
        Affinity in [0, 1] below which nothing is merged; of an `Agglomeration`.
    background : float
        Openness in [0, 1] below which a voxel belongs to nothing.
    origin : tuple of (str, str)
        What the affinities were made from: image, model and its digest.
    """

    source: AffinitySource
    height: Height = field(default_factory=Height)
    method: Agglomeration | MutexWatershed | Connected = field(default_factory=Agglomeration)
    threshold: float = 0.5
    background: float = 0.0
    origin: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name in ("threshold", "background"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected 0 .. 1")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "method": {"name": type(self.method).__name__, **asdict(self.method)}}

    def description(self) -> dict[str, Any]:
        """Return plain values to keep with the result: the source by its name, so that no folder is in them."""
        content = self.to_dict()
        content["source"]["path"] = Path(self.source.path).name
        return content

    @property
    def keeps_graph(self) -> bool:
        """Whether the result keeps supervoxels and their graph; connected components are numbered by block."""
        return not isinstance(self.method, Connected)

    @property
    def digest(self) -> str:
        """SHA-256 of the recipe and of what its source says of itself."""
        content = self.to_dict() | {"shape": self.source.shape, "voxel_size": self.source.voxel_size_um.along("zyx")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Job:
    """A recipe, the blocks it is carried out in, and the folder; small enough to send with every task.

    Parameters
    ----------
    recipe : Recipe
    folder : str
        Work folder that every worker sees.
    shape, block : tuple of int
        Voxels (z, y, x) of the volume, and of the blocks.
    """

    recipe: Recipe
    folder: str
    shape: tuple[int, int, int]
    block: tuple[int, int, int]

    @property
    def voxel_size_um(self) -> VoxelSize:
        """Edge lengths of a voxel."""
        return self.recipe.source.voxel_size_um

    @property
    def grid(self) -> Grid:
        """The blocks in which voxels are worked on."""
        return Grid(self.shape, self.block)

    @property
    def regions(self) -> Grid:
        """The blocks in which the result is written: whole chunks, about as many voxels as a block."""
        return whole_chunks(self.shape, self.block)

    @property
    def work(self) -> WorkFolder:
        """What depends on the size of the blocks."""
        return WorkFolder(str(Path(self.folder) / "x".join(map(str, self.block))))

    @property
    def result(self) -> Path:
        """Where the result grows."""
        return Path(self.folder) / "result.ome.zarr"
