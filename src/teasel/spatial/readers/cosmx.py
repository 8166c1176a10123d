"""CosMx (NanoString / Bruker): ``*_tx_file.csv``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from teasel.geometry import VoxelSize
from teasel.spatial.readers._base import Layout, TableReader, are_blank, header_of, make_spots
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    import pandas

__all__ = ["Cosmx"]

_NEEDED = ("fov", "target", "x_local_px", "y_local_px")
_COLUMNS = {
    "target": "gene",
    "fov": "field",
    "cell_ID": "vendor_cell",
    "z": "plane",
    "CellComp": "compartment",
    "x_local_px": "x_in_field",
    "y_local_px": "y_in_field",
}
_PIXEL_UM = 0.12028


class Cosmx(TableReader):
    """Coordinates in pixels of the whole slide; those within the field of view are kept beside them.

    References
    ----------
    "CosMx SMI data file formats", NanoString; pixels of 0.12028 um. In some exports y runs upwards: check it.
    """

    name: ClassVar[str] = "cosmx"
    priority: ClassVar[int] = 10

    def sniff(self, path: Path) -> bool:
        """Know it by its columns."""
        return set(_NEEDED) <= set(header_of(path))

    def layout(self, path: Path, voxel_size_um: VoxelSize | None) -> Layout:
        """Read transcripts; ``vendor_cell`` counts from 1 in each field, 0 is none."""
        whole = {"x_global_px", "y_global_px"} <= set(header_of(path))
        axes = ("y_global_px", "x_global_px") if whole else ("y_local_px", "x_local_px")
        size, notes = voxel_size_um, []
        if size is None or not size.known("yx"):
            size = VoxelSize(y=_PIXEL_UM, x=_PIXEL_UM)
            notes.append(f"pixels of {_PIXEL_UM} um, as documented; the file does not say")
        if not whole:
            notes.append("positions are those within each field: the file has none of the whole slide")

        def convert(table: pandas.DataFrame) -> Spots:
            spots = make_spots(table, axes, _COLUMNS, voxel_size_um=size, notes=notes)
            return spots.with_columns(blank=are_blank(spots["gene"]))

        return Layout((*_NEEDED, *axes), _COLUMNS, convert)
