"""Codebooks in files: MERlin's CSV, the older MERFISH CSV, starfish's JSON, and plain CSV and JSON."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from teasel.errors import FormatError, InputNotFound
from teasel.images.atomic import atomic_path
from teasel.spatial.codebook import Codebook

__all__ = ["read_codebook", "write_codebook"]

_NAMES = ("name", "gene", "target", "gene_name")
_CODES = ("code", "barcode", "codeword", "word")
_OTHER = ("id", "blank", "block", "type")


def read_codebook(path: str | os.PathLike[str]) -> Codebook:
    """Read a codebook; the content says in which dialect.

    Parameters
    ----------
    path : path-like
        ``.csv``: one row per gene with a name and one column per bit (MERlin), or with a name and a column ``code``
        such as ``0110`` (plain); rows ``version``, ``codebook_name``, ``bit_names`` may stand before the table (the
        older MERFISH files). ``.json``: starfish's ``mappings`` of ``r``, ``c``, ``v``, or ``codewords`` of ``name``
        and ``code`` (plain). Columns or keys ``blank`` and ``block`` are used where they are.

    Returns
    -------
    Codebook
        Words in the order of the file.

    Raises
    ------
    InputNotFound
        If there is no such file.
    FormatError
        If it is no codebook, or a starfish codebook has a value other than 1.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "codes.csv").write_text("name,id,bit1,bit2,bit3\\nActb,ENSMUST1,1,1,0\\nBlank-1,,0,1,1\\n")
    >>> read_codebook(folder / "codes.csv").bits
    ('bit1', 'bit2', 'bit3')
    """
    source = Path(path)
    if not source.is_file():
        raise InputNotFound(f"there is no codebook {source}")
    text = source.read_text("utf-8-sig")
    try:
        if source.suffix.lower() == ".json":
            return _from_json(json.loads(text), source)
        return _from_csv(text, source)
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, csv.Error) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{source.name} is no codebook: {error}") from error


def write_codebook(path: str | os.PathLike[str], codebook: Codebook) -> Path:
    """Write a codebook as plain CSV (``name,block,blank`` and one column per bit) or starfish JSON, by the suffix.

    Raises
    ------
    FormatError
        If the suffix is another.
    """
    target = Path(path)
    if target.suffix.lower() not in (".csv", ".json"):
        raise FormatError(f"a codebook is .csv or .json, got {target.name!r}")
    with atomic_path(target) as temporary:
        if target.suffix.lower() == ".json":
            temporary.write_text(json.dumps(_to_starfish(codebook), indent=1) + "\n", "utf-8")
        else:
            with temporary.open("w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(["name", "block", "blank", *codebook.bits])
                for name, block, blank, word in zip(
                    codebook.names, codebook.blocks, codebook.blank, codebook.words, strict=True
                ):
                    rows.writerow([name, block, int(blank), *word.astype(int).tolist()])
    return target


def _from_csv(text: str, source: Path) -> Codebook:
    rows = [
        [cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)
    ]
    start = next((k for k, row in enumerate(rows) if any(cell.lower() in _NAMES for cell in row)), None)
    if start is None:
        raise FormatError(f"{source.name} has no column {' or '.join(_NAMES)}; expected one row per gene below it")
    above = {row[0].lower(): row[1:] for row in rows[:start]}
    header = [cell.lower() for cell in rows[start]]
    table = rows[start + 1 :]
    name = next(k for k, cell in enumerate(header) if cell in _NAMES)
    code = next((k for k, cell in enumerate(header) if cell in _CODES), None)
    if code is not None:
        codes = [re.sub(r"[\s'\"]", "", row[code]) for row in table]
        bits = [cell for cell in above.get("bit_names", []) if cell] or None
        if bits and codes and len(bits) == 1 != len(codes[0]):
            bits = bits[0].split()
    else:
        where = [k for k, cell in enumerate(header) if k != name and cell not in _OTHER]
        bits = [rows[start][k] for k in where]
        codes = ["".join(_bit(row[k], row[name], source) for k in where) for row in table]
    return _build(
        [row[name] for row in table], codes, bits, _column(header, table, "block"), _blanks(header, table), source
    )


def _bit(cell: str, name: str, source: Path) -> str:
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if value not in (0.0, 1.0):
        raise FormatError(f"{source.name}: the word of {name!r} holds {cell!r}; expected 0 or 1 in every bit column")
    return str(int(value))


def _column(header: Sequence[str], table: Sequence[Sequence[str]], name: str) -> list[str] | None:
    return [row[header.index(name)] for row in table] if name in header else None


def _blanks(header: Sequence[str], table: Sequence[Sequence[str]]) -> list[bool] | None:
    values = _column(header, table, "blank")
    return None if values is None else [value.lower() in ("1", "true", "yes") for value in values]


def _from_json(content: Any, source: Path) -> Codebook:
    if isinstance(content, list):  # older starfish files have no envelope
        content = {"mappings": content}
    if not isinstance(content, Mapping) or not {"mappings", "codewords"} & set(content):
        raise FormatError(f"{source.name} has neither 'mappings' (starfish) nor 'codewords' (plain); no codebook")
    if "codewords" in content:
        entries = content["codewords"]
        blocks = [entry["block"] for entry in entries] if all("block" in entry for entry in entries) else None
        blanks = [bool(entry["blank"]) for entry in entries] if all("blank" in entry for entry in entries) else None
        codes = ["".join(str(int(bit)) for bit in entry["code"]) for entry in entries]
        return _build([entry["name"] for entry in entries], codes, content.get("bits"), blocks, blanks, source)
    return _from_starfish(content["mappings"], source)


def _from_starfish(mappings: Sequence[Mapping[str, Any]], source: Path) -> Codebook:
    places = sorted({(int(one["r"]), int(one["c"])) for entry in mappings for one in entry["codeword"]})
    column = {place: k for k, place in enumerate(places)}
    codes = []
    for entry in mappings:
        word = np.zeros(len(places), int)
        for one in entry["codeword"]:
            if one.get("v", 1) not in (0, 1):
                raise FormatError(f"{source.name}: {entry['target']!r} has a value of {one['v']}; expected 0 or 1")
            word[column[int(one["r"]), int(one["c"])]] = int(one.get("v", 1))
        codes.append("".join(map(str, word)))
    names = [entry["target"] for entry in mappings]
    book = _build(names, codes, [f"r{r}c{c}" for r, c in places], None, None, source)
    rounds, channels = np.array(places).T
    return Codebook(book.names, book.words, book.blank, book.bits, rounds, channels, book.blocks)


def _build(
    names: Sequence[str],
    codes: Sequence[str],
    bits: Sequence[str] | None,
    blocks: Sequence[str] | None,
    blanks: Sequence[bool] | None,
    source: Path,
) -> Codebook:
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise FormatError(f"{source.name} has {repeated[0]!r} more than once; one word per name is expected")
    return Codebook.of(dict(zip(names, codes, strict=True)), bits=bits, blocks=blocks, blank=blanks)


def _to_starfish(codebook: Codebook) -> dict[str, Any]:
    mappings = []
    for name, word in zip(codebook.names, codebook.words, strict=True):
        places = [(int(codebook.rounds[k]), int(codebook.channels[k])) for k in np.flatnonzero(word)]
        mappings.append({"codeword": [{"r": r, "c": c, "v": 1} for r, c in places], "target": name})
    return {"version": "0.0.0", "mappings": mappings}
