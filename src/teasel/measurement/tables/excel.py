"""Tables as Excel workbooks: the sheets Summary, Cells, Settings and Dictionary.

Numbers are stored as numbers, so that each program shows them in the way of its country; text is stored as text, also
where it begins with ``=``. Relations between objects, where there are any, have a sheet of their own.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, FormatError, MissingDependency
from teasel.measurement.table import Feature, Measurements
from teasel.measurement.tables.columns import Column, Contents, columns_of, contents_of, measurements_of
from teasel.measurement.tables.detour import by_detour
from teasel.measurement.tables.summary import summarise

__all__ = ["LARGEST", "SUFFIXES", "read", "write"]

SUFFIXES = (".xlsx",)
LARGEST = 1_048_575
"""Objects that fit on a sheet of Excel below the line of headings."""

_WIDEST = 16_384
_LONGEST = 32_767  # characters in a cell
_DICTIONARY = ("name", "kind", "type", "channel", "compartment", "unit", "definition", "family")
_KEYS = _DICTIONARY[3:]
_DATE = datetime.datetime(1980, 1, 1)  # a date in the file would make the same table differ from day to day


def write(path: Path, table: Measurements, settings: dict[str, Any] | None) -> None:
    """Write the workbook; numbers have 16 digits, nothing stands where there is no value.

    Raises
    ------
    DataError
        If there are more than 1,048,575 objects, or more columns than Excel has.
    """
    if len(table) > LARGEST:
        raise DataError(f"{len(table)} objects; a sheet of Excel ends at {LARGEST}: write .parquet or .h5ad instead")
    columns, contents = columns_of(table), contents_of(table, settings)
    short = summarise(table, _groups(table))
    if max(len(columns), len(short)) > _WIDEST:
        raise DataError(f"{max(len(columns), len(short))} columns; Excel ends at {_WIDEST}: write .parquet or .h5ad")
    with by_detour(path) as elsewhere:
        _write_book(elsewhere, columns, short, contents)


def _write_book(path: Path, columns: list[Column], short: dict[str, NDArray[Any]], contents: Contents) -> None:
    """Write every sheet."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": "Objects", "comments": f"Teasel {contents.settings['teasel']}", "created": _DATE})
        head = book.add_format({"bold": True, "bottom": 1})
        _sheet(book, head, "Summary", list(short), zip(*(values.tolist() for values in short.values()), strict=True))
        rows = zip(*(column.values.tolist() for column in columns), strict=True)
        _sheet(book, head, "Cells", [column.name for column in columns], rows, filtered=len(columns[0].values))
        _sheet(book, head, "Settings", ["setting", "value"], _setting_rows(contents.settings))
        _sheet(book, head, "Dictionary", list(_DICTIONARY), map(_explain, columns))
        if contents.relations:
            heads = ["parent", "child", "image", "label_of_parent", "label_of_child"]
            _sheet(book, head, "Relations", heads, _pairs(contents))


def read(path: Path) -> Measurements:
    """Read a workbook that `write` made.

    Raises
    ------
    FormatError
        If the file is no workbook with these sheets.
    MissingDependency
        If openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError as why:
        raise MissingDependency(
            'reading .xlsx needs the package openpyxl; install it with: pip install "teasel[tables]"'
        ) from why
    import zipfile

    try:
        book = openpyxl.load_workbook(path, read_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, openpyxl.utils.exceptions.InvalidFileException) as why:
        raise FormatError(f"{path} cannot be read as an Excel workbook ({why}); is it whole?") from why
    try:
        if missing := [name for name in ("Cells", "Dictionary", "Settings") if name not in book.sheetnames]:
            raise FormatError(f"{path} has no sheet {missing[0]}; expected a workbook with Cells, Settings, Dictionary")
        sheets = {name: list(book[name].iter_rows(values_only=True)) for name in book.sheetnames}
    finally:
        book.close()
    return _measurements(sheets, str(path))


def _measurements(sheets: dict[str, list[tuple[Any, ...]]], where: str) -> Measurements:
    """Put the table together from the rows of its sheets."""
    cells, about = sheets["Cells"], sheets["Dictionary"][1:]
    names = [str(row[0]) for row in about]
    if list(cells[0]) != names:
        raise FormatError(f"{where}: the sheets Cells and Dictionary have different columns; restore one of them")
    columns = []
    for i, row in enumerate(about):
        values = _values([line[i] if i < len(line) else None for line in cells[1:]], str(row[2]))
        feature = Feature(names[i], **{key: str(row[3 + k] or "") for k, key in enumerate(_KEYS)})
        columns.append(Column(feature, str(row[1]), values))
    settings = {
        str(row[0]): json.loads("".join(str(v) for v in row[1:] if v is not None)) for row in sheets["Settings"][1:]
    }
    return measurements_of(columns, Contents(settings, _relations(sheets.get("Relations", [])[1:])), where)


def _groups(table: Measurements) -> tuple[str, ...]:
    """Return what the summary is of: wells, else images, else all."""
    if {"plate", "well"} <= set(table.objects):
        return "plate", "well"
    return ("image",) if "image" in table.objects else ()


def _sheet(
    book: Any, head: Any, name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], *, filtered: int = 0
) -> None:
    """Write one sheet, line by line: headings that stay in sight, numbers as numbers, text as text."""
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for i, word in enumerate(heads):
        sheet.set_column(i, i, min(max(len(word) + 2, 10), 40))
    if filtered:
        sheet.autofilter(0, 0, filtered, len(heads) - 1)
    for i, word in enumerate(heads):
        sheet.write_string(0, i, word, head)
    for line, row in enumerate(rows, 1):
        for i, value in enumerate(row):
            if isinstance(value, str):
                if len(value) > _LONGEST:
                    raise DataError(
                        f"text of {len(value)} characters in {heads[i]}; a cell of Excel ends at {_LONGEST}"
                    )
                sheet.write_string(line, i, value)
            elif isinstance(value, bool):
                sheet.write_boolean(line, i, value)
            elif value == value and abs(value) != float("inf"):  # nothing where there is no value
                sheet.write_number(line, i, value)


def _explain(column: Column) -> tuple[str, ...]:
    return (column.name, column.kind, column.type, *(getattr(column.feature, key) for key in _KEYS))


def _setting_rows(settings: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    """Give each setting a line; its value is JSON, in as many cells as it needs."""
    for key, value in settings.items():
        text = json.dumps(value, ensure_ascii=False)
        yield (key, *(text[at : at + _LONGEST] for at in range(0, len(text), _LONGEST)))


def _pairs(contents: Contents) -> Iterable[tuple[Any, ...]]:
    """Give each pair of objects a line; a relation without pairs gets one with 0."""
    for one in contents.relations:
        for parent, child in one["pairs"] or [(0, 0)]:
            yield one["parent"], one["child"], one["image"], parent, child


def _relations(rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Gather the lines of `_pairs` again."""
    found: dict[tuple[str, str, str], list[list[int]]] = {}
    for parent, child, image, *pair in rows:
        pairs = found.setdefault((str(parent), str(child), str(image or "")), [])
        if pair[0]:
            pairs.append([int(pair[0]), int(pair[1])])
    return [{"parent": p, "child": c, "image": i, "pairs": pairs} for (p, c, i), pairs in found.items()]


def _values(cells: list[Any], kind: str) -> NDArray[Any]:
    """Return a column by its type; nothing is NaN or no text."""
    if kind == "integer":
        return np.array([int(cell) for cell in cells], np.int64)
    if kind == "boolean":
        return np.array([bool(cell) for cell in cells], bool)
    if kind == "number":
        return np.array([np.nan if cell is None else float(cell) for cell in cells], np.float64)
    return np.array(["" if cell is None else str(cell) for cell in cells], str)
