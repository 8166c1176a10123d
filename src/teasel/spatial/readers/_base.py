"""The contract of a reader: know a file of transcripts by its columns, and turn it into `Spots`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError, MissingDependency
from teasel.geometry import VoxelSize
from teasel.spatial.codebook import is_blank_name
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    import pandas

__all__ = [
    "Layout",
    "Reader",
    "TableReader",
    "are_blank",
    "header_of",
    "make_spots",
    "read_table",
    "read_tables",
    "take",
]

_CSV: dict[str, Any] = {"low_memory": False, "keep_default_na": False, "na_values": [""]}
"""How texts are read: a gene may be called NA."""


class Reader(ABC):
    """One kind of file. One subclass per file of this folder; the room finds it by itself."""

    name: ClassVar[str]
    """What it is called."""
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz")
    """How such files end."""
    priority: ClassVar[int] = 0
    """Where two readers know a file, the higher one has it."""

    @abstractmethod
    def sniff(self, path: Path) -> bool:
        """Say whether the file is of this kind, by its content."""

    @abstractmethod
    def read(self, path: Path, voxel_size_um: VoxelSize | None) -> Spots:
        """Read all of it; the voxel size overrides what stands beside the file."""

    def parts(self, path: Path, voxel_size_um: VoxelSize | None, rows: int) -> Iterator[Spots]:
        """Yield it in parts of at most so many rows.

        Here the whole is read first: for files whose meaning shows in all rows together (sessions, results of a
        plugin), which are small.
        """
        spots = self.read(path, voxel_size_um)
        for start in range(0, max(len(spots), 1), rows):
            yield spots.take(np.arange(start, min(start + rows, len(spots))))


@dataclass(frozen=True)
class Layout:
    """What a reader wants of a table, and what it makes of any part of it.

    Parameters
    ----------
    needed : sequence of str
        Columns that must be there.
    wanted : iterable of str
        Columns that are taken where they are there.
    convert : callable
        Turns any number of rows into `Spots`.
    """

    needed: Sequence[str]
    wanted: Iterable[str]
    convert: Callable[[pandas.DataFrame], Spots]


class TableReader(Reader):
    """A file whose rows stand for themselves, so that it can be read part by part in bounded memory."""

    @abstractmethod
    def layout(self, path: Path, voxel_size_um: VoxelSize | None) -> Layout:
        """Say what is read, from the header and what stands beside the file."""

    def read(self, path: Path, voxel_size_um: VoxelSize | None) -> Spots:
        """Read all of it at once."""
        layout = self.layout(path, voxel_size_um)
        return layout.convert(read_table(path, layout.needed, layout.wanted))

    def parts(self, path: Path, voxel_size_um: VoxelSize | None, rows: int) -> Iterator[Spots]:
        """Yield parts as they are read."""
        layout = self.layout(path, voxel_size_um)
        for table in read_tables(path, layout.needed, layout.wanted, rows):
            yield layout.convert(table)


def header_of(path: Path) -> list[str]:
    """Return the columns of a table, without reading it; none if it is no table."""
    import pandas

    try:
        if path.name.endswith(".parquet"):
            return list(_parquet().read_schema(path).names)
        return [str(name) for name in pandas.read_csv(path, nrows=0)]
    except (ValueError, OSError, UnicodeDecodeError, pandas.errors.ParserError):
        return []


def read_table(path: Path, needed: Iterable[str], wanted: Iterable[str] = ()) -> pandas.DataFrame:
    """Read the columns that are needed, and those that are wanted where they are there.

    Raises
    ------
    FormatError
        If a needed column is missing, or the file is broken.
    MissingDependency
        If the file is Parquet and pyarrow is not installed.
    """
    import pandas

    columns = _columns_of(path, needed, wanted)
    try:
        if path.name.endswith(".parquet"):
            return _parquet().read_table(path, columns=columns).to_pandas()
        return pandas.read_csv(path, usecols=columns, **_CSV)
    except (ValueError, OSError, UnicodeDecodeError, pandas.errors.ParserError) as error:
        raise FormatError(f"{path.name} cannot be read as a table: {error}") from error


def read_tables(
    path: Path, needed: Iterable[str], wanted: Iterable[str] = (), rows: int = 1_000_000
) -> Iterator[pandas.DataFrame]:
    """Yield what `read_table` reads, at most so many rows at a time; one table without rows if there are none.

    Raises
    ------
    FormatError, MissingDependency
        As `read_table` does.
    """
    import pandas

    columns, any_rows = _columns_of(path, needed, wanted), False
    try:
        if path.name.endswith(".parquet"):
            with _parquet().ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=rows, columns=columns):
                    any_rows = True
                    yield batch.to_pandas()
        else:
            with pandas.read_csv(path, usecols=columns, chunksize=rows, **_CSV) as file:
                for table in file:
                    any_rows = True
                    yield table
    except (ValueError, OSError, UnicodeDecodeError, pandas.errors.ParserError) as error:
        raise FormatError(f"{path.name} cannot be read as a table: {error}") from error
    if not any_rows:
        yield read_table(path, needed, wanted)


def _columns_of(path: Path, needed: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return the columns to read, or raise."""
    names = header_of(path)
    missing = [name for name in needed if name not in names]
    if missing:
        raise FormatError(f"{path.name} has no column {missing[0]!r}; it has: {', '.join(names[:12]) or 'none'}")
    return [name for name in dict.fromkeys([*needed, *wanted]) if name in names]


def make_spots(
    table: pandas.DataFrame,
    axes: Sequence[str],
    columns: dict[str, str],
    *,
    per_pixel: Sequence[float] | None = None,
    voxel_size_um: VoxelSize | None = None,
    notes: Sequence[str] = (),
) -> Spots:
    """Turn a table into spots.

    Parameters
    ----------
    table : DataFrame
        What was read.
    axes : sequence of str
        Columns of the coordinates, in the order (z,) y, x.
    columns : dict of str to str
        Name in `Spots` by the name in the table; those not in the table are left out.
    per_pixel : sequence of float, optional
        Units of the coordinates per pixel, for each axis; 1 if not given.
    voxel_size_um : VoxelSize, optional
        Of the pixels.
    notes : sequence of str
        What was assumed.

    Notes
    -----
    Rows without a coordinate are left out, with a note.
    """
    positions = table[list(axes)].to_numpy(np.float64)
    if per_pixel is not None:
        positions = positions / np.asarray(per_pixel, np.float64)
    good = np.isfinite(positions).all(axis=1)
    if not good.all():
        notes = [*notes, f"{int((~good).sum())} rows without a coordinate are left out"]
    values = {new: take(table[old])[good] for old, new in columns.items() if old in table}
    return Spots(positions[good], values, voxel_size_um or VoxelSize(), tuple(notes))


def are_blank(genes: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which names are those of negative controls."""
    names, code = np.unique(genes, return_inverse=True)
    return np.array([is_blank_name(str(name)) for name in names], bool)[code]


def take(series: Any) -> NDArray[Any]:
    """Return a column as a plain array; bytes as texts, what is missing as an empty text."""
    import pandas

    if pandas.api.types.is_bool_dtype(series.dtype) or pandas.api.types.is_numeric_dtype(series.dtype):
        return np.asarray(series.to_numpy())
    if isinstance(series.dtype, pandas.CategoricalDtype):
        return take(series.cat.categories.to_series())[series.cat.codes.to_numpy()]
    codes, names = pandas.factorize(series, use_na_sentinel=False)
    texts = [one.decode() if isinstance(one, bytes) else ("" if pandas.isna(one) else str(one)) for one in names]
    return np.array(texts, dtype=str)[codes] if len(texts) else np.zeros(0, dtype="<U1")


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependency(
            f'Parquet needs the package pyarrow; install it with: pip install "teasel[tables]" (it said: {error})'
        ) from error
    return pyarrow.parquet
