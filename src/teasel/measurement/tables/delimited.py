"""Tables as CSV: UTF-8, commas, decimal points, a row per object; beside it a file that describes the columns.

``cells.csv-metadata.json`` is metadata as in "CSV on the Web" (https://www.w3.org/TR/tabular-metadata): type, unit,
channel, compartment and definition of every column, and the settings.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.images.atomic import atomic_path
from teasel.measurement.table import Feature, Measurements
from teasel.measurement.tables.columns import (
    Column,
    Contents,
    columns_of,
    contents_of,
    measurements_of,
    undescribed,
)

__all__ = ["SUFFIXES", "companion", "read", "write"]

SUFFIXES = (".csv",)
_KEYS = ("channel", "compartment", "unit", "definition", "family")
_TRUTH = {"true": True, "false": False}


def companion(path: Path) -> Path:
    """Return where the description of a CSV lies."""
    return path.with_name(f"{path.name}-metadata.json")


def write(path: Path, table: Measurements, settings: dict[str, Any] | None) -> None:
    """Write the table and its description, each whole or not at all."""
    contents = contents_of(table, settings)
    described = [
        {
            "name": column.name,
            "datatype": column.type,
            "teasel:kind": column.kind,
            **{f"teasel:{key}": getattr(column.feature, key) for key in _KEYS},
        }
        for column in columns_of(table)
    ]
    about = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": path.name,
        "dialect": {"delimiter": ",", "header": True, "encoding": "utf-8"},
        "tableSchema": {"columns": described},
        "notes": [{"settings": contents.settings, "relations": contents.relations}],
    }
    with atomic_path(companion(path)) as temporary:
        temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        table.to_csv(path)


def read(path: Path) -> Measurements:
    """Read a table; without a description beside it, columns are known by their names.

    Raises
    ------
    FormatError
        If the file is no CSV with a header and a column ``label``, or its description is of another table.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as why:
        raise FormatError(f"{path} cannot be read as CSV ({why}); expected UTF-8 text with commas") from why
    if not rows or len({len(row) for row in rows}) > 1 or len(set(rows[0])) != len(rows[0]):
        raise FormatError(
            f"{path} cannot be read as CSV: rows differ in length, or there is no header with a name each"
        )
    texts = {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}
    beside = companion(path)
    if not beside.exists():
        return measurements_of(undescribed({k: _guess(v) for k, v in texts.items()}), Contents({}, []), str(path))
    try:
        about = json.loads(beside.read_bytes())
        columns = [
            Column(
                Feature(one["name"], **{key: one[f"teasel:{key}"] for key in _KEYS}),
                one["teasel:kind"],
                _parse(texts[one["name"]], one["datatype"]),
            )
            for one in about["tableSchema"]["columns"]
        ]
        contents = Contents(about["notes"][0]["settings"], about["notes"][0]["relations"])
    except (ValueError, KeyError, TypeError, IndexError) as why:
        raise FormatError(
            f"{beside} does not describe {path.name} ({why!r}); remove it to read the bare table"
        ) from why
    if len(columns) != len(texts):
        raise FormatError(f"{beside} describes {len(columns)} columns, {path.name} has {len(texts)}; remove it")
    return measurements_of(columns, contents, str(path))


def _parse(texts: list[str], datatype: str) -> NDArray[Any]:
    """Read a column of a known type; nothing is NaN."""
    if datatype == "integer":
        return np.array([int(text) for text in texts], np.int64)
    if datatype == "number":
        return np.array([float(text) if text else np.nan for text in texts], np.float64)
    if datatype == "boolean":
        return np.array([_TRUTH[text] for text in texts], bool)
    return np.array(texts, str)


def _guess(texts: list[str]) -> NDArray[Any]:
    """Read a column of the narrowest type that holds every text."""
    for datatype in ("integer", "number", "boolean"):
        try:
            if datatype != "number" or any(texts):
                return _parse(texts, datatype)
        except (ValueError, KeyError, OverflowError):
            continue
    return np.array(texts, str)
