"""CosMx (NanoString / Bruker): ``*_tx_file.csv``."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from teasel.geometry import VoxelSize
from teasel.spatial.codebook import is_blank_name
from teasel.spatial.readers._base import Reader, header_of, make_spots, read_table
from teasel.spatial.spots import Spots

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


class Cosmx(Reader):
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

    def read(self, path: Path, voxel_size_um: VoxelSize | None) -> Spots:
        """Read transcripts; ``vendor_cell`` counts from 1 in each field, 0 is none."""
        whole = {"x_global_px", "y_global_px"} <= set(header_of(path))
        axes = ("y_global_px", "x_global_px") if whole else ("y_local_px", "x_local_px")
        table = read_table(path, (*_NEEDED, *axes), _COLUMNS)
        size, notes = voxel_size_um, []
        if size is None or not size.known("yx"):
            size = VoxelSize(y=_PIXEL_UM, x=_PIXEL_UM)
            notes.append(f"pixels of {_PIXEL_UM} um, as documented; the file does not say")
        if not whole:
            notes.append("positions are those within each field: the file has none of the whole slide")
        spots = make_spots(table, axes, _COLUMNS, voxel_size_um=size, notes=notes)
        return spots.with_columns(blank=np.array([is_blank_name(str(gene)) for gene in spots["gene"]], bool))
