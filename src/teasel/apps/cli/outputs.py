"""The three files of one segmented image: labels, a table of objects, and a picture."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from teasel.apps.cli.jobs import RESULT_SUFFIXES
from teasel.apps.cli.overlay import draw_overlay

if TYPE_CHECKING:
    from teasel.images import Image
    from teasel.inference.objects import ObjectTable
    from teasel.segment import Segmentation

__all__ = [
    "describe_result",
    "in_planes",
    "object_columns",
    "write_objects",
    "write_overlay",
    "write_results",
    "write_table_of",
]

_SIZE_NAMES = {2: "area_um2", 3: "volume_um3"}


def write_results(segmentation: Segmentation, folder: Path, name: str) -> list[Path]:
    """Write labels, table and picture of one image, each whole or not at all.

    Parameters
    ----------
    segmentation : Segmentation
        What was found.
    folder : pathlib.Path
        Where to; it exists.
    name : str
        What the file names begin with.

    Returns
    -------
    list of pathlib.Path
        ``<name>.labels.tif``, ``<name>.objects.csv``, ``<name>.overlay.png``.
    """
    from teasel.images.atomic import atomic_path
    from teasel.labels import write_labels

    labels, objects, overlay = (folder / (name + suffix) for suffix in RESULT_SUFFIXES)
    write_labels(labels, in_planes(segmentation.labels, segmentation.image), segmentation.image.voxel_size_um)
    with atomic_path(objects) as temporary:
        write_objects(segmentation, temporary)
    with atomic_path(overlay) as temporary:
        write_overlay(segmentation, temporary)
    return [labels, objects, overlay]


def write_objects(segmentation: Segmentation, path: Path) -> None:
    """Write the table of objects as CSV: UTF-8, commas, decimal points, one row per object."""
    write_table_of(segmentation.objects, segmentation.image, path)


def write_table_of(objects: ObjectTable, image: Image, path: Path) -> None:
    """Write a table as CSV, with micrometres where the scale is known."""
    columns = _with_micrometres(objects, image)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(map(_cell, column) for column in columns.values()), strict=True))


def object_columns(segmentation: Segmentation) -> dict[str, np.ndarray[Any, Any]]:
    """Return the columns of the table: those of the objects, and micrometres where the scale is known.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``label``, ``centroid_*_px``, ``area_px``, ``score``, ``touches_border``; with a known voxel size also
        ``area_um2`` (in stacks ``volume_um3``) and ``centroid_*_um``. Where nuclei were looked for, also ``nucleus``,
        ``n_nuclei`` and ``nuclear_area_px``.
    """
    return _with_micrometres(segmentation.objects, segmentation.image)


def _with_micrometres(objects: ObjectTable, image: Image) -> dict[str, np.ndarray[Any, Any]]:
    """Return the columns of a table, and micrometres where the scale is known."""
    columns = {name: np.asarray(column) for name, column in dict(objects).items()}
    axes = [axis for axis in "zyx" if f"centroid_{axis}_px" in columns]
    edges = image.voxel_size_um.along("".join(axes))
    if all(edge is not None for edge in edges):
        known = [float(edge) for edge in edges if edge is not None]
        columns[_SIZE_NAMES[len(axes)]] = columns["area_px"] * math.prod(known)
        for axis, edge in zip(axes, known, strict=True):
            columns[f"centroid_{axis}_um"] = columns[f"centroid_{axis}_px"] * edge
    return columns


def write_overlay(segmentation: Segmentation, path: Path) -> None:
    """Write the outlines over the image as PNG; nuclei, where there are any, in a colour of their own."""
    from PIL import Image as Picture

    asked = segmentation.parameters
    channel = asked.get("cell", asked.get("channel"))
    picture = draw_overlay(
        segmentation.image, segmentation.labels, channel=channel, z=asked.get("z"), nuclei=segmentation.nuclei
    )
    Picture.fromarray(picture).save(path, format="PNG")


def describe_result(segmentation: Segmentation) -> dict[str, Any]:
    """Return what ``run.json`` says about one image."""
    image = segmentation.image
    pairing = {}
    if segmentation.nuclei_objects is not None:
        pairing = {
            "n_nuclei": len(segmentation.nuclei_objects),
            "cells_without_nucleus": segmentation.cells_without_nucleus,
            "nuclei_without_cell": segmentation.nuclei_without_cell,
        }
    return {
        "n_objects": len(segmentation.scores),
        **pairing,
        "diameter_px": segmentation.diameter_px,
        "diameter_source": segmentation.diameter_source,
        "axes": image.axes,
        "shape": image.shape,
        "voxel_size_um": image.voxel_size_um,
        "notes": segmentation.notes,
    }


def in_planes(labels: np.ndarray[Any, Any], image: Image) -> np.ndarray[Any, Any]:
    """Return labels, in a series of planes with a z of length 1: three dimensions are taken as (z, y, x)."""
    return labels[:, None] if "t" in image.axes and labels.ndim == 3 else labels


def _cell(value: Any) -> str | int:
    """Return a table cell: numbers short but exact enough, truth as true or false."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, np.integer | int):
        return int(value)
    return f"{float(value):.6g}"
