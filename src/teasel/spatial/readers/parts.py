"""Files of transcripts that are larger than memory, part by part."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError, ParameterError
from teasel.geometry import VoxelSize
from teasel.spatial.readers._registry import choose
from teasel.spatial.spots import Spots

__all__ = ["GeneNames", "Molecules", "join_notes", "read_molecules", "stream_spots"]

ROWS = 1_000_000
"""Rows of a part: some hundred megabytes while they are read."""


def stream_spots(
    path: str | os.PathLike[str],
    *,
    rows: int = ROWS,
    reader: str | None = None,
    voxel_size_um: VoxelSize | None = None,
) -> Iterator[Spots]:
    """Yield the spots of a file part by part, in the order of the file.

    Parameters
    ----------
    path : path-like
        As `read_spots` takes it.
    rows : int
        Most spots of a part; memory grows with it, not with the file. Parquet is read batch by batch of its row
        groups, CSV chunk by chunk; XML, netCDF, TrackMate's and ImageJ's results are read whole and cut.
    reader, voxel_size_um
        As `read_spots` takes them.

    Yields
    ------
    Spots
        One or more; a file without rows gives one without spots.

    Raises
    ------
    InputNotFound, FormatError, ParameterError
        As `read_spots` does.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "spots.csv"
    >>> _ = path.write_text("Gene,x,y\\n" + "Cxcl14,110,57\\n" * 5)
    >>> [len(part) for part in stream_spots(path, rows=2)]
    [2, 2, 1]
    """
    if rows < 1:
        raise ParameterError(f"rows is {rows}; expected 1 or more")
    source = Path(path)
    yield from choose(source, reader).parts(source, voxel_size_um, rows)


class GeneNames:
    """Numbers for names, given out in the order in which they come; the same name keeps its number."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._number: dict[str, int] = {}
        self._blank: set[int] = set()

    def number(self, spots: Spots) -> NDArray[np.int32]:
        """Return the number of each spot's gene, shape (n,)."""
        import pandas

        if "gene" not in spots.columns:
            raise FormatError(f"the file names no genes; its columns are: {', '.join(spots.columns) or 'none'}")
        codes, names = pandas.factorize(spots["gene"].astype(object))
        for name in map(str, names):
            if name not in self._number:
                self._number[name] = len(self.names)
                self.names.append(name)
        here = np.array([self._number[str(name)] for name in names], np.int32)
        if "blank" in spots.columns and len(here):
            blanks = np.unique(codes[spots["blank"].astype(bool)])
            self._blank.update(here[blanks].tolist())
        return here[codes] if len(here) else np.zeros(0, np.int32)

    def sorted(self) -> tuple[NDArray[np.int64], tuple[str, ...], NDArray[np.bool_]]:
        """Return the place of each number among the names in their order, these names, and which are blanks."""
        order = np.array(sorted(range(len(self.names)), key=self.names.__getitem__), np.int64)
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        blank = np.isin(order, list(self._blank))
        return place, tuple(self.names[k] for k in order.tolist()), blank


@dataclass(frozen=True, eq=False)
class Molecules:
    """All that assigning needs of a file of transcripts: 20 bytes each in 2D.

    Parameters
    ----------
    positions_px : ndarray of float64, shape (n, ndim)
        (z,) y, x.
    genes : ndarray of int32, shape (n,)
        Row in `names`.
    names : tuple of str
        Genes, sorted.
    blank : ndarray of bool, shape (n_genes,)
        Which of them are negative controls.
    voxel_size_um : VoxelSize
        Micrometres per pixel.
    notes : tuple of str
        What was found or assumed on the way.
    """

    positions_px: NDArray[np.float64]
    genes: NDArray[np.int32]
    names: tuple[str, ...]
    blank: NDArray[np.bool_]
    voxel_size_um: VoxelSize
    notes: tuple[str, ...]


def read_molecules(
    path: str | os.PathLike[str],
    *,
    rows: int = ROWS,
    reader: str | None = None,
    voxel_size_um: VoxelSize | None = None,
) -> Molecules:
    """Read positions and genes, and nothing else, of a file that may be large.

    Parameters
    ----------
    path, rows, reader, voxel_size_um
        As `stream_spots` takes them.

    Raises
    ------
    FormatError
        If the file names no genes.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "spots.csv"
    >>> _ = path.write_text("Gene,x,y\\nGad1,1,2\\nActb,3,4\\nGad1,5,6\\n")
    >>> found = read_molecules(path)
    >>> found.names, found.genes.tolist()
    (('Actb', 'Gad1'), [1, 0, 1])
    """
    seen, positions, genes, notes = GeneNames(), [], [], []
    size = VoxelSize()
    for part in stream_spots(path, rows=rows, reader=reader, voxel_size_um=voxel_size_um):
        positions.append(part.positions_px)
        genes.append(seen.number(part))
        notes.append(part.notes)
        size = part.voxel_size_um
    place, names, blank = seen.sorted()
    numbers = np.concatenate(genes)
    for start in range(0, len(numbers), rows):
        numbers[start : start + rows] = place[numbers[start : start + rows]]
    return Molecules(_join(positions), numbers, names, blank, size, join_notes(notes))


def _join(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Put parts one after the other, giving each back as soon as it is copied."""
    whole = np.empty((sum(map(len, parts)), parts[0].shape[1]))
    at = 0
    for k, part in enumerate(parts):
        whole[at : at + len(part)] = part
        at += len(part)
        parts[k] = part[:0]
    return whole


_COUNTED = re.compile(r"^(\d+) (.*)$")


def join_notes(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return the notes of all parts once; those that begin with a number are added up.

    Examples
    --------
    >>> join_notes([("2 rows left out", "pixels of 1 um"), ("3 rows left out", "pixels of 1 um")])
    ('5 rows left out', 'pixels of 1 um')
    """
    total: dict[str, int] = {}
    for notes in parts:
        for note in notes:
            counted = _COUNTED.match(note)
            text = counted[2] if counted else note
            total[text] = total.get(text, 0) + (int(counted[1]) if counted else 0)
    return tuple(f"{count} {text}" if count else text for text, count in total.items())
