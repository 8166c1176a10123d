"""What is to be exported, from where, and where it grows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from teasel.errors import ParameterError
from teasel.inference.volume.file import VolumeFile
from teasel.inference.volume.grid import Grid
from teasel.inference.volume.store import WorkFolder

__all__ = ["TARGETS", "Export", "ExportJob"]

TARGETS = {
    "layer": "labels (and the image) for Neuroglancer, cloud-volume and tensorstore, at several scales",
    "meshes": "surfaces beside that layer",
    "skeletons": "centre lines beside that layer",
    "obj": "a surface per object, micrometres",
    "ply": "a surface per object, micrometres",
    "swc": "a centre line per object with radii, micrometres",
}
"""What can be written."""

MESHES, LINES = {"meshes", "obj", "ply"}, {"skeletons", "swc"}


@dataclass(frozen=True)
class Export:
    """What to write of which objects.

    Parameters
    ----------
    labels : VolumeFile
        Label image, 0 background.
    image : VolumeFile, optional
        The image it belongs to, of the same shape.
    targets : tuple of str
        Out of `TARGETS`.
    segments : tuple of int
        Objects that get surfaces and centre lines; all if empty.
    min_voxels : int
        Smaller objects get none.
    fewer_faces : int
        Surfaces are thinned to about one face in so many, where that moves them by less than a voxel; 1 keeps all.
    """

    labels: VolumeFile
    image: VolumeFile | None = None
    targets: tuple[str, ...] = ("layer", "meshes")
    segments: tuple[int, ...] = ()
    min_voxels: int = 0
    fewer_faces: int = 8

    def __post_init__(self) -> None:
        unknown = [name for name in self.targets if name not in TARGETS]
        if unknown or not self.targets:
            raise ParameterError(
                f"cannot export {', '.join(unknown) or 'nothing'}; expected out of {', '.join(TARGETS)}"
            )
        if self.fewer_faces < 1 or self.min_voxels < 0:
            raise ParameterError(
                f"fewer_faces {self.fewer_faces}, min_voxels {self.min_voxels}; expected 1 or more, and 0 or more"
            )

    @property
    def wants_meshes(self) -> bool:
        """Whether surfaces are needed."""
        return bool(MESHES & set(self.targets))

    @property
    def wants_lines(self) -> bool:
        """Whether centre lines are needed."""
        return bool(LINES & set(self.targets))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """SHA-256 of what is asked for."""
        content = self.to_dict() | {"shape": self.labels.shape}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class ExportJob:
    """An export, the blocks it is carried out in, and the folder; small enough to send with every task."""

    export: Export
    folder: str
    shape: tuple[int, int, int]
    block: tuple[int, int, int]
    spacing_um: tuple[float, float, float]

    @property
    def grid(self) -> Grid:
        """The blocks."""
        return Grid(self.shape, self.block)

    @property
    def work(self) -> WorkFolder:
        """Where tasks leave what others need, and their done records."""
        return WorkFolder(str(Path(self.folder) / "x".join(map(str, self.block))))

    @property
    def result(self) -> Path:
        """Where the result grows."""
        return Path(self.folder) / "result"
