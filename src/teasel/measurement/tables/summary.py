"""Tables in short: counts, means and medians of every feature, per image, well or whatever else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.measurement.plates import add_wells, find_well
from teasel.measurement.table import Measurements

__all__ = ["summarise", "summarise_wells"]


def summarise(
    table: Measurements, by: Sequence[str] = ("image",), *, groups: Iterable[Sequence[Any]] = ()
) -> dict[str, NDArray[Any]]:
    """Count the objects of each group, and take mean and median of every feature.

    Parameters
    ----------
    table : Measurements
        What was measured.
    by : sequence of str
        Columns of ``table.objects`` that make a group; none for one group of all.
    groups : iterable of sequence, optional
        Groups to list even if no object is in them, such as images in which nothing was found.

    Returns
    -------
    dict of str to ndarray, shape (n_groups,)
        The columns of `by`, ``n_objects``, ``n_images`` (if images are known and not what it is grouped by), then
        ``mean_NAME`` and ``median_NAME`` of each feature, over the objects that have a value; groups in order.

    Raises
    ------
    ParameterError
        If there is no such column.

    Examples
    --------
    >>> from teasel.measurement import Feature
    >>> objects = {"label": np.array([1, 2, 1]), "image": np.array(["a", "a", "b"])}
    >>> table = Measurements(np.array([[1.0], [3.0], [7.0]]), (Feature("area"),), objects, np.zeros((3, 2)))
    >>> short = summarise(table, groups=[["c"]])
    >>> short["image"].tolist(), short["n_objects"].tolist(), short["mean_area"].tolist()
    (['a', 'b', 'c'], [2, 1, 0], [2.0, 7.0, nan])
    """
    missing = [name for name in by if name not in table.objects]
    if missing:
        raise ParameterError(f"the table has no column {missing[0]!r} to group by; it has {', '.join(table.objects)}")
    rows = list(zip(*(table.objects[name].tolist() for name in by), strict=True)) if by else [()] * len(table)
    keys = sorted({*rows, *(tuple(group) for group in groups)}) if by else [()]
    rank = {key: i for i, key in enumerate(keys)}
    which = np.array([rank[row] for row in rows], np.int64)
    count = np.bincount(which, minlength=len(keys))
    columns: dict[str, NDArray[Any]] = {name: np.array([key[i] for key in keys]) for i, name in enumerate(by)}
    if "image" in table.objects and "image" not in by:
        pairs = np.unique(np.column_stack([which, np.unique(table.objects["image"], return_inverse=True)[1]]), axis=0)
        columns["n_images"] = np.bincount(pairs[:, 0], minlength=len(keys)) if len(pairs) else count
    columns["n_objects"] = count
    order = np.argsort(which, kind="stable")
    parts = np.split(order, np.cumsum(count)[:-1])[: len(keys)]
    for name, values in zip(table.names, table.values.T, strict=True):
        known = [values[part][~np.isnan(values[part])] for part in parts]
        columns[f"mean_{name}"] = np.array([part.mean() if len(part) else np.nan for part in known])
        columns[f"median_{name}"] = np.array([np.median(part) if len(part) else np.nan for part in known])
    return columns


def summarise_wells(table: Measurements, images: Iterable[str] = ()) -> dict[str, NDArray[Any]]:
    """Count the objects of each well, and take mean and median of every feature.

    Parameters
    ----------
    table : Measurements
        With the columns ``plate`` and ``well``, or with ``image``, whose names say them.
    images : iterable of str, optional
        Names of all images that were looked at: a well without objects is then a row with 0, not no row.

    Returns
    -------
    dict of str to ndarray, shape (n_wells,)
        ``plate``, ``well`` and what `summarise` gives. With `images`, ``n_images`` counts them.

    Raises
    ------
    ParameterError
        If a name says no well.
    """
    located = table if {"plate", "well"} <= set(table.objects) else add_wells(table)
    looked_at = list(dict.fromkeys(images))
    wells: dict[tuple[str, str], int] = {}
    for name in looked_at:
        position = find_well(name)
        if position is None:
            raise ParameterError(f"the image {name!r} says no well in its name")
        wells[position.plate, position.well] = wells.get((position.plate, position.well), 0) + 1
    columns = summarise(located, ("plate", "well"), groups=wells)
    if looked_at:
        keys = zip(columns["plate"].tolist(), columns["well"].tolist(), strict=True)
        columns["n_images"] = np.array([wells.get(key, 0) for key in keys])
    return columns
