"""Plate, well and field of an image: from the names that plate readers give their files, and from OME-Zarr plates."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from teasel.errors import FormatError, ParameterError
from teasel.measurement.table import Measurements

__all__ = ["NAMINGS", "WellPosition", "add_wells", "find_well", "plate_positions"]

_WELL = r"(?P<row>[A-P])(?P<column>0[1-9]|1\d|2[0-4])"  # up to 384 wells, as letters and two digits
_PATTERNS = {
    "OME-Zarr": r"(?P<plate>[^/]+?)(?:\.ome)?\.zarr/(?P<row>[A-Z]{1,2})/(?P<column>\d{1,2})/(?P<field>\d+)",
    "Operetta": r"\br(?P<row>\d{2})c(?P<column>\d{2})f(?P<field>\d+)p(?P<z>\d+)(?:rc\d+)?-ch(?P<channel>\d+)"
    r"(?:sk(?P<time>\d+))?",
    "Opera": r"(?:^|/)(?P<row>\d{3})(?P<column>\d{3})(?P<field>\d{3})\.flex\b",
    "Columbus": r"(?:^|/)(?P<row>\d{3})(?P<column>\d{3})-(?P<time>\d+)-(?P<field>\d{3})(?P<z>\d{3})"
    r"(?P<channel>\d{3})\b",
    "CellVoyager": r"(?:^|/)(?:(?P<plate>[^/]+)_)?(?P<row>[A-P])(?P<column>\d{2})_T(?P<time>\d{4})F(?P<field>\d{3})"
    r"L\d{2}A\d{2}Z(?P<z>\d{2})C(?P<channel>\d{2})",
    "ImageXpress": rf"(?:^|/)(?:(?P<plate>[^/]+?)_)?{_WELL}(?:_s(?P<field>\d+)(?:_w(?P<channel>\d))?|_w(?P<only>\d))"
    r"(?![^/]*_thumb)",
    "InCell": r"(?:^|/)(?P<row>[A-P]) - (?P<column>\d{1,2})\(fld (?P<field>\d+)(?: wv (?P<channel>[^)]+))?\)",
    "Nikon": rf"(?:^|[/_])Well{_WELL}(?![0-9A-Za-z])(?:_[Cc]hannel(?P<channel>[^_/]+))?",
    "plain": rf"(?:^|/)(?:(?P<plate>[^/]+)[_-])?{_WELL}(?:[_-](?P<field>\d+))?$",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}
_SUFFIX = re.compile(r"(?:\.(?:labels|objects|ome))*\.(?:tiff?|png|jpe?g|npy|nd2|czi|lif|bmp|zarr|csv)$", re.IGNORECASE)
_NOT_PLATES = re.compile(r"Images|TimePoint_\d+|Tiff|Data|\.|", re.IGNORECASE)  # folders within that of the plate

NAMINGS = tuple(_PATTERNS)
"""The ways of naming that are known, in the order in which they are tried."""


@dataclass(frozen=True)
class WellPosition:
    """Where on a plate an image was taken.

    Parameters
    ----------
    plate : str
        Name of the plate: from the file's name, else of its folder; ``""`` if neither says.
    well : str
        Letter (or two) and two digits, such as ``"B03"``.
    field : int, optional
        Field of view (site), as counted in the name.
    channel : str
        As in the name; ``""`` if it does not say.
    z, time : int, optional
        Plane and time point, as counted in the name.
    naming : str
        Whose way of naming it is, one of `NAMINGS`.
    """

    plate: str
    well: str
    field: int | None = None
    channel: str = ""
    z: int | None = None
    time: int | None = None
    naming: str = "plain"


def find_well(path: str | os.PathLike[str]) -> WellPosition | None:
    """Read plate, well and field from the name of an image.

    Parameters
    ----------
    path : path-like
        Name or path of an image; a scene of a plate is ``plate.zarr/B/03/0``.

    Returns
    -------
    WellPosition or None
        None if the name is of no known kind.

    Notes
    -----
    Known are the names of Operetta and Opera Phenix (``r02c03f04p01-ch1sk1fk1fl1.tiff``), Opera (``002003004.flex``),
    Columbus, ImageXpress (``Plate1_B03_s4_w1.TIF``), CellVoyager (``..._B03_T0001F004L01A01Z01C01.tif``), InCell
    (``B - 03(fld 4 wv DAPI).tif``), Nikon (``WellB03_...``), and plain ones: ``B03``, ``plate1_B03_4``. The plain kind
    is any name that ends so: an embryo of day E14 is taken for a well.

    Examples
    --------
    >>> found = find_well("screen/Plate1_B03_s4_w2.TIF")
    >>> found.plate, found.well, found.field, found.channel, found.naming
    ('Plate1', 'B03', 4, '2', 'ImageXpress')
    >>> find_well("r02c03f04p01-ch1sk1fk1fl1.tiff").well, find_well("embryo.tif")
    ('B03', None)
    """
    text = PurePath(path).as_posix().replace("\\", "/")
    for naming, pattern in _COMPILED.items():
        match = pattern.search(_SUFFIX.sub("", text) if naming == "plain" else text)
        if match is not None:
            return _position(match.groupdict(), naming, text)
    return None


def plate_positions(path: str | os.PathLike[str]) -> dict[str, WellPosition]:
    """List the fields of an OME-Zarr plate.

    Parameters
    ----------
    path : path-like
        A ``.zarr`` with plate metadata (HCS).

    Returns
    -------
    dict of str to WellPosition
        By the name of the scene, as `teasel.open_image` takes it; in the order of the plate.

    Raises
    ------
    FormatError
        If it is no plate.
    """
    import zarr

    from teasel.images import list_scenes

    scenes = list_scenes(path)
    attributes: dict[str, Any] = dict(zarr.open_group(path, mode="r").attrs)
    plate = attributes.get("ome", attributes).get("plate")
    if plate is None:
        raise FormatError(f"{path} has no plate metadata; expected an OME-Zarr plate (HCS)")
    name = str(plate.get("name") or _SUFFIX.sub("", Path(path).name))
    found = {}
    for scene in scenes:
        row, column, field = scene.split("/")
        fields = {"row": row, "column": column, "field": field if field.isdigit() else None, "plate": name}
        found[scene] = _position(fields, "OME-Zarr", str(path))
    return found


def add_wells(table: Measurements, *, strict: bool = True) -> Measurements:
    """Add the columns ``plate``, ``well`` and ``field`` to a table, from the names of its images.

    Parameters
    ----------
    table : Measurements
        With a column ``image``.
    strict : bool
        Raise an error if the name of an image says no well; else the table comes back as it is, unless the names of all
        images say one.

    Returns
    -------
    Measurements
        With the new columns; ``field`` is ``""`` where a name does not say.

    Raises
    ------
    ParameterError
        If there is no column ``image``, or the name of an image says no well.
    """
    if not strict and ("image" not in table.objects or {"plate", "well"} <= set(table.objects)):
        return table
    if "image" not in table.objects:
        raise ParameterError("the table has no column 'image', from which wells are known; measure with image names")
    names, which = np.unique(table.objects["image"].astype(str), return_inverse=True)
    found = [find_well(name) for name in names.tolist()]
    strange = [name for name, position in zip(names.tolist(), found, strict=True) if position is None]
    if not strict and (strange or not found):
        return table
    if strange:
        raise ParameterError(f"{len(strange)} images say no well in their names, the first is {strange[0]!r}")
    known = [position for position in found if position is not None]
    columns = {
        "plate": [position.plate for position in known],
        "well": [position.well for position in known],
        "field": ["" if position.field is None else str(position.field) for position in known],
    }
    return replace(
        table,
        objects={**table.objects, **{key: np.array(value, str)[which.ravel()] for key, value in columns.items()}},
    )


def _position(fields: dict[str, Any], naming: str, text: str) -> WellPosition:
    """Make a position of what a pattern found."""
    row = fields["row"]
    letters = _letters(int(row)) if row.isdigit() else row
    numbers = {key: int(fields[key]) if fields.get(key) else None for key in ("field", "z", "time")}
    return WellPosition(
        plate=fields.get("plate") or _folder(text),
        well=f"{letters}{int(fields['column']):02d}",
        channel=fields.get("channel") or fields.get("only") or "",
        naming=naming,
        **numbers,
    )


def _letters(row: int) -> str:
    """Return the letters of a row by its number: 1 is A, 27 is AA."""
    return chr(64 + row) if row <= 26 else "A" + chr(64 + row - 26)


def _folder(text: str) -> str:
    """Return the folder that stands for the plate, passing over those that every plate has."""
    for parent in PurePath(text).parents:
        if not _NOT_PLATES.fullmatch(parent.name):
            return parent.name
    return ""
