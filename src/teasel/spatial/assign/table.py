"""Cells x genes: counts, places and what was left over, as AnnData."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ShapeError
from teasel.geometry import VoxelSize
from teasel.spatial.assign.counts import PairCounts, count_pairs

if TYPE_CHECKING:
    import anndata

__all__ = ["REGION", "cell_table"]

REGION = "cells"
"""Name of the label image that a table's rows belong to, in SpatialData's terms."""

_ROWS = 2048  # of a label image at a time


def cell_table(
    cells: ArrayLike,
    genes: ArrayLike,
    names: Sequence[str],
    labels: Any,
    *,
    blank: ArrayLike | None = None,
    voxel_size_um: VoxelSize | None = None,
) -> anndata.AnnData:
    """Count spots into a table of cells and genes.

    Parameters
    ----------
    cells : array of uint32, shape (n,)
        Cell of each spot; 0 for none.
    genes : array of int, shape (n,)
        Number of the gene of each spot.
    names : sequence of str
        Name of each gene.
    labels : array of int, shape ([z,] y, x)
        Label image of the cells; read a slab at a time. Every label has a row, also without a spot.
    blank : array of bool, shape (n_genes,), optional
        Which genes are negative controls: they are counted in ``obs``, not in the matrix.
    voxel_size_um : VoxelSize, optional
        Micrometres per pixel; then ``obsm["spatial"]`` is in micrometres.

    Returns
    -------
    AnnData
        ``X``: counts, sparse. ``obs``: ``label``, ``n_px``, ``n_counts``, ``n_blank``, ``region``. ``var``:
        ``n_unassigned``, spots of that gene in no cell. ``obsm["spatial"]``: x, y (, z) of the centroid. ``uns``:
        ``unassigned`` (spots, share, blanks), ``spatial_unit``, and what SpatialData needs to know.

    Raises
    ------
    ShapeError
        If lengths differ.
    DataError
        If a spot's cell is not in the label image.

    Examples
    --------
    >>> labels = np.array([[1, 1, 0, 2]])
    >>> table = cell_table([1, 1, 2, 0], [0, 1, 1, 1], ["Actb", "Gad1"], labels)
    >>> table.X.toarray().astype(int).tolist(), table.var["n_unassigned"].tolist()
    ([[1, 1], [0, 1]], [0, 1])
    """
    labels_of, codes = np.asarray(cells, np.uint32), np.asarray(genes)
    if len(labels_of) != len(codes):
        raise ShapeError(f"{len(labels_of)} cells for {len(codes)} genes; give one of each per spot")
    total = np.bincount(codes, minlength=len(names)) if len(codes) else np.zeros(len(names), np.int64)
    if len(total) > len(names):
        raise ShapeError(f"gene number {len(total) - 1} for {len(names)} names; give a name for each")
    places = measure_places(labels, voxel_size_um)
    return table_of_counts(count_pairs(labels_of, codes, len(names)), total, names, places, blank)


def table_of_counts(
    counts: PairCounts,
    total: NDArray[np.int64],
    names: Sequence[str],
    places: dict[str, Any],
    blank: ArrayLike | None = None,
) -> anndata.AnnData:
    """Make the table from counts that were gathered elsewhere, `total` being spots per gene, in cells or not."""
    import anndata
    import pandas
    from scipy.sparse import csr_matrix

    all_labels = places["label"]
    row = np.searchsorted(all_labels, counts.cells)
    if (row >= len(all_labels)).any() or (all_labels[np.minimum(row, len(all_labels) - 1)] != counts.cells).any():
        raise DataError("a spot is assigned to a cell that the label image does not hold; pass the labels it came from")
    spread = csr_matrix((np.ones(len(row), np.int64), (row, np.arange(len(row)))), shape=(len(all_labels), len(row)))
    matrix = (spread @ counts.matrix()).tocsr()
    is_blank = np.zeros(len(names), bool) if blank is None else np.asarray(blank, bool)
    kept = np.flatnonzero(~is_blank)
    obs = pandas.DataFrame(
        {
            "label": all_labels.astype(np.int64),
            "n_px": places["n_px"],
            "n_counts": np.asarray(matrix[:, kept].sum(axis=1)).ravel().astype(np.int64),
            "n_blank": np.asarray(matrix[:, np.flatnonzero(is_blank)].sum(axis=1)).ravel().astype(np.int64),
            "region": pandas.Categorical([REGION] * len(all_labels), categories=[REGION]),
        },
        index=[str(label) for label in all_labels.tolist()],
    )
    left = total - counts.of_gene
    var = pandas.DataFrame({"n_unassigned": left[kept]}, index=[names[k] for k in kept.tolist()])
    return anndata.AnnData(
        X=matrix[:, kept].astype(np.float32),
        obs=obs,
        var=var,
        obsm={"spatial": places["centroid"]},
        uns={
            "unassigned": {
                "spots": int(left[kept].sum()),
                "share": float(left[kept].sum() / max(total[kept].sum(), 1)),
                "blanks": int(left[is_blank].sum()),
            },
            "spatial_unit": places["unit"],
            "spatialdata_attrs": {"region": REGION, "region_key": "region", "instance_key": "label"},
        },
    )


def measure_places(labels: Any, voxel_size_um: VoxelSize | None = None) -> dict[str, Any]:
    """Find every label, its number of pixels and its centroid, a slab at a time.

    Returns
    -------
    dict
        ``label`` (ascending), ``n_px``, ``centroid`` (n, ndim) in the order x, y (, z), ``unit`` (``um`` or ``px``).
    """
    ndim = len(labels.shape)
    axes = "zyx"[-ndim:]
    found = np.zeros(0, np.int64)
    sums = np.zeros((0, ndim + 1))
    for start in range(0, labels.shape[0], _ROWS):
        slab = np.asarray(labels[start : start + _ROWS])
        inside = np.nonzero(slab > 0)
        here, where = np.unique(slab[inside].astype(np.int64), return_inverse=True)
        columns = [np.bincount(where, minlength=len(here))]
        columns += [np.bincount(where, i + (start if axis == 0 else 0), len(here)) for axis, i in enumerate(inside)]
        merged, back = np.unique(np.concatenate([found, here]), return_inverse=True)
        both = np.vstack([sums, np.stack(columns, axis=1)])
        sums = np.stack([np.bincount(back, column, len(merged)) for column in both.T], axis=1)
        found = merged
    centroid = sums[:, 1:] / np.maximum(sums[:, :1], 1)
    known = voxel_size_um is not None and voxel_size_um.known(axes)
    if known:
        assert voxel_size_um is not None
        centroid = centroid * np.array(voxel_size_um.along(axes), np.float64)
    return {
        "label": found.astype(np.uint32),
        "n_px": sums[:, 0].astype(np.int64),
        "centroid": centroid[:, ::-1].copy(),
        "unit": "um" if known else "px",
    }
