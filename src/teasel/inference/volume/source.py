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
        """Voxels (z, y, x) of the volume."""
        z, y, x = _open(self).shape[-3:]
        return z, y, x

    @property
    def voxel_size_um(self) -> VoxelSize:
        """Edge lengths of a voxel, where they are known."""
        size = _open(self).voxel_size_um if self.voxel_size is None else VoxelSize(*self.voxel_size)
        assert isinstance(size, VoxelSize)
        return size

    def check(self) -> None:
        """Open the file, and raise ShapeError if it does not have the channels that the offsets name."""
        shape = _open(self).shape
        if self.kind == "affinities" and shape[0] != len(self.offsets):
            raise ShapeError(
                f"{self.path} has {shape[0]} channels; expected {len(self.offsets)}, one affinity for each step "
                f"{self.offsets}: say which steps it holds"
            )

    def read(self, box: Box, n_channels: int | None = None) -> NDArray[np.uint8]:
        """Read the first channels of a box, uint8 (c, z, y, x); 0 where a step leaves the volume."""
        n = len(self.offsets) if n_channels is None else n_channels
        data = _open(self).data
        if self.kind == "boundaries":
            wide = grow(box, (0, 0, 0), (1, 1, 1), self.shape)
            found = affinities_of_boundaries(quantise(np.asarray(data[index_of(wide)])))
            core = index_of(shift(box, wide))
            return np.ascontiguousarray(found[:, core[0], core[1], core[2]])
        if not self.previous:
            return np.ascontiguousarray(quantise(np.asarray(data[(slice(0, n), *index_of(box))])))
        found = np.zeros((n, *(b - a for a, b in box)), np.uint8)
        for channel, offset in enumerate(self.offsets[:n]):
            moved = tuple((a + o, b + o) for (a, b), o in zip(box, offset, strict=True))
            there = tuple((max(0, a), min(size, b)) for (a, b), size in zip(moved, self.shape, strict=True))
            if all(a < b for a, b in there):
                values = quantise(np.asarray(data[(channel, *index_of(there))]))
                found[(channel, *index_of(shift(there, moved)))] = values
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
    if image.axes != wanted:
        raise AxesError(f"{source.path} has axes {image.axes!r}; {source.kind} have {wanted!r}")
    return image
