"""TrackMate (Fiji): spots as CSV of versions 6 and 7, and the XML of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.spatial.readers._base import Reader, header_of, make_spots, read_table
from teasel.spatial.spots import Spots

__all__ = ["TrackMate"]

_NEEDED = ("POSITION_X", "POSITION_Y")
_COLUMNS = {
    "QUALITY": "score",
    "RADIUS": "radius_um",
    "FRAME": "frame",
    "POSITION_Z": "depth_um",
    "ID": "id",
    "TRACK_ID": "track",
    "MEAN_INTENSITY_CH1": "intensity",
    "MEAN_INTENSITY": "intensity",
    "SNR_CH1": "snr",
    "SNR": "snr",
}
_MICRONS = ("micron", "microns", "um", "µm", "μm")


class TrackMate(Reader):
    """Coordinates in units of the image; an XML says the pixel size, a CSV does not.

    References
    ----------
    TrackMate documentation, "Export spots to CSV"; the XML is that of ``TmXmlWriter``.
    """

    name: ClassVar[str] = "trackmate"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".xml")
    priority: ClassVar[int] = 10

    def sniff(self, path: Path) -> bool:
        """Know it by its columns, or its root."""
        if path.suffix.lower() == ".xml":
            with path.open("rb") as file:
                return b"<TrackMate" in file.read(4096)
        return set(_NEEDED) <= set(header_of(path))

    def read(self, path: Path, voxel_size_um: VoxelSize | None) -> Spots:
        """Read spots of all frames, seen or hidden."""
        if path.suffix.lower() == ".xml":
            table, size, notes = _from_xml(path)
        else:
            table, size, notes = _from_csv(path), VoxelSize(), []
        size = voxel_size_um or size
        if not size.known("yx"):
            notes.append("the file does not say the pixel size: coordinates are taken as pixels; give voxel_size_um")
        return make_spots(
            table,
            ("POSITION_Y", "POSITION_X"),
            {old: new for old, new in _COLUMNS.items() if old in table},
            per_pixel=(size.y or 1.0, size.x or 1.0),
            voxel_size_um=size,
            notes=notes,
        )


def _from_csv(path: Path) -> Any:
    """Read a table; version 7 writes names, short names and units below the header."""
    import pandas

    table = read_table(path, _NEEDED, _COLUMNS)
    number = pandas.to_numeric(table["POSITION_X"], errors="coerce")
    words = number.isna() & table["POSITION_X"].notna()
    if words.to_numpy()[3:].any():
        row = int(np.flatnonzero(words)[-1])
        raise FormatError(
            f"{path.name}: POSITION_X is {table['POSITION_X'].iloc[row]!r} in row {row}; expected a number"
        )
    kept = table[~words]
    return kept.apply(lambda column: pandas.to_numeric(column, errors="coerce"))


def _from_xml(path: Path) -> tuple[Any, VoxelSize, list[str]]:
    import pandas

    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise FormatError(f"{path.name} begins like a TrackMate file, but cannot be read: {error}") from error
    model = root.find("Model")
    if root.tag != "TrackMate" or model is None:
        raise FormatError(f"{path.name} is no TrackMate session: the root is {root.tag!r}, expected TrackMate/Model")
    rows = [dict(spot.attrib) for spot in model.iter("Spot")]
    wanted = [*_NEEDED, *_COLUMNS]
    table = pandas.DataFrame(rows, columns=list(dict.fromkeys(wanted))).dropna(axis=1, how="all")
    for name in _NEEDED:
        if name not in table:
            table[name] = np.zeros(0)
    table = table.apply(lambda column: pandas.to_numeric(column, errors="coerce"))
    unit, image = model.get("spatialunits", ""), root.find("Settings/ImageData")
    if image is None:
        return table, VoxelSize(), []
    size = {axis: float(image.get(key, 0)) for axis, key in zip("yx", ("pixelheight", "pixelwidth"), strict=True)}
    if unit.lower() in _MICRONS and min(size.values()) > 0:
        return table, VoxelSize(**size), [f"pixels of {size['x']:g} um, as the file says"]
    note = f"the spatial unit is {unit!r}: coordinates are taken as pixels"
    return table, VoxelSize(), [note] if unit.lower() not in ("pixel", "pixels") else []
