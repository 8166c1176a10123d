"""Reading and writing tables, the format chosen by suffix."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

from teasel.errors import FormatError, InputNotFound
from teasel.images.atomic import atomic_path
from teasel.measurement.table import Measurements
from teasel.measurement.tables import annotated, delimited, excel, parquet

__all__ = ["is_table_path", "read_table", "write_table"]

_FORMATS: tuple[ModuleType, ...] = (annotated, delimited, parquet, excel)


def write_table(table: Measurements, path: str | os.PathLike[str], *, settings: dict[str, Any] | None = None) -> None:
    """Write a table of objects to a file, whole or not at all.

    Parameters
    ----------
    table : Measurements
        What was measured.
    path : path-like
        ``.h5ad`` or ``.zarr`` (AnnData), ``.csv`` (with a description of its columns beside it,
        ``NAME.csv-metadata.json``), ``.parquet`` or ``.xlsx`` (sheets Summary, Cells, Settings, Dictionary).
    settings : dict, optional
        More settings to keep beside the table's own: numbers, text, lists, dictionaries.

    Raises
    ------
    FormatError
        If the suffix is none of the above.
    DataError
        If the table is too large for an Excel sheet.
    MissingDependency
        If pyarrow is needed and not installed.
    StorageError
        If the disk is full or the folder may not be written to.

    Notes
    -----
    AnnData keeps features as float32, the others as float64. The same table gives the same bytes, except in
    ``.h5ad`` and ``.zarr`` if another version of their libraries writes them.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from teasel.measurement import Feature
    >>> area = Feature("AreaShape_Area", unit="um2", definition="Area.")
    >>> table = Measurements(np.array([[2.5]]), (area,), {"label": np.array([7])}, np.array([[1.0, 2.0]]))
    >>> path = Path(tempfile.mkdtemp()) / "cells.csv"
    >>> write_table(table, path)
    >>> path.read_text()
    'label,centroid_y_um,centroid_x_um,AreaShape_Area\\n7,1.0,2.0,2.5\\n'
    >>> read_table(path).features == table.features
    True
    """
    target = Path(path)
    kind = _format_of(target)
    if kind is delimited:  # two files
        delimited.write(target, table, settings)
        return
    with atomic_path(target) as temporary:
        kind.write(temporary, table, settings)


def read_table(path: str | os.PathLike[str]) -> Measurements:
    """Read a table of objects from a file.

    Parameters
    ----------
    path : path-like
        What `write_table` and `write_spatialdata` write; tables of other programs if they have a column ``label``.

    Raises
    ------
    InputNotFound
        If there is no such file.
    FormatError
        If the file is of another format, broken, or without a column ``label``.
    MissingDependency
        If pyarrow (``.parquet``) or openpyxl (``.xlsx``) is needed and not installed.
    """
    source = Path(path)
    if not source.exists():
        raise InputNotFound(f"no file {source}; expected a table of objects ({_suffixes()})")
    return _format_of(source).read(source)


def is_table_path(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is a table: by its suffix, and a ``.zarr`` by what is in it.

    Examples
    --------
    >>> is_table_path("a.xlsx"), is_table_path("a.tif"), is_table_path("image.zarr")
    (True, False, False)
    """
    found = Path(path)
    if found.suffix.lower() == ".zarr":
        return annotated.matches(found)
    return any(found.suffix.lower() in kind.SUFFIXES for kind in _FORMATS)


def _format_of(path: Path) -> ModuleType:
    for kind in _FORMATS:
        if path.suffix.lower() in kind.SUFFIXES:
            return kind
    raise FormatError(f"{path.name}: tables are not kept in {path.suffix!r} files; expected {_suffixes()}")


def _suffixes() -> str:
    return ", ".join(suffix for kind in _FORMATS for suffix in kind.SUFFIXES)
