"""In situ sequencing and plain tables: a gene, x and y per row, as pciSeq and many others take them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from teasel.geometry import VoxelSize
from teasel.spatial.readers._base import Layout, TableReader, are_blank, header_of, make_spots
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    import pandas

__all__ = ["Iss"]

_GENES = ("gene", "target", "gene_name", "name", "feature_name")
_OTHERS = ("quality", "score", "intensity", "cell", "cell_id", "fov", "round", "channel", "radius")


class Iss(TableReader):
    """Coordinates in pixels; columns of any case, ``Gene``, ``x``, ``y`` and perhaps ``z``."""

    name: ClassVar[str] = "iss"
    priority: ClassVar[int] = -10

    def sniff(self, path: Path) -> bool:
        """Know it by a gene and two coordinates."""
        names = {name.lower() for name in header_of(path)}
        return {"x", "y"} <= names and bool(names & set(_GENES))

    def layout(self, path: Path, voxel_size_um: VoxelSize | None) -> Layout:
        """Read spots; positions outside the image, such as -1, are kept and noted."""
        names = {name.lower(): name for name in header_of(path)}
        gene = next(names[name] for name in _GENES if name in names)
        axes = [names[axis] for axis in "zyx" if axis in names]
        columns = {gene: "gene"} | {names[name]: name for name in _OTHERS if name in names}

        def convert(table: pandas.DataFrame) -> Spots:
            spots = make_spots(table, axes, columns, voxel_size_um=voxel_size_um)
            outside = int((spots.positions_px < -0.5).any(axis=1).sum())
            notes = (*spots.notes, *([f"{outside} spots lie at negative coordinates"] if outside else []))
            return replace(spots.with_columns(blank=are_blank(spots["gene"])), notes=notes)

        return Layout([gene, *axes], columns, convert)
