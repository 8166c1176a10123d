"""Tables as Excel workbooks: the sheets Summary, Cells, Settings and Dictionary.

Numbers are stored as numbers, so that each program shows them in the way of its country; text is stored as text, also
where it begins with ``=``. Relations between objects, where there are any, have a sheet of their own.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable, Mapping, Sequence
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
_WIDEST_COLUMN = 60  # characters in sight
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
        _sheet(book, "Summary", short)
        _sheet(book, "Cells", {column.name: column.values for column in columns}, filtered=True)
        settings = [(key, json.dumps(value, ensure_ascii=False)) for key, value in contents.settings.items()]
        widest = max((len(text) for _, text in settings), default=1)
        cells = {"setting": [key for key, _ in settings], "value": [text[:_LONGEST] for _, text in settings]}
        for at in range(_LONGEST, widest, _LONGEST):  # a long value goes on in the next cell
            cells[f"value from {at}"] = [text[at : at + _LONGEST] for _, text in settings]
        _sheet(book, "Settings", cells)
        _sheet(book, "Dictionary", dict(zip(_DICTIONARY, zip(*map(_explain, columns), strict=True), strict=True)))
        if contents.relations:
            heads = ("parent", "child", "image", "label_of_parent", "label_of_child")
            _sheet(book, "Relations", dict(zip(heads, zip(*_pairs(contents), strict=True), strict=True)))


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
    book: Any, name: str, columns: Mapping[str, Sequence[Any] | NDArray[Any]], *, filtered: bool = False
) -> None:
    """Write one sheet, line by line: headings that stay in sight, numbers as numbers, text as text."""
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    head = book.add_format({"bold": True, "bottom": 1})
    lists = [values.tolist() if isinstance(values, np.ndarray) else list(values) for values in columns.values()]
    if filtered:
        sheet.autofilter(0, 0, len(lists[0]), len(lists) - 1)
    formats = [book.add_format({"num_format": code}) if (code := _number_format(values)) else None for values in lists]
    for i, (word, values) in enumerate(zip(columns, lists, strict=True)):
        longest = max((len(value) for value in values[:200] if isinstance(value, str)), default=0)
        sheet.set_column(i, i, min(max(len(word) + 2, longest + 1, 9), _WIDEST_COLUMN))
        sheet.write_string(0, i, word, head)
    for line, row in enumerate(zip(*lists, strict=True), 1):
        for i, value in enumerate(row):
            if isinstance(value, str):
                if len(value) > _LONGEST:
                    heads = list(columns)
                    raise DataError(
                        f"text of {len(value)} characters in {heads[i]}; a cell of Excel ends at {_LONGEST}"
                    )
                if value:
                    sheet.write_string(line, i, value)
            elif isinstance(value, bool):
                sheet.write_boolean(line, i, value)
            elif math.isfinite(value):  # nothing where there is no value
                sheet.write_number(line, i, value, formats[i])


def _number_format(values: list[Any]) -> str:
    """Return how numbers with a fraction are shown: about four digits that count; what is stored keeps all of them."""
    known = [abs(value) for value in values[:1000] if isinstance(value, float) and math.isfinite(value) and value]
    if not known:
        return ""
    digits = 3 - math.floor(math.log10(sorted(known)[len(known) // 2]))
    if not -3 <= digits <= 7:
        return "0.000E+00"
    return "0." + "0" * digits if digits > 0 else "0"


def _explain(column: Column) -> tuple[str, ...]:
    return (column.name, column.kind, column.type, *(getattr(column.feature, key) for key in _KEYS))


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
