"""MERlin: barcodes as its task ExportBarcodes writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from teasel.geometry import VoxelSize
from teasel.spatial.readers._base import Layout, TableReader, header_of, make_spots
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    import pandas

__all__ = ["Merlin"]

_NEEDED = ("barcode_id", "fov", "x", "y")
_COLUMNS = {
    "barcode_id": "word",
    "fov": "field",
    "z": "plane",
    "mean_intensity": "intensity",
    "max_intensity": "max_intensity",
    "area": "area_px",
    "mean_distance": "distance",
    "min_distance": "min_distance",
    "global_x": "x_in_slide_um",
    "global_y": "y_in_slide_um",
    "cell_index": "vendor_cell",
}


class Merlin(TableReader):
    """Coordinates in pixels of the field; ``word`` is the row of the codebook.

    References
    ----------
    MERlin, ``merlin.analysis.exportbarcodes`` and ``merlin.util.barcodedb``, doi:10.5281/zenodo.3758540.
    """

    name: ClassVar[str] = "merlin"
    priority: ClassVar[int] = 5

    def sniff(self, path: Path) -> bool:
        """Know it by its columns; MERSCOPE's has a gene as well."""
        names = set(header_of(path))
        return set(_NEEDED) <= names and "gene" not in names

    def layout(self, path: Path, voxel_size_um: VoxelSize | None) -> Layout:
        """Read barcodes; genes are in the codebook: ``np.array(codebook.names)[spots["word"]]``."""
        notes = ["the file has no names of genes: 'word' is the row of the codebook"]

        def convert(table: pandas.DataFrame) -> Spots:
            return make_spots(table, ("y", "x"), _COLUMNS, voxel_size_um=voxel_size_um, notes=notes)

        return Layout(_NEEDED, _COLUMNS, convert)
