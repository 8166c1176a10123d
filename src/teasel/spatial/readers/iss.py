"""In situ sequencing and plain tables: a gene, x and y per row, as pciSeq and many others take them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from teasel.geometry import VoxelSize
from teasel.spatial.codebook import is_blank_name
from teasel.spatial.readers._base import Reader, header_of, make_spots, read_table
from teasel.spatial.spots import Spots

__all__ = ["Iss"]

_GENES = ("gene", "target", "gene_name", "name", "feature_name")
_OTHERS = ("quality", "score", "intensity", "cell", "cell_id", "fov", "round", "channel", "radius")


class Iss(Reader):
    """Coordinates in pixels; columns of any case, ``Gene``, ``x``, ``y`` and perhaps ``z``."""

    name: ClassVar[str] = "iss"
    priority: ClassVar[int] = -10

    def sniff(self, path: Path) -> bool:
        """Know it by a gene and two coordinates."""
        names = {name.lower() for name in header_of(path)}
        return {"x", "y"} <= names and bool(names & set(_GENES))

    def read(self, path: Path, voxel_size_um: VoxelSize | None) -> Spots:
        """Read spots; positions outside the image, such as -1, are kept and noted."""
        names = {name.lower(): name for name in header_of(path)}
        gene = next(names[name] for name in _GENES if name in names)
        axes = [names[axis] for axis in "zyx" if axis in names]
        columns = {gene: "gene"} | {names[name]: name for name in _OTHERS if name in names}
        table = read_table(path, [gene, *axes], columns)
        spots = make_spots(table, axes, columns, voxel_size_um=voxel_size_um)
        outside = int((spots.positions_px < -0.5).any(axis=1).sum())
        notes = (*spots.notes, *([f"{outside} spots lie at negative coordinates"] if outside else []))
        blank = np.array([is_blank_name(str(name)) for name in spots["gene"]], bool)
        return Spots(spots.positions_px, spots.columns | {"blank": blank}, spots.voxel_size_um, notes)
