"""What a recipe says, as values."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from teasel.apps.cli.session import SegmentOptions
from teasel.apps.report.options import ReportOptions

__all__ = ["FORMAT", "MODEL_KEYS", "ExportOptions", "MeasureOptions", "Recipe", "ReportOptions", "is_path"]

FORMAT = "teasel recipe 1"
MODEL_KEYS = ("model", "nuclei_model")
"""The keys of the section segment that may be paths."""


@dataclass(frozen=True)
class MeasureOptions:
    """What is measured of each object: a table for each image, and one for all of them.

    Parameters
    ----------
    families : tuple of str
        Families of features, such as shape, intensity, texture; all if not given.
    channels : tuple of str
        Channels to measure in, by number from 0 or by name; all if not given.
    tables : tuple of str
        Formats of the one table of all images, by suffix: .csv, .xlsx, .parquet, .h5ad.
    """

    families: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    tables: tuple[str, ...] = (".csv",)


@dataclass(frozen=True)
class ExportOptions:
    """Formats of other programs in which labels are written too.

    Parameters
    ----------
    labels : tuple of str
        By suffix: .zip (ImageJ ROIs), .geojson (QuPath), .coco.json, .png, .npy, .ome.zarr.
    """

    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """A run over images, from files to tables and a report.

    Parameters
    ----------
    inputs : tuple of str
        Images, folders of images, or patterns such as plate/*.tif; relative ones count from the folder of the recipe.
    output : str, optional
        Folder for the results; relative to the folder of the recipe. The option -o goes before it.
    segment : SegmentOptions
        How objects are found: the options of `teasel segment`.
    measure : MeasureOptions, optional
        What is measured of each object; nothing if left out.
    export : ExportOptions
        Formats of other programs in which labels are written too.
    report : ReportOptions, optional
        The report on all images; none is written if left out.
    """

    inputs: tuple[str, ...]
    output: str | None = None
    segment: SegmentOptions = field(default_factory=SegmentOptions)
    measure: MeasureOptions | None = None
    export: ExportOptions = field(default_factory=ExportOptions)
    report: ReportOptions | None = None


def is_path(model: str) -> bool:
    """Say whether a model is given as a path, as `teasel.models.find_model` does.

    Examples
    --------
    >>> is_path("nuclei"), is_path("./mine")
    (False, True)
    """
    return os.sep in model or "/" in model or model.startswith(".")
