"""Table, labels and molecules together in one SpatialData folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from teasel.errors import MissingDependency, ShapeError
from teasel.images.atomic import atomic_path
from teasel.spatial.assign.table import REGION
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    import anndata

__all__ = ["write_spatialdata"]


def write_spatialdata(
    path: str | os.PathLike[str], table: anndata.AnnData, labels: Any, spots: Spots, *, gene: str = "gene"
) -> Path:
    """Write a SpatialData folder: labels ``cells``, points ``transcripts``, and the table that annotates the labels.

    Parameters
    ----------
    path : path-like
        Ends in ``.zarr``; replaced if it is there.
    table : AnnData
        From `cell_table`.
    labels : array of int, shape ([z,] y, x)
        The label image of the table.
    spots : Spots
        Molecules; their columns are kept.
    gene : str
        Column of `spots` that names the gene.

    Returns
    -------
    pathlib.Path
        Where it was written. Coordinates are pixels; where the voxel size is known, a scale to micrometres is the
        coordinate system ``um``.

    Raises
    ------
    MissingDependency
        If the package spatialdata is not installed.
    ShapeError
        If spots and labels differ in dimensions.
    """
    try:
        import pandas
        import spatialdata
        from spatialdata.models import Labels2DModel, Labels3DModel, PointsModel, TableModel
        from spatialdata.transformations import Identity, Scale
    except ImportError as error:
        raise MissingDependency(
            f'SpatialData needs the package spatialdata; install it with: pip install "teasel[spatialdata]" '
            f"(the import said: {error})"
        ) from error
    array = np.asarray(labels)
    if array.ndim != spots.ndim:
        raise ShapeError(f"labels have {array.ndim} dimensions, spots {spots.ndim}; they must be of one image")
    transformations: dict[str, Any] = {"global": Identity()}
    if spots.voxel_size_um.known(spots.axes):
        transformations["um"] = Scale(list(spots.voxel_size_um.along(spots.axes)), axes=tuple(spots.axes))
    model = Labels2DModel if array.ndim == 2 else Labels3DModel
    frame = pandas.DataFrame({axis: spots.positions_px[:, i] for i, axis in enumerate(spots.axes)} | spots.columns)
    frame[gene] = frame[gene].astype("category")
    coordinates = {axis: axis for axis in reversed(spots.axes)}
    data = spatialdata.SpatialData(
        labels={
            REGION: model.parse(
                np.where(array > 0, array, 0).astype(np.uint32),
                dims=tuple(spots.axes),
                transformations=dict(transformations),
            )
        },
        points={
            "transcripts": PointsModel.parse(
                frame, coordinates=coordinates, feature_key=gene, transformations=dict(transformations)
            )
        },
        tables={"table": TableModel.parse(table.copy())},
    )
    target = Path(path)
    with atomic_path(target) as temporary:
        data.write(temporary)
    return target
