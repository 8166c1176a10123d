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
    from teasel.segment import Segmentation

__all__ = ["describe_result", "object_columns", "write_objects", "write_overlay", "write_results"]

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
    write_labels(labels, _with_time(segmentation), segmentation.image.voxel_size_um)
    with atomic_path(objects) as temporary:
        write_objects(segmentation, temporary)
    with atomic_path(overlay) as temporary:
        write_overlay(segmentation, temporary)
    return [labels, objects, overlay]


def write_objects(segmentation: Segmentation, path: Path) -> None:
    """Write the table of objects as CSV: UTF-8, commas, decimal points, one row per object."""
    columns = object_columns(segmentation)
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
        ``area_um2`` (in stacks ``volume_um3``) and ``centroid_*_um``.
    """
    columns = {name: np.asarray(column) for name, column in dict(segmentation.objects).items()}
    axes = [axis for axis in "zyx" if f"centroid_{axis}_px" in columns]
    edges = segmentation.image.voxel_size_um.along("".join(axes))
    if all(edge is not None for edge in edges):
        known = [float(edge) for edge in edges if edge is not None]
        columns[_SIZE_NAMES[len(axes)]] = columns["area_px"] * math.prod(known)
        for axis, edge in zip(axes, known, strict=True):
            columns[f"centroid_{axis}_um"] = columns[f"centroid_{axis}_px"] * edge
    return columns


def write_overlay(segmentation: Segmentation, path: Path) -> None:
    """Write the outlines over the image as PNG."""
    from PIL import Image as Picture

    asked = segmentation.parameters
    picture = draw_overlay(segmentation.image, segmentation.labels, channel=asked.get("channel"), z=asked.get("z"))
    Picture.fromarray(picture).save(path, format="PNG")


def describe_result(segmentation: Segmentation) -> dict[str, Any]:
    """Return what ``run.json`` says about one image."""
    image = segmentation.image
    return {
        "n_objects": len(segmentation.scores),
        "diameter_px": segmentation.diameter_px,
        "diameter_source": segmentation.diameter_source,
        "axes": image.axes,
        "shape": image.shape,
        "voxel_size_um": image.voxel_size_um,
        "notes": segmentation.notes,
    }


def _with_time(segmentation: Segmentation) -> np.ndarray[Any, Any]:
    """Return the labels, in a series of planes with a z of length 1: three dimensions are taken as (z, y, x)."""
    labels = segmentation.labels
    return labels[:, None] if "t" in segmentation.image.axes and labels.ndim == 3 else labels


def _cell(value: Any) -> str | int:
    """Return a table cell: numbers short but exact enough, truth as true or false."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, np.integer | int):
        return int(value)
    return f"{float(value):.6g}"
