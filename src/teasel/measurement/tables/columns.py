"""Measurements as plain columns, each described: what CSV, Parquet and XLSX have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.measurement.table import Feature, Measurements, Relation

__all__ = ["Column", "Contents", "columns_of", "contents_of", "measurements_of", "parse_contents", "undescribed"]

OBJECT, PLACE, FEATURE = "object", "place", "feature"
_PLACE = re.compile(r"centroid_([zyx])_(um|px)")
_OBJECT_COLUMNS = {
    "label": "Number of the object in the label image.",
    "image": "Image that the object is in.",
    "frame": "Frame of the time series, from 0.",
    "score": "Probability that the object overlaps a true one with an intersection over union of at least 0.5.",
    "plate": "Plate, from the name of the image.",
    "well": "Well, from the name of the image.",
    "field": "Field of view within the well, from the name of the image.",
    "touches_border": "Whether the object lies at the border of the image, which may cut it.",
}


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table, and what it means.

    Parameters
    ----------
    feature : Feature
        Name, channel, compartment, unit, definition, family.
    kind : str
        ``"object"`` (which object the row is), ``"place"`` or ``"feature"``.
    values : ndarray, shape (n,)
        int64, float64, bool or str.
    """

    feature: Feature
    kind: str
    values: NDArray[Any]

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.feature.name

    @property
    def type(self) -> str:
        """``"integer"``, ``"number"``, ``"boolean"`` or ``"string"``."""
        return {"i": "integer", "u": "integer", "f": "number", "b": "boolean"}.get(self.values.dtype.kind, "string")


@dataclass(frozen=True)
class Contents:
    """What a table holds beside its columns: settings and relations, as JSON can keep them."""

    settings: dict[str, Any]
    relations: list[dict[str, Any]]


def columns_of(table: Measurements) -> list[Column]:
    """List the columns of a table: objects, places, features.

    Examples
    --------
    >>> table = Measurements(np.ones((1, 1)), (Feature("a"),), {"label": np.array([1])}, np.zeros((1, 2)))
    >>> [column.name for column in columns_of(table)]
    ['label', 'centroid_y_um', 'centroid_x_um', 'a']
    """
    unit = table.spatial_unit
    found = []
    for name, values in table.objects.items():
        feature = Feature(name, unit="", compartment="", definition=_OBJECT_COLUMNS.get(name, ""), family="")
        found.append(Column(feature, OBJECT, _plain_type(values)))
    for axis, values in zip("zyx"[3 - table.spatial_um.shape[1] :], table.spatial_um.T, strict=True):
        words = f"Centroid along {axis}, from the centre of the first voxel."
        feature = Feature(f"centroid_{axis}_{unit}", unit=unit, compartment="", definition=words)
        found.append(Column(feature, PLACE, values))
    return found + [Column(f, FEATURE, v) for f, v in zip(table.features, table.values.T, strict=True)]


def measurements_of(columns: Sequence[Column], contents: Contents, where: str) -> Measurements:
    """Put a table together from its columns; the inverse of `columns_of`.

    Raises
    ------
    FormatError
        If there is no column ``label``.
    """
    objects = {column.name: column.values for column in columns if column.kind == OBJECT}
    if "label" not in objects:
        raise FormatError(f"{where} has no column 'label'; expected a table with a row per object")
    n = len(objects["label"])
    places = [column for column in columns if column.kind == PLACE]
    units = {column.name.rsplit("_", 1)[1] for column in places} or {"px"}
    features = [column for column in columns if column.kind == FEATURE]
    return Measurements(
        values=_side_by_side(features, n),
        features=tuple(column.feature for column in features),
        objects=objects,
        spatial_um=_side_by_side(sorted(places, key=lambda column: "zyx".index(column.name.split("_")[1])), n),
        spatial_unit=units.pop(),
        settings=contents.settings,
        relations=tuple(
            Relation(one["parent"], one["child"], np.array(one["pairs"], np.int64).reshape(-1, 2), one["image"])
            for one in contents.relations
        ),
    )


def undescribed(values: dict[str, NDArray[Any]]) -> list[Column]:
    """Describe the columns of a table that does not: by their names, and whether they hold numbers.

    Notes
    -----
    What names an object (``label``, ``image``, ``well`` ...), text and truth values say which object a row is; places
    are ``centroid_y_um`` and so on, or in ``px`` where there are none in ``um``; all else is a feature of unknown unit.
    """
    found = {name: match[2] for name in values if (match := _PLACE.fullmatch(name))}
    unit = "um" if "um" in found.values() else "px"
    columns = []
    for name, column in values.items():
        identity = name in _OBJECT_COLUMNS or column.dtype.kind not in "iuf"
        kind = OBJECT if identity else PLACE if found.get(name) == unit else FEATURE
        about = Feature(name, unit="" if kind != PLACE else unit, compartment="" if kind != FEATURE else "object")
        columns.append(Column(about, kind, column if kind == OBJECT else column.astype(np.float64)))
    return columns


def contents_of(table: Measurements, settings: dict[str, Any] | None) -> Contents:
    """Return settings (those of the table and more) and relations in the types that JSON has."""
    from importlib.metadata import version

    relations = [
        {"parent": one.parent, "child": one.child, "image": one.image, "pairs": one.pairs.tolist()}
        for one in table.relations
    ]
    merged = {"teasel": version("teasel"), **table.settings, **(settings or {})}
    return Contents(json.loads(json.dumps(merged, default=_plain)), relations)


def parse_contents(text: str | bytes | None) -> Contents:
    """Read what `contents_of` gave, from JSON."""
    stored = json.loads(text) if text else {}
    return Contents(stored.get("settings", {}), stored.get("relations", []))


def _side_by_side(columns: Sequence[Column], n: int) -> NDArray[np.float64]:
    if not columns:
        return np.zeros((n, 0))
    return np.column_stack([column.values for column in columns]).astype(np.float64).reshape(n, len(columns))


def _plain_type(values: NDArray[Any]) -> NDArray[Any]:
    """Return a column as int64, float64, bool or str."""
    array = np.asarray(values)
    types: dict[str, Any] = {"i": np.int64, "u": np.int64, "f": np.float64, "b": bool}
    return array.astype(types.get(array.dtype.kind, str))


def _plain(value: Any) -> Any:
    """Return what JSON does not know as something it does."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"settings hold a {type(value).__name__}, which cannot be written; give numbers and text")
