"""The result of measuring: one row per object, one column per feature, and what each column means."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError
from teasel.images.atomic import atomic_path

__all__ = ["Feature", "Measurements", "Relation"]


@dataclass(frozen=True)
class Feature:
    """What one column of a table means.

    Parameters
    ----------
    name : str
        CellProfiler's name where it has one, such as ``AreaShape_Area`` or ``Intensity_MeanIntensity_DAPI``; with a
        compartment in front (``Nuclei_AreaShape_Area``) when nuclei and cells are measured together.
    channel : str
        Channel it was measured in, two joined by ``_`` for colocalisation; ``""`` if it needs none.
    compartment : str
        ``"object"``, or with nuclei ``"cell"``, ``"nucleus"`` or ``"cytoplasm"``.
    unit : str
        ``"um"``, ``"um2"``, ``"um3"``, ``"px"`` ..., ``"1"`` for numbers without a unit, ``"grey value"``.
    definition : str
        One sentence.
    family : str
        Name of the file in ``measurement/features`` that measures it.
    """

    name: str
    channel: str = ""
    compartment: str = "object"
    unit: str = "1"
    definition: str = ""
    family: str = ""


@dataclass(frozen=True, eq=False)
class Relation:
    """Which child lies in which parent, in one image.

    Parameters
    ----------
    parent, child : str
        Kinds of object, such as ``"cell"`` and ``"nucleus"``.
    pairs : ndarray of int64, shape (n, 2)
        Label of the parent and of the child, ordered by the child's.
    image : str
        Name of the image.
    """

    parent: str
    child: str
    pairs: NDArray[np.int64]
    image: str = ""


@dataclass(frozen=True, eq=False)
class Measurements:
    """The features of objects, a row per object.

    Parameters
    ----------
    values : ndarray of float64, shape (n_objects, n_features)
        NaN where a feature has no value (one pixel has no eccentricity).
    features : tuple of Feature
        What each column means, in order; names are unique.
    objects : dict of str to ndarray, shape (n_objects,)
        Which object each row is: ``label`` (int64) always; ``image`` (str), ``frame``, ``score``, ``plate``, ``well``,
        ``field`` where known.
    spatial_um : ndarray of float64, shape (n_objects, ndim)
        Centroids, in the order ([z,] y, x): micrometres from the centre of the first voxel, or voxels if
        `spatial_unit` says so.
    spatial_unit : str
        ``"um"``, or ``"px"`` where the voxel size is not known.
    settings : dict
        What made it: families and their parameters, voxel size, channels, version of the package.
    relations : tuple of Relation
        Which nucleus lies in which cell.

    Raises
    ------
    ShapeError
        If the parts are not of one length.

    Examples
    --------
    >>> area = Feature("AreaShape_Area", unit="um2")
    >>> table = Measurements(np.ones((2, 1)), (area,), {"label": np.array([3, 7])}, np.zeros((2, 2)))
    >>> len(table), table.column("AreaShape_Area").tolist()
    (2, [1.0, 1.0])
    """

    values: NDArray[np.float64]
    features: tuple[Feature, ...]
    objects: dict[str, NDArray[Any]]
    spatial_um: NDArray[np.float64]
    spatial_unit: str = "um"
    settings: dict[str, Any] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.objects["label"]) if "label" in self.objects else -1
        lengths = {name: len(column) for name, column in self.objects.items()} | {"spatial_um": len(self.spatial_um)}
        if self.values.shape != (n, len(self.features)) or set(lengths.values()) != {n}:
            raise ShapeError(
                f"values have shape {self.values.shape} for {len(self.features)} features, and the columns the lengths "
                f"{lengths}; expected a row per label and a column per feature"
            )
        if len(set(self.names)) != len(self.features):
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise ParameterError(f"features of one name: {', '.join(twice[:3])}; give channels names that differ")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in self.features)

    def column(self, name: str) -> NDArray[Any]:
        """Return one feature, or one of the columns that say which object a row is.

        Parameters
        ----------
        name : str
            A feature's name, or a key of `objects`.

        Raises
        ------
        ParameterError
            If there is no such column; the message names the nearest.
        """
        if name in self.objects:
            return self.objects[name]
        if name in self.names:
            return self.values[:, self.names.index(name)]
        from difflib import get_close_matches

        near = get_close_matches(name, [*self.objects, *self.names], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"no column {name!r}{hint} (Measurements.names lists all {len(self.names)} features)")

    @classmethod
    def concatenate(cls, tables: Iterable[Measurements], *, fill: bool = False) -> Measurements:
        """Put the tables of several images under each other.

        Parameters
        ----------
        tables : iterable of Measurements
            At least one.
        fill : bool
            Take every column that any table has, and leave it empty (NaN, ``""``) in the others.

        Raises
        ------
        ParameterError
            If there is no table, or (without `fill`) the tables do not have the same columns.
        ShapeError
            If some are of planes and some of volumes, or some in micrometres and some in pixels.

        Examples
        --------
        >>> one = Measurements(np.ones((1, 1)), (Feature("a"),), {"label": np.array([1])}, np.zeros((1, 2)))
        >>> len(Measurements.concatenate([one, one]))
        2
        """
        parts = list(tables)
        if not parts:
            raise ParameterError("no tables to put together; give at least one")
        _check_alike(parts, fill)
        features = tuple({f.name: f for part in parts for f in part.features}.values())
        columns = tuple(dict.fromkeys(name for part in parts for name in part.objects))
        return cls(
            values=np.concatenate([_aligned(part, features) for part in parts]),
            features=features,
            objects={name: _stack([part.objects.get(name) for part in parts], parts) for name in columns},
            spatial_um=np.concatenate([part.spatial_um for part in parts]),
            spatial_unit=parts[0].spatial_unit,
            settings=_merge([part.settings for part in parts]),
            relations=tuple(relation for part in parts for relation in part.relations),
        )

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table as CSV: UTF-8, commas, decimal points, a row per object, nothing where there is no value.

        Parameters
        ----------
        path : path-like
            Where to; written whole or not at all. First the columns of `objects`, then ``centroid_y_um`` and so on,
            then the features, all digits kept.
        """
        axes = "zyx"[3 - self.spatial_um.shape[1] :]
        places = [f"centroid_{axis}_{self.spatial_unit}" for axis in axes]
        identity = [_plain(column) for column in self.objects.values()]
        numbers = np.concatenate([self.spatial_um, self.values], axis=1)
        with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*self.objects, *places, *self.names])
            for row, values in enumerate(numbers):
                known = ["" if value != value else value for value in values.tolist()]
                writer.writerow([*(column[row] for column in identity), *known])


def _check_alike(parts: Sequence[Measurements], fill: bool) -> None:
    """Refuse tables that do not fit under each other."""
    kinds = {(part.spatial_um.shape[1], part.spatial_unit) for part in parts}
    if len(kinds) > 1:
        words = " and ".join(f"{'zyx'[3 - ndim :]} in {unit}" for ndim, unit in sorted(kinds))
        raise ShapeError(f"tables of {words} cannot stand under each other; keep them apart, or give the voxel size")
    first = parts[0]
    for part in parts[1:] if not fill else []:
        differ = [
            name
            for here, there in (
                ({*first.features}, {*part.features}),
                ({Feature(n) for n in first.objects}, {Feature(n) for n in part.objects}),
            )
            for name in sorted(feature.name for feature in here ^ there)
        ]
        if differ:
            raise ParameterError(
                f"tables with different columns cannot stand under each other: {', '.join(dict.fromkeys(differ[:6]))}"
                f"{' ...' if len(differ) > 6 else ''}; measure the same families and channels in each image"
            )


def _aligned(part: Measurements, features: tuple[Feature, ...]) -> NDArray[np.float64]:
    """Return the values in the order of `features`, NaN where the table has none."""
    if part.features == features:
        return part.values
    where = {name: i for i, name in enumerate(part.names)}
    values = np.full((len(part), len(features)), np.nan)
    for i, feature in enumerate(features):
        if feature.name in where:
            values[:, i] = part.values[:, where[feature.name]]
    return values


def _stack(columns: list[NDArray[Any] | None], parts: Sequence[Measurements]) -> NDArray[Any]:
    """Put columns under each other, with NaN or ``""`` for one that is missing."""
    text = any(column is not None and column.dtype.kind in "UO" for column in columns)
    blank = "" if text else np.nan
    return np.concatenate(
        [
            np.full(len(part), blank) if column is None else column
            for column, part in zip(columns, parts, strict=True)
            if column is not None or len(part)
        ]
        or [np.zeros(0)]
    )


def _merge(settings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Keep what all settings share; of the rest, a list with the value of each table."""
    keys = tuple(dict.fromkeys(key for one in settings for key in one))
    merged = {}
    for key in keys:
        values = [one.get(key) for one in settings]
        merged[key] = values[0] if all(value == values[0] for value in values) else values
    return merged


def _plain(column: NDArray[Any]) -> list[Any]:
    """Return a column as Python values, truth as true or false, missing numbers as nothing."""
    if column.dtype == bool:
        return ["true" if value else "false" for value in column.tolist()]
    return ["" if value != value else value for value in column.tolist()]
