"""Xenium (10x Genomics): ``transcripts.parquet``, ``transcripts.csv`` and ``.csv.gz``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.spatial.readers._base import Layout, TableReader, are_blank, header_of, make_spots
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    import pandas

__all__ = ["Xenium"]

_NEEDED = ("feature_name", "x_location", "y_location")
_COLUMNS = {
    "feature_name": "gene",
    "cell_id": "vendor_cell",
    "z_location": "depth_um",
    "qv": "qv",
    "overlaps_nucleus": "in_nucleus",
    "nucleus_distance": "nucleus_distance_um",
    "fov_name": "field",
    "codeword_category": "category",
    "transcript_id": "id",
}


class Xenium(TableReader):
    """Coordinates in micrometres from the corner of the image; pixels by ``experiment.xenium`` beside the file.

    References
    ----------
    "Xenium In Situ output files", 10x Genomics; pixels of 0.2125 um unless the experiment says otherwise.
    """

    name: ClassVar[str] = "xenium"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".csv", ".csv.gz")
    priority: ClassVar[int] = 10

    def sniff(self, path: Path) -> bool:
        """Know it by its columns."""
        return set(_NEEDED) <= set(header_of(path))

    def layout(self, path: Path, voxel_size_um: VoxelSize | None) -> Layout:
        """Read transcripts; unassigned ones have an empty ``vendor_cell``."""
        size, notes = voxel_size_um, []
        if size is None or not size.known("yx"):
            size, note = _pixel_size(path)
            notes.append(note)
        axes, per_pixel = ("y_location", "x_location"), (size.y or 1, size.x or 1)

        def convert(table: pandas.DataFrame) -> Spots:
            spots = make_spots(table, axes, _COLUMNS, per_pixel=per_pixel, voxel_size_um=size, notes=notes)
            changed = {"blank": are_blank(spots["gene"])}
            if "vendor_cell" in spots.columns:
                cell = spots["vendor_cell"].astype(str)
                changed["vendor_cell"] = np.where(np.isin(cell, ("UNASSIGNED", "-1")), "", cell)
            return spots.with_columns(**changed)

        return Layout(_NEEDED, _COLUMNS, convert)


def _pixel_size(path: Path) -> tuple[VoxelSize, str]:
    """Return the pixel size of the experiment, and where it comes from."""
    beside = path.parent / "experiment.xenium"
    if not beside.is_file():
        return VoxelSize(y=1.0, x=1.0), "no experiment.xenium beside the file: positions are in pixels of 1 um"
    try:
        size = float(json.loads(beside.read_text("utf-8"))["pixel_size"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{beside.name} does not say the pixel size: {error}") from error
    return VoxelSize(y=size, x=size), f"pixels of {size:g} um, as experiment.xenium says"
