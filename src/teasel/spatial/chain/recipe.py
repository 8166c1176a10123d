"""A recipe: what a run does, written down once, with every key checked."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from teasel.errors import FormatError, InputNotFound, ParameterError
from teasel.spatial.assign.refine import Refinement
from teasel.spatial.fields import Field
from teasel.spatial.register import Registration

__all__ = ["Assigning", "Decoding", "Images", "SpatialRecipe", "Stitching", "read_recipe"]


@dataclass(frozen=True)
class Images:
    """Where the images are.

    Parameters
    ----------
    pattern : str
        Path with ``{field}``, and ``{round}`` unless rounds are the axis t of a file, and ``{channel}`` where each
        channel is a file. Counts from the recipe's folder.
    bits : tuple of (int, int)
        Round and channel of each bit, in the order of the codebook's bits; those of the codebook if not given.
    align : int
        Channel by which rounds are aligned: fiducials, or a stain that every round shows.
    nuclei : int
        Channel of the first round that shows nuclei; -1 for none.
    fields : tuple of str
        Which fields; all that are found if not given.
    axes : str
        What the dimensions of a file are, out of ``tczyx``, where it does not say.
    pixel_size_um : float
        Micrometres per pixel; 0 for what the files say.
    """

    pattern: str
    bits: tuple[tuple[int, ...], ...] = ()
    align: int = 0
    nuclei: int = -1
    fields: tuple[str, ...] = ()
    axes: str = ""
    pixel_size_um: float = 0.0

    def __post_init__(self) -> None:
        if "{field}" not in self.pattern:
            raise ParameterError(f"images.pattern is {self.pattern!r}; it needs {{field}} where fields differ")
        if any(len(bit) != 2 for bit in self.bits):
            raise ParameterError("images.bits needs two numbers for each bit: its round and its channel")


@dataclass(frozen=True)
class Decoding:
    """How words are read.

    Parameters
    ----------
    codebook : str
        Path of the codebook; counts from the recipe's folder.
    decoder : str
        ``mixture``, ``pixel`` or ``nearest``.
    fdr : float
        Largest share of false calls among those of genes, in (0, 1]; told by blanks, for each block.
    refine : bool
        Align each bit once more by the molecules that were found first.
    sample : int
        Vectors that scales and noise are learnt from, over all fields together.
    parameters : mapping
        Parameters of the decoder.
    """

    codebook: str
    decoder: str = "mixture"
    fdr: float = 0.05
    refine: bool = True
    sample: int = 40_000
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.fdr <= 1:
            raise ParameterError(f"decode.fdr is {self.fdr}; expected a share in (0, 1]")


@dataclass(frozen=True)
class Assigning:
    """How molecules go to cells.

    Parameters
    ----------
    method : str
        ``refine`` (by what cells express, from nuclei), ``nearest`` (within a radius), ``labels`` (under the spot), or
        ``field`` (no cells: each field is one row of the table).
    labels : str
        Path of label images with ``{field}``; nuclei are segmented if it is not given.
    model : str
        Which model segments nuclei.
    diameter_px : float
        Diameter of nuclei; 0 to estimate it.
    refinement : Refinement
        Radius, and how cells compete.
    """

    method: str = "refine"
    labels: str = ""
    model: str = "nuclei"
    diameter_px: float = 0.0
    refinement: Refinement = field(default_factory=Refinement)

    def __post_init__(self) -> None:
        if self.method not in ("refine", "nearest", "labels", "field"):
            raise ParameterError(f"assign.method is {self.method!r}; expected refine, nearest, labels or field")


@dataclass(frozen=True)
class Stitching:
    """How fields that overlap become one.

    Parameters
    ----------
    positions : str
        Path of a CSV with ``field`` and the corner of each field, ``y_px`` and ``x_px``, or ``y_um`` and ``x_um``;
        fields are not stitched if it is not given.
    merge_px : float
        Molecules of one gene in two fields this close are the same, above 0.
    """

    positions: str = ""
    merge_px: float = 2.0

    def __post_init__(self) -> None:
        if not self.merge_px > 0:
            raise ParameterError(f"stitch.merge_px is {self.merge_px}; expected above 0")


@dataclass(frozen=True)
class SpatialRecipe:
    """All of a run.

    Parameters
    ----------
    images : Images
        What goes in.
    decode : Decoding
        How words are read.
    register : Registration
        How rounds are aligned.
    prepare : Field
        How images are made ready.
    assign : Assigning
        How molecules go to cells.
    stitch : Stitching
        How fields become one.
    output : str
        Folder of the results.
    table : str
        ``csv`` or ``parquet``: how molecules are written.
    folder : str
        Where the recipe lies; its paths count from there. Not a key.
    """

    images: Images
    decode: Decoding
    register: Registration = field(default_factory=Registration)
    prepare: Field = field(default_factory=Field)
    assign: Assigning = field(default_factory=Assigning)
    stitch: Stitching = field(default_factory=Stitching)
    output: str = ""
    table: str = "csv"
    folder: str = "."

    def __post_init__(self) -> None:
        if self.table not in ("csv", "parquet"):
            raise ParameterError(f"table is {self.table!r}; expected csv or parquet")
        if self.assign.method != "field" and not self.assign.labels and self.images.nuclei < 0:
            raise ParameterError(
                "molecules go to cells, but there are none: give images.nuclei (a channel), assign.labels (a path), "
                'or assign.method = "field"'
            )

    def path(self, text: str) -> Path:
        """Return a path of the recipe, from where the recipe lies."""
        return Path(self.folder) / Path(text).expanduser()

    def digest(self) -> str:
        """Return what tells two recipes apart: all that can change a result."""
        from teasel import __version__

        content = {key: value for key, value in asdict(self).items() if key not in ("output", "folder")}
        text = json.dumps([__version__, content], sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()


def read_recipe(path: str | os.PathLike[str]) -> SpatialRecipe:
    """Read a recipe from a TOML file.

    Raises
    ------
    InputNotFound
        If there is no such file.
    FormatError
        If it is no TOML.
    ParameterError
        If a key is unknown, missing, or of the wrong type.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "recipe.toml"
    >>> _ = path.write_text('[images]\\npattern = "{field}.tif"\\nnuclei = 3\\n[decode]\\ncodebook = "book.csv"')
    >>> read_recipe(path).decode.fdr
    0.05
    """
    source = Path(path)
    if not source.is_file():
        raise InputNotFound(f"there is no recipe {source}; `teasel spatial recipe` prints one to start from")
    try:
        content = tomllib.loads(source.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{source.name} is no TOML: {error}") from error
    content.pop("folder", None)
    return _build(SpatialRecipe, content | {"folder": str(source.parent)}, "")


def _build(kind: Any, content: Mapping[str, Any], where: str) -> Any:
    """Make a dataclass of a table, refusing what it does not know."""
    known = {one.name: one for one in fields(kind)}
    for key in content:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise ParameterError(f"unknown key {where + key!r}{meant} Known are: {', '.join(known)}")
    values = {}
    for name, one in known.items():
        required = one.default is MISSING and one.default_factory is MISSING
        if name not in content:
            if required and not is_dataclass(_SECTIONS.get(f"{where}{name}")):
                raise ParameterError(f"the recipe lacks the key {where + name!r}")
            if required:
                raise ParameterError(f"the recipe lacks the section [{where}{name}]")
            continue
        values[name] = _value(content[name], one, where + name)
    return kind(**values)


_SECTIONS: dict[str, Any] = {
    "images": Images,
    "decode": Decoding,
    "register": Registration,
    "prepare": Field,
    "assign": Assigning,
    "stitch": Stitching,
    "assign.refinement": Refinement,
}
_TYPES: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str}


def _value(value: Any, one: Any, where: str) -> Any:
    """Return a value of the field's type."""
    if where in _SECTIONS:
        if not isinstance(value, Mapping):
            raise ParameterError(f"{where} is {value!r}; expected a section [{where}]")
        return _build(_SECTIONS[where], value, f"{where}.")
    kind = str(one.type)
    if kind.startswith("tuple"):
        if not isinstance(value, list):
            raise ParameterError(f"{where} is {value!r}; expected a list")
        return tuple(tuple(item) if isinstance(item, list) else item for item in _texts(value, kind))
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind in _TYPES and type(value) is not _TYPES[kind]:
        raise ParameterError(f"{where} is {value!r}; expected {kind}")
    return value


def _texts(value: list[Any], kind: str) -> list[Any]:
    """Return names of fields as texts, also where numbers were written."""
    return [str(item) for item in value] if kind.startswith("tuple[str") else value
