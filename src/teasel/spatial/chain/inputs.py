"""The images of a run: which fields there are, and one plane of them at a time."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import InputNotFound, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images import Image, open_image
from teasel.spatial.chain.recipe import SpatialRecipe
from teasel.spatial.codebook import Codebook
from teasel.spatial.codebook_files import read_codebook

__all__ = ["Inputs"]

_SLOT = re.compile(r"\{(field|round|channel)\}")


class Inputs:
    """What a recipe's images hold; read when asked for.

    Parameters
    ----------
    recipe : SpatialRecipe
        Where they are.

    Raises
    ------
    InputNotFound
        If no file fits the pattern, or a codebook is missing.
    ParameterError
        If bits and codebook do not fit.
    """

    def __init__(self, recipe: SpatialRecipe) -> None:
        self._recipe = recipe
        self.codebook = _with_places(read_codebook(recipe.path(recipe.decode.codebook)), recipe)
        self.fields = recipe.images.fields or find_fields(recipe.path(recipe.images.pattern))
        self.rounds = tuple(sorted(set(self.codebook.rounds.tolist())))

    def digest(self) -> str:
        """Return what tells this run from others: the recipe, the codebook, and the files that the images come from."""
        found = hashlib.sha256(self._recipe.digest().encode())
        found.update(self._recipe.path(self._recipe.decode.codebook).read_bytes())
        if self._recipe.stitch.positions:
            positions = self._recipe.path(self._recipe.stitch.positions)
            found.update(positions.read_bytes() if positions.is_file() else b"")
        channels = sorted({*self.codebook.channels.tolist(), self._recipe.images.align})
        for path in dict.fromkeys(
            self._path(field, number, channel)
            for field in self.fields
            for number in self.rounds
            for channel in channels
        ):
            if not path.exists():
                raise InputNotFound(f"there is no image {path}; check images.pattern, images.fields and images.bits")
            found.update(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode())
        return found.hexdigest()

    def plane(self, field: str, round_number: int, channel: int) -> NDArray[Any]:
        """Read one image ([z,] y, x)."""
        image, chosen = self._open(field, round_number, channel), {}
        if "t" in image.axes and "{round}" not in self._recipe.images.pattern:
            chosen["t"] = round_number
        if "c" in image.axes and "{channel}" not in self._recipe.images.pattern:
            chosen["c"] = channel
        if any(value >= image.sizes[axis] for axis, value in chosen.items()):
            raise ParameterError(
                f"{image.source} has {image.sizes}; there is no round {round_number}, channel {channel} in it"
            )
        plane = image.read(**chosen)
        if plane.ndim not in (2, 3):
            raise ShapeError(f"{image.source} has axes {image.axes!r}; set images.axes, or {{round}} in the pattern")
        return plane

    def voxel_size_um(self, field: str) -> VoxelSize:
        """Return the voxel size: the recipe's, or the file's."""
        size = self._recipe.images.pixel_size_um
        return VoxelSize(y=size, x=size) if size else self._open(field, self.rounds[0], 0).voxel_size_um

    def _open(self, field: str, round_number: int, channel: int) -> Image:
        return open_image(self._path(field, round_number, channel), axes=self._recipe.images.axes or None)

    def _path(self, field: str, round_number: int, channel: int) -> Path:
        names = {"field": field, "round": round_number, "channel": channel}
        pattern = str(self._recipe.path(self._recipe.images.pattern))
        return Path(_SLOT.sub(lambda slot: str(names[slot.group(1)]), pattern))


def find_fields(pattern: Path) -> tuple[str, ...]:
    """List the fields whose files are there, numbers in the order of numbers.

    Raises
    ------
    InputNotFound
        If there is none.
    """
    parts = _SLOT.split(str(pattern))
    texts, slots = parts[::2], parts[1::2]
    seen: set[str] = set()
    built = ""
    for k, text in enumerate(texts):
        built += re.escape(text)
        if k < len(slots):
            group = slots[k] if slots[k] not in seen else None
            built += f"(?P<{group}>[^/]+?)" if group else f"(?P={slots[k]})"
            seen.add(slots[k])
    wild = _SLOT.sub("*", str(pattern))
    base = Path(wild[: wild.index("*")] if "*" in wild else wild)
    base = base if base.is_dir() and wild[: wild.index("*")].endswith("/") else base.parent
    relative = str(Path(wild).relative_to(base)) if "*" in wild else Path(wild).name
    found = {
        match["field"] for path in sorted(base.glob(relative)) if (match := re.fullmatch(built, str(path))) is not None
    }
    if not found:
        raise InputNotFound(f"no file fits the pattern {pattern}; check images.pattern, it counts from the recipe")
    return tuple(sorted(found, key=lambda name: [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", name)]))


def _with_places(codebook: Codebook, recipe: SpatialRecipe) -> Codebook:
    """Say where each bit was imaged."""
    bits = recipe.images.bits
    if not bits:
        return codebook
    if len(bits) != codebook.n_bits:
        raise ParameterError(f"images.bits has {len(bits)} entries, the codebook {codebook.n_bits} bits; one for each")
    rounds, channels = np.array(bits).T
    return Codebook(codebook.names, codebook.words, codebook.blank, codebook.bits, rounds, channels, codebook.blocks)
