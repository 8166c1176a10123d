"""MERSCOPE (Vizgen): ``detected_transcripts.csv``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.spatial.readers._base import Layout, TableReader, are_blank, header_of, make_spots
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    import pandas

__all__ = ["Merscope"]

_NEEDED = ("global_x", "global_y", "gene", "fov")
_COLUMNS = {
    "gene": "gene",
    "fov": "field",
    "global_z": "plane",
    "barcode_id": "word",
    "transcript_id": "id",
    "cell_id": "vendor_cell",
    "x": "x_in_field",
    "y": "y_in_field",
}
_TRANSFORM = "micron_to_mosaic_pixel_transform.csv"


class Merscope(TableReader):
    """Coordinates in micrometres; pixels of the mosaic by ``images/micron_to_mosaic_pixel_transform.csv``.

    References
    ----------
    "MERSCOPE output: detected_transcripts.csv", Vizgen.
    """

    name: ClassVar[str] = "merscope"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz", ".parquet")
    priority: ClassVar[int] = 10

    def sniff(self, path: Path) -> bool:
        """Know it by its columns."""
        return set(_NEEDED) <= set(header_of(path))

    def layout(self, path: Path, voxel_size_um: VoxelSize | None) -> Layout:
        """Read transcripts; blanks are marked."""
        matrix = _transform(path)
        if voxel_size_um is not None and voxel_size_um.known("yx"):
            size = (voxel_size_um.y, voxel_size_um.x)
            per_pixel, offset, note = size, (0.0, 0.0), ""
        elif matrix is not None:
            per_pixel, offset = (1 / matrix[1, 1], 1 / matrix[0, 0]), (matrix[1, 2], matrix[0, 2])
            note = f"pixels of {per_pixel[1]:g} um, as {_TRANSFORM} says"
        else:
            per_pixel, offset = (1.0, 1.0), (0.0, 0.0)
            note = f"no images/{_TRANSFORM} beside the file: positions are in pixels of 1 um"

        def convert(table: pandas.DataFrame) -> Spots:
            spots = make_spots(
                table,
                ("global_y", "global_x"),
                _COLUMNS,
                per_pixel=[float(size or 1) for size in per_pixel],
                voxel_size_um=VoxelSize(y=per_pixel[0], x=per_pixel[1]),
                notes=[note] if note else [],
            )
            moved = replace(spots, positions_px=spots.positions_px + np.array(offset))
            return moved.with_columns(blank=are_blank(spots["gene"]))

        return Layout(_NEEDED, _COLUMNS, convert)


def _transform(path: Path) -> np.ndarray | None:
    """Return the matrix from micrometres (x, y, 1) to pixels, if it is there."""
    beside = path.parent / "images" / _TRANSFORM
    if not beside.is_file():
        return None
    try:
        matrix = np.loadtxt(beside)
    except ValueError as error:
        raise FormatError(f"{beside.name} is no table of numbers: {error}") from error
    if matrix.shape != (3, 3) or abs(matrix[0, 1]) > 1e-9 or abs(matrix[1, 0]) > 1e-9:
        raise FormatError(f"{beside.name} is no 3 x 3 matrix of scale and shift; turned mosaics are not known")
    return np.asarray(matrix)
