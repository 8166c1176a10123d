"""Where affinities come from: a file of affinities or of boundaries, read piece by piece as 8-bit affinities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration import UNIT_OFFSETS, affinities_of_boundaries, quantise
from teasel.errors import AxesError, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.inference.volume.grid import Box, grow, index_of, shift

__all__ = ["AffinitySource"]

Offsets = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class AffinitySource:
    """Affinities of a volume, lazily read.

    Parameters
    ----------
    path : str
        Any file that `teasel.open_image` takes; zarr is read chunk by chunk.
    kind : str
        "affinities": a channel per step; or "boundaries": one value per voxel, high on borders.
    offsets : tuple of (int, int, int)
        For affinities: the step (z, y, x) of each channel; the first three are one voxel along z, y and x.
    previous : bool
        For affinities: whether a value tells of the voxel and the one *before* it (as in CREMI and waterz) rather than
        the one after it.
    voxel_size : tuple of float, optional
        Micrometres (z, y, x), where the file does not say.
    """

    path: str
    kind: str = "affinities"
    offsets: Offsets = UNIT_OFFSETS
    previous: bool = False
    voxel_size: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("affinities", "boundaries"):
            raise ParameterError(f"kind is {self.kind!r}; expected 'affinities' or 'boundaries'")
        if self.offsets[:3] != UNIT_OFFSETS:
            raise ParameterError(f"offsets begin {self.offsets[:3]}; expected one voxel along z, y and x first")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels (z, y, x) of the volume; a plane has z of 1."""
        sizes = _open(self).sizes
        return sizes.get("z", 1), sizes["y"], sizes["x"]

    @property
    def voxel_size_um(self) -> VoxelSize:
        """Edge lengths of a voxel, where they are known."""
        size = _open(self).voxel_size_um if self.voxel_size is None else VoxelSize(*self.voxel_size)
        assert isinstance(size, VoxelSize)
        return size

    def check(self) -> None:
        """Open the file, and raise ShapeError if it does not have the channels that the offsets name."""
        image = _open(self)
        if self.kind == "affinities" and image.sizes["c"] != len(self.offsets):
            raise ShapeError(
                f"{self.path} has {image.sizes['c']} channels; expected {len(self.offsets)}, one affinity for each "
                f"step {self.offsets}: say which steps it holds"
            )

    def read(self, box: Box, n_channels: int | None = None) -> NDArray[np.uint8]:
        """Read the first channels of a box, uint8 (c, z, y, x); 0 where a step leaves the volume."""
        n = len(self.offsets) if n_channels is None else n_channels
        if self.kind == "boundaries":
            wide = grow(box, (0, 0, 0), (1, 1, 1), self.shape)
            found = affinities_of_boundaries(quantise(_values(self, wide)))
            core = index_of(shift(box, wide))
            return np.ascontiguousarray(found[:, core[0], core[1], core[2]])
        if not self.previous:
            return np.ascontiguousarray(quantise(_values(self, box, slice(0, n))))
        found = np.zeros((n, *(b - a for a, b in box)), np.uint8)
        for channel, offset in enumerate(self.offsets[:n]):
            moved = tuple((a + o, b + o) for (a, b), o in zip(box, offset, strict=True))
            there = tuple((max(0, a), min(size, b)) for (a, b), size in zip(moved, self.shape, strict=True))
            if all(a < b for a, b in there):
                found[channel][index_of(shift(there, moved))] = quantise(_values(self, there, channel))
        return found


@lru_cache(maxsize=4)
def _open(source: AffinitySource) -> Any:
    """Open the file once per process, and check its axes."""
    from teasel.images import open_image

    wanted = "czyx" if source.kind == "affinities" else "zyx"
    try:
        image = open_image(source.path)
    except AxesError:  # the file does not name its axes
        image = open_image(source.path, axes=wanted)
    if image.axes not in (wanted, wanted.replace("z", "")):
        raise AxesError(f"{source.path} has axes {image.axes!r}; {source.kind} have {wanted!r}")
    return image


def _values(source: AffinitySource, box: Box, channels: slice | int | None = None) -> NDArray[np.generic]:
    """Read a box of the file, with an axis z in any case."""
    image = _open(source)
    area: dict[str, Any] = dict(zip("zyx", index_of(box), strict=True))
    if channels is not None:
        area["c"] = channels
    if "z" in image.axes:
        return np.asarray(image.read(**area))
    del area["z"]
    return np.expand_dims(np.asarray(image.read(**area)), -3)
