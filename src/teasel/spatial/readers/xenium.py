"""Xenium (10x Genomics): ``transcripts.parquet``, ``transcripts.csv`` and ``.csv.gz``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import numpy as np

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.spatial.codebook import is_blank_name
from teasel.spatial.readers._base import Reader, header_of, make_spots, read_table
from teasel.spatial.spots import Spots

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


class Xenium(Reader):
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

    def read(self, path: Path, voxel_size_um: VoxelSize | None) -> Spots:
        """Read transcripts; unassigned ones have an empty ``vendor_cell``."""
        size, notes = voxel_size_um, []
        if size is None or not size.known("yx"):
            size, note = _pixel_size(path)
            notes.append(note)
        table = read_table(path, _NEEDED, _COLUMNS)
        axes = ("y_location", "x_location")
        spots = make_spots(table, axes, _COLUMNS, per_pixel=(size.y or 1, size.x or 1), voxel_size_um=size, notes=notes)
        changed = {"blank": np.array([is_blank_name(str(gene)) for gene in spots["gene"]], bool)}
        if "vendor_cell" in spots.columns:
            cell = spots["vendor_cell"].astype(str)
            changed["vendor_cell"] = np.where(np.isin(cell, ("UNASSIGNED", "-1")), "", cell)
        return spots.with_columns(**changed)


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
