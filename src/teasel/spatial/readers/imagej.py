"""ImageJ and Fiji: results tables with X and Y, as measurements and "Find Maxima" write them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from teasel.geometry import VoxelSize
from teasel.spatial.readers._base import Reader, header_of, make_spots, read_table
from teasel.spatial.spots import Spots

__all__ = ["ImageJ"]

_COLUMNS = {
    "Mean": "intensity",
    "Area": "area",
    "Slice": "plane",
    "Z": "plane",
    "Frame": "frame",
    "Ch": "channel",
    "Max": "peak",
    "Count": "count",
    "Label": "label",
}


class ImageJ(Reader):
    """Coordinates in units of the image: pixels unless it was calibrated; XM, YM where there is no X, Y.

    Notes
    -----
    ImageJ counts from the corner of the image: the centre of its first pixel is 0.5, for measured points and
    centroids. "Find Maxima" writes whole numbers, which are the pixels themselves. Which it is shows in the numbers:
    positions that are not all whole are moved by half a pixel, with a note.
    """

    name: ClassVar[str] = "imagej"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".txt", ".xls")
    priority: ClassVar[int] = -20

    def sniff(self, path: Path) -> bool:
        """Know it by capital X and Y, or XM and YM, and no gene."""
        names = set(header_of(path))
        return {"X", "Y"} <= names or {"XM", "YM"} <= names

    def read(self, path: Path, voxel_size_um: VoxelSize | None) -> Spots:
        """Read points."""
        axes = ("Y", "X") if {"X", "Y"} <= set(header_of(path)) else ("YM", "XM")
        size = voxel_size_um or VoxelSize()
        table = read_table(path, axes, _COLUMNS)
        columns = {old: new for old, new in _COLUMNS.items() if old in table}
        spots = make_spots(table, axes, columns, per_pixel=(size.y or 1.0, size.x or 1.0), voxel_size_um=size)
        positions, notes = spots.positions_px, list(spots.notes)
        if len(spots) and not np.array_equal(positions, np.round(positions)):
            positions = positions - 0.5
            notes.append("ImageJ counts from the corner of the image: positions are moved by half a pixel")
        if not size.known("yx"):
            notes.append("the file does not say the pixel size: coordinates are taken as pixels")
        return Spots(positions, spots.columns, size, tuple(notes))
