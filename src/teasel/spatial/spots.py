"""The table of spots that every part of this room takes and gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import FormatError, InputNotFound, MissingDependency, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images.atomic import atomic_path

if TYPE_CHECKING:
    import pandas

__all__ = ["Spots"]

AXES = "zyx"
SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True, eq=False)
class Spots:
    """Points in an image, with one value per point in each column.

    Parameters
    ----------
    positions_px : ndarray of float64, shape (n, ndim)
        Coordinates (z,) y, x in pixels; pixel centres are whole numbers, so that the first pixel covers -0.5 .. 0.5.
    columns : dict of str to ndarray, shape (n,) each
        Whatever is known of each spot. Names in use: ``score`` (probability of being a spot, in [0, 1]),
        ``intensity`` (peak above background), ``background``, ``snr``, and ``round``, ``channel``, ``gene``, ``cell``.
    voxel_size_um : VoxelSize
        Micrometres per pixel; None along an axis where it is not known.
    notes : tuple of str
        What was found or assumed on the way.

    Raises
    ------
    ShapeError
        If the positions are no (n, 2) or (n, 3) array, or a column is of another length.
    ParameterError
        If a position is not finite, or a column takes the name of a coordinate.

    Examples
    --------
    >>> spots = Spots(np.array([[1.5, 2.0], [7.0, 3.25]]), {"score": np.array([0.9, 0.4])})
    >>> len(spots), spots.ndim
    (2, 2)
    >>> spots.take(spots["score"] > 0.5).positions_px
    array([[1.5, 2. ]])
    """

    positions_px: NDArray[np.float64]
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    voxel_size_um: VoxelSize = field(default_factory=VoxelSize)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions_px, np.float64)
        if positions.ndim != 2 or positions.shape[1] not in (2, 3):
            raise ShapeError(f"positions have shape {positions.shape}; expected (n, 2) or (n, 3): y, x or z, y, x")
        if not np.isfinite(positions).all():
            raise ParameterError("a position is NaN or infinite; drop such spots first")
        columns = {name: np.asarray(values) for name, values in self.columns.items()}
        for name, values in columns.items():
            if values.shape != (len(positions),):
                raise ShapeError(f"column {name!r} has shape {values.shape}; expected ({len(positions)},)")
            if name in _coordinate_names(AXES):
                raise ParameterError(f"column {name!r} has the name of a coordinate; those come from positions_px")
        object.__setattr__(self, "positions_px", positions)
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        return len(self.positions_px)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            raise ParameterError(f"the spots have no column {name!r}; they have: {', '.join(self.columns) or 'none'}")
        return self.columns[name]

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return self.positions_px.shape[1]

    @property
    def axes(self) -> str:
        """``"yx"`` or ``"zyx"``: what the columns of `positions_px` are."""
        return AXES[-self.ndim :]

    @property
    def positions_um(self) -> NDArray[np.float64]:
        """Coordinates in micrometres, shape (n, ndim).

        Raises
        ------
        ParameterError
            If the voxel size is not known along every axis.
        """
        if not self.voxel_size_um.known(self.axes):
            raise ParameterError(f"the voxel size is {self.voxel_size_um}; give it to get positions in micrometres")
        return self.positions_px * np.array(self.voxel_size_um.along(self.axes), np.float64)

    def take(self, which: ArrayLike) -> Spots:
        """Return some of the spots: by a boolean mask (n,), or by row numbers in the order wanted."""
        which = np.asarray(which)
        chosen = {name: values[which] for name, values in self.columns.items()}
        return replace(self, positions_px=self.positions_px[which], columns=chosen)

    def with_columns(self, **columns: ArrayLike) -> Spots:
        """Return the spots with columns added or replaced."""
        return replace(self, columns=self.columns | {name: np.asarray(values) for name, values in columns.items()})

    @classmethod
    def concatenate(cls, parts: Iterable[Spots]) -> Spots:
        """Put tables of the same kind one after the other.

        Raises
        ------
        ParameterError
            If there is none, or they differ in dimensions, columns or voxel size.
        """
        parts = list(parts)
        if not parts:
            raise ParameterError("no tables of spots to put together; give one or more")
        first = parts[0]
        for part in parts[1:]:
            same = (part.ndim, set(part.columns), part.voxel_size_um) == (
                first.ndim,
                set(first.columns),
                first.voxel_size_um,
            )
            if not same:
                raise ParameterError(
                    f"tables of spots differ: {first.ndim}D, columns {sorted(first.columns)}, {first.voxel_size_um} "
                    f"and {part.ndim}D, columns {sorted(part.columns)}, {part.voxel_size_um}"
                )
        columns = {name: np.concatenate([part[name] for part in parts]) for name in first.columns}
        notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
        return cls(np.concatenate([part.positions_px for part in parts]), columns, first.voxel_size_um, notes)

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas table: ``[z_px,] y_px, x_px``, micrometres where known, then the columns."""
        import pandas

        table: dict[str, Any] = {f"{axis}_px": self.positions_px[:, i] for i, axis in enumerate(self.axes)}
        for i, (axis, size) in enumerate(zip(self.axes, self.voxel_size_um.along(self.axes), strict=True)):
            if size is not None:
                table[f"{axis}_um"] = self.positions_px[:, i] * size
        return pandas.DataFrame(table | self.columns)

    @classmethod
    def from_frame(cls, frame: pandas.DataFrame, voxel_size_um: VoxelSize | None = None) -> Spots:
        """Read a pandas table as `to_frame` makes it.

        Parameters
        ----------
        frame : DataFrame
            With columns ``y_px`` and ``x_px``, and ``z_px`` for three dimensions; ``y_um`` ... say the voxel size.
        voxel_size_um : VoxelSize, optional
            Micrometres per pixel, where the table does not say.

        Raises
        ------
        FormatError
            If a coordinate is missing.
        """
        axes = "".join(axis for axis in AXES if f"{axis}_px" in frame)
        if axes not in ("yx", "zyx"):
            raise FormatError(f"a table of spots needs columns y_px, x_px (and z_px); it has: {', '.join(frame)}")
        positions = np.stack([frame[f"{axis}_px"].to_numpy(np.float64) for axis in axes], axis=1)
        names = [str(name) for name in frame if name not in _coordinate_names(AXES)]
        columns = {name: _values(frame[name]) for name in names}
        return cls(positions, columns, voxel_size_um or _voxel_size(frame, axes))

    def save(self, path: str | Path) -> Path:
        """Write a table, as CSV or Parquet by the suffix; a crash leaves nothing, or what was there before.

        Parameters
        ----------
        path : path
            Ends in ``.csv`` or ``.parquet``. Parquet keeps types, notes and voxel size exactly; CSV keeps the voxel
            size as coordinates in micrometres beside those in pixels.

        Returns
        -------
        Path
            Where it was written.
        """
        path = Path(path)
        _check_format(path)
        frame = self.to_frame()
        frame.attrs = {"voxel_size_um": dict(zip("zyx", self.voxel_size_um.along("zyx"), strict=True))}
        frame.attrs["notes"] = list(self.notes)
        with atomic_path(path) as temporary:
            if path.suffix.lower() == ".csv":
                frame.to_csv(temporary, index=False)
            else:
                frame.to_parquet(temporary, index=False)
        return path

    @classmethod
    def open(cls, path: str | Path) -> Spots:
        """Read what `save` wrote.

        Raises
        ------
        InputNotFound
            If there is no such file.
        FormatError
            If it is no table of spots.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> spots = Spots(np.array([[1.5, 2.0]]), {"gene": np.array(["Actb"])}, VoxelSize(y=0.1, x=0.1))
        >>> with TemporaryDirectory() as folder:
        ...     again = Spots.open(spots.save(Path(folder) / "spots.csv"))
        >>> str(again["gene"][0]), again.voxel_size_um.x
        ('Actb', 0.1)
        """
        import pandas

        path = Path(path)
        _check_format(path)
        if not path.is_file():
            raise InputNotFound(f"there is no file {path}")
        try:
            if path.suffix.lower() == ".csv":
                texts_stay = {"keep_default_na": False, "na_values": [""]}  # a gene may be called NA
                return cls.from_frame(pandas.read_csv(path, float_precision="round_trip", **texts_stay))
            frame = pandas.read_parquet(path)
        except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
            raise FormatError(f"{path} cannot be read as a table: {error}") from error
        size: Mapping[str, float | None] = frame.attrs.get("voxel_size_um") or {}
        read = cls.from_frame(frame, VoxelSize(**size) if size else None)
        return replace(read, notes=tuple(frame.attrs.get("notes", ())))


def _coordinate_names(axes: str) -> set[str]:
    """Names of the columns that hold coordinates."""
    return {f"{axis}_{unit}" for axis in axes for unit in ("px", "um")}


def _check_format(path: Path) -> None:
    """Raise unless the file is of a kind this table is kept in, and the package for it is installed."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(f"a table of spots is {' or '.join(SUFFIXES)}, got {path.name!r}")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingDependency('Parquet needs the package pyarrow; install it with: pip install "teasel[tables]"')


def _values(series: Any) -> NDArray[Any]:
    """Give a column as a plain array: texts as texts (missing ones empty), numbers as numbers."""
    import pandas

    if pandas.api.types.is_numeric_dtype(series.dtype):
        return np.asarray(series.to_numpy())
    return np.array(["" if pandas.isna(value) else str(value) for value in series], dtype=str)


def _voxel_size(frame: pandas.DataFrame, axes: str) -> VoxelSize:
    """Find micrometres per pixel from the coordinates given in both; not known where all are 0."""
    sizes: dict[str, float] = {}
    for axis in axes:
        pixels = frame[f"{axis}_px"].to_numpy(np.float64)
        if f"{axis}_um" in frame and len(pixels) and np.abs(pixels).max() > 0:
            far = int(np.argmax(np.abs(pixels)))
            sizes[axis] = float(f"{frame[f'{axis}_um'].to_numpy(np.float64)[far] / pixels[far]:.12g}")
    return VoxelSize(**sizes)
