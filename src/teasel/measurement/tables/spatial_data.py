"""Labels, outlines, table and image together, in the layout of SpatialData, which opens it unchanged."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, MissingDependency, ShapeError
from teasel.geometry import VoxelSize
from teasel.images.atomic import atomic_path
from teasel.labels import check_labels, contours, to_smallest
from teasel.labels.contours import Polygon
from teasel.measurement.table import Measurements
from teasel.measurement.tables.annotated import to_anndata

__all__ = ["write_spatialdata"]


def write_spatialdata(
    path: str | os.PathLike[str],
    labels: ArrayLike,
    table: Measurements,
    *,
    voxel_size_um: VoxelSize | None = None,
    image: NDArray[Any] | None = None,
    channel_names: tuple[str, ...] = (),
    name: str = "cells",
    settings: dict[str, Any] | None = None,
) -> None:
    """Write a SpatialData store of one image, whole or not at all.

    Parameters
    ----------
    path : path-like
        Folder to make, ``.zarr``.
    labels : array_like of int, shape ([z,] y, x)
        0 background, 0 or more.
    table : Measurements
        Of these labels, a row per object.
    voxel_size_um : VoxelSize, optional
        Micrometres per voxel: the scale from pixels to the coordinate system ``"global"``, which is then in
        micrometres; without it, in pixels.
    image : ndarray, shape (c, [z,] y, x), optional
        The image itself.
    channel_names : tuple of str
        One name per channel of the image.
    name : str
        Of the labels; outlines are ``NAME_outlines``, the table ``table``, the image ``image``.
    settings : dict, optional
        More settings to keep beside the table's own.

    Raises
    ------
    DataError
        If the table has a label that the label image lacks, or a label twice.
    ShapeError
        If labels or image have other dimensions.
    MissingDependency
        If spatialdata is not installed.

    Notes
    -----
    The table annotates the labels (``region``, ``instance_key="label"``). Outlines are written of planes only, since
    SpatialData's polygons are flat; their index is the label. Pixel centres are at 0.5, as in SpatialData.
    """
    array = to_smallest(check_labels(labels, ignore=False))
    if array.ndim not in (2, 3):
        raise ShapeError(f"labels have shape {array.shape}; SpatialData takes (y, x) or (z, y, x)")
    if image is not None and (image.ndim != array.ndim + 1 or image.shape[1:] != array.shape):
        raise ShapeError(f"the image has shape {image.shape}, the labels {array.shape}; expected (c, *labels.shape)")
    _check_rows(table, array)
    sd = _import()
    from spatialdata.models import Image2DModel, Image3DModel, Labels2DModel, Labels3DModel, TableModel
    from spatialdata.transformations import Scale

    axes = "zyx"[3 - array.ndim :]
    size = voxel_size_um or VoxelSize()
    known = size.known(axes)
    scale = {"global": Scale([getattr(size, axis) if known else 1.0 for axis in axes], axes=tuple(axes))}
    annotated = to_anndata(table, {**(settings or {}), "global_unit": "um" if known else "px"})
    annotated.obs["region"] = np.full(len(table), name)
    annotated.obs["region"] = annotated.obs["region"].astype("category").cat.set_categories([name])
    of_labels, of_images = (Labels2DModel, Image2DModel) if array.ndim == 2 else (Labels3DModel, Image3DModel)
    parts: dict[str, Any] = {name: of_labels.parse(array, dims=tuple(axes), transformations=dict(scale))}
    if array.ndim == 2 and array.any():
        parts[f"{name}_outlines"] = _shapes(array, dict(scale))
    if image is not None:
        given = {"c_coords": list(channel_names)} if any(channel_names) else {}
        parts["image"] = of_images.parse(image, dims=("c", *axes), transformations=dict(scale), **given)
    if len(table):
        parts["table"] = TableModel.parse(annotated, region=name, region_key="region", instance_key="label")
    with atomic_path(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(Consolidated metadata|zarr v3 autosharding)")  # of no concern to the caller
        sd.SpatialData.init_from_elements(parts).write(temporary)


def _check_rows(table: Measurements, labels: NDArray[Any]) -> None:
    """Refuse a table that is of other labels."""
    rows = table.objects["label"]
    strangers = np.setdiff1d(rows, np.unique(labels))
    if len(strangers):
        raise DataError(
            f"the table has the label {strangers[0]}, which the label image lacks; give the labels measured"
        )
    if len(np.unique(rows)) != len(rows):
        raise DataError("the table has a label twice; SpatialData takes the table of one image")


def _shapes(labels: NDArray[Any], transformations: dict[str, Any]) -> Any:
    """Return the outlines as SpatialData's shapes."""
    import geopandas
    from shapely.geometry import MultiPolygon
    from shapely.geometry import Polygon as Area
    from spatialdata.models import ShapesModel

    def area(piece: Polygon) -> Any:
        return Area(piece.exterior[:, ::-1], [hole[:, ::-1] for hole in piece.holes])

    found = {label: [area(piece) for piece in pieces] for label, pieces in contours(labels).items()}
    outlines = [areas[0] if len(areas) == 1 else MultiPolygon(areas) for areas in found.values()]
    frame = geopandas.GeoDataFrame({"geometry": outlines}, index=list(found))
    return ShapesModel.parse(frame, transformations=transformations)


def _import() -> Any:
    try:
        import spatialdata
    except ImportError as why:
        raise MissingDependency(
            f"a SpatialData store needs the package spatialdata ({why}); install it with: "
            'pip install "teasel[spatialdata]"'
        ) from why
    return spatialdata
