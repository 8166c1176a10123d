"""Tables as Parquet: the columns of the CSV with their types; descriptions and settings in the schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError, MissingDependency
from teasel.measurement.table import Feature, Measurements
from teasel.measurement.tables.columns import (
    Column,
    Contents,
    columns_of,
    contents_of,
    measurements_of,
    parse_contents,
    undescribed,
)

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".parquet",)
_KEY = b"teasel"


def write(path: Path, table: Measurements, settings: dict[str, Any] | None) -> None:
    """Write the table; values keep all their digits.

    Raises
    ------
    MissingDependency
        If pyarrow is not installed.
    """
    pa, pq = _import()
    arrays, fields = [], []
    for column in columns_of(table):
        array = pa.array(column.values.tolist() if column.type == "string" else column.values)
        about = json.dumps({"kind": column.kind, **asdict(column.feature)})
        arrays.append(array)
        fields.append(pa.field(column.name, array.type, metadata={_KEY: about}))
    contents = json.dumps(asdict(contents_of(table, settings)))
    schema = pa.schema(fields, metadata={_KEY: contents})
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")


def read(path: Path) -> Measurements:
    """Read a table; one that other programs wrote is known by the names of its columns.

    Raises
    ------
    FormatError
        If the file is broken, or has no column ``label``.
    """
    pa, pq = _import()
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError, ValueError) as why:
        raise FormatError(f"{path} cannot be read as Parquet ({why}); is it whole?") from why
    values = {name: _values(table.column(name)) for name in table.column_names}
    if _KEY not in (table.schema.metadata or {}):
        return measurements_of(undescribed(values), Contents({}, []), str(path))
    columns = []
    for field in table.schema:
        about = json.loads(field.metadata[_KEY])
        kind = about.pop("kind")
        columns.append(Column(Feature(**about), kind, values[field.name]))
    return measurements_of(columns, parse_contents(table.schema.metadata[_KEY]), str(path))


def _values(column: Any) -> NDArray[Any]:
    """Return a column as an array of numbers, truth or text; nothing is NaN or no text."""
    array = column.to_numpy()
    return array if array.dtype.kind in "iufb" else np.array(["" if v is None else str(v) for v in array], str)


def _import() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as why:
        raise MissingDependency(
            'tables in .parquet need the package pyarrow; install it with: pip install "teasel[tables]"'
        ) from why
    return pyarrow, pyarrow.parquet
