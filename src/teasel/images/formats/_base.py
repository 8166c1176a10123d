"""The contract of a file format: know it by its content, open it lazily, and perhaps write it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from teasel.errors import FormatError, MissingDependency, ParameterError
from teasel.geometry import VoxelSize
from teasel.images.lazy import LazyArray

__all__ = ["Format", "Found", "missing", "pick_level", "pick_scene"]


@dataclass(frozen=True)
class Found:
    """What a file holds, before its axes are put in the order of the house.

    Parameters
    ----------
    data : LazyArray
        The values as they lie in the file.
    axes : str
        One letter per dimension of `data`: ``t c z y x``; ``s`` for the samples of a colour picture (red,
        green, blue and perhaps alpha); ``?`` for a dimension that the file does not explain.
    voxel_size_um : VoxelSize
        Micrometres per voxel, as far as the file says.
    channel_names : tuple of str
        Names along c, if the file has them.
    notes : tuple of str
        What was assumed or is missing.
    levels : tuple of tuple of int
        Shape of each level of the pyramid, in the order of `axes`; empty if there is one.
    """

    data: LazyArray
    axes: str
    voxel_size_um: VoxelSize
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    levels: tuple[tuple[int, ...], ...] = ()


class Format(ABC):
    """One file format. One subclass per file in this folder; the room finds it by itself."""

    name: ClassVar[str]
    """Name for people."""
    suffixes: ClassVar[tuple[str, ...]]
    """Endings of file names, lower case, with the dot."""
    saves: ClassVar[tuple[str, ...]] = ()
    """Endings it can write; empty if it only reads."""
    priority: ClassVar[int] = 0
    """Where two formats know a content (a slide is also a TIFF), the higher one has it."""

    @abstractmethod
    def sniff(self, path: Path, head: bytes) -> bool:
        """Say whether the content is of this format, from the first 4096 bytes (none for a folder)."""

    @abstractmethod
    def scenes(self, path: Path) -> tuple[str, ...]:
        """List the names of the scenes, at least one."""

    @abstractmethod
    def open(self, path: Path, scene: str, level: int) -> Found:
        """Open one scene of `scenes` at one level of its pyramid, reading no more than the header."""

    def save(
        self, path: Path, array: Any, *, axes: str, voxel_size_um: VoxelSize, channel_names: Sequence[str]
    ) -> None:
        """Write an array to `path`, which is a temporary name already; only for formats with `saves`."""
        raise NotImplementedError(f"{self.name} is only read")


def missing(package: str, format_name: str) -> Callable[[ImportError], MissingDependency]:
    """Return what turns a failed import into the error that says how to get the package."""

    def turn(error: ImportError) -> MissingDependency:
        return MissingDependency(
            f"reading {format_name} needs the package {package}; install it with: "
            f'pip install "teasel[formats]" (the import said: {error})'
        )

    return turn


def pick_scene(scene: str, scenes: Sequence[str], path: Path) -> int:
    """Return the index of a scene by its name.

    Examples
    --------
    >>> pick_scene("B", ("A", "B"), Path("a.lif"))
    1
    """
    if scene in scenes:
        return list(scenes).index(scene)
    shown = ", ".join(map(repr, scenes[:20])) + (" ..." if len(scenes) > 20 else "")
    raise ParameterError(f"{path.name} has no scene {scene!r}; there are {len(scenes)}: {shown}")


def pick_level(level: int, count: int, path: Path) -> int:
    """Return the level if the pyramid has it."""
    if not 0 <= level < count:
        raise ParameterError(f"{path.name} has no level {level}; its pyramid has levels 0 to {count - 1}")
    return level


def corrupt(path: Path, what: str, error: BaseException) -> FormatError:
    """Return the error for a file that cannot be read though its beginning looks right."""
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return FormatError(
        f"{path.name} begins like {what}, but cannot be read: {said}; the file is corrupt or truncated, get it again"
    )
