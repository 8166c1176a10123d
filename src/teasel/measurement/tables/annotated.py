"""Tables as AnnData, in ``.h5ad`` or ``.zarr``: what scanpy, squidpy and their kin take; the form that is the truth."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.measurement.table import Feature, Measurements
from teasel.measurement.tables.columns import OBJECT, Column, columns_of, contents_of, measurements_of, parse_contents
from teasel.measurement.tables.detour import by_detour

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["SUFFIXES", "from_anndata", "matches", "read", "to_anndata", "write"]

SUFFIXES = (".h5ad", ".zarr")
_KEYS = ("channel", "compartment", "unit", "definition", "family")


def to_anndata(table: Measurements, settings: dict[str, Any] | None = None) -> AnnData:
    """Return a table as AnnData.

    Parameters
    ----------
    table : Measurements
        What was measured.
    settings : dict, optional
        More settings to keep beside the table's own.

    Returns
    -------
    anndata.AnnData
        ``X`` float32 (objects, features); ``obs`` the columns that say which object a row is, named
        ``image:frame:label`` as far as known; ``obsm["spatial"]`` centroids in the order (x, y[, z]), as squidpy takes
        them, in ``uns["teasel"]["spatial_unit"]``; ``var`` channel, compartment, unit, definition and family;
        ``uns["teasel"]`` also settings and relations as JSON, and the version.

    Examples
    --------
    >>> area = Feature("AreaShape_Area", unit="um2")
    >>> table = Measurements(np.ones((2, 1)), (area,), {"label": np.array([3, 7])}, np.zeros((2, 2)))
    >>> to_anndata(table).var.unit["AreaShape_Area"]
    'um2'
    """
    import pandas
    from anndata import AnnData

    contents = contents_of(table, settings)
    names = _row_names(table)
    objects = {
        column.name: column.values.astype(object) if column.type == "string" else column.values
        for column in columns_of(table)
        if column.kind == OBJECT
    }
    about = {key: [getattr(feature, key) for feature in table.features] for key in _KEYS}
    return AnnData(
        X=table.values.astype(np.float32),
        obs=pandas.DataFrame(objects, index=pandas.Index(names, dtype=object)),
        var=pandas.DataFrame(about, index=pandas.Index(list(table.names), dtype=object), dtype=object),
        obsm={"spatial": table.spatial_um[:, ::-1].copy()},
        uns={
            "teasel": {
                "version": str(contents.settings["teasel"]),
                "spatial_unit": table.spatial_unit,
                "contents": json.dumps(asdict(contents)),
            }
        },
    )


def from_anndata(annotated: AnnData, where: str = "AnnData") -> Measurements:
    """Return an AnnData that `to_anndata` made, or one with ``obs["label"]`` of another program, as a table.

    Raises
    ------
    FormatError
        If it has no ``obs["label"]``, or no numbers in two dimensions.
    """
    values = annotated.X.toarray() if hasattr(annotated.X, "toarray") else np.asarray(annotated.X)
    about = dict(annotated.uns.get("teasel", {}))
    objects = [
        Column(Feature(str(name)), OBJECT, _object_column(annotated.obs[name].to_numpy()))
        for name in annotated.obs.columns
        if name != "region"
    ]
    frame = annotated.var
    texts = {key: [str(v) for v in frame[key]] if key in frame else [""] * len(frame) for key in _KEYS}
    features = tuple(Feature(str(name), **{key: texts[key][i] for key in _KEYS}) for i, name in enumerate(frame.index))
    spatial = np.asarray(annotated.obsm["spatial"], np.float64)[:, ::-1] if "spatial" in annotated.obsm else None
    base = measurements_of(objects, parse_contents(about.get("contents")), where)
    return Measurements(
        values=values.astype(np.float64).reshape(len(base), len(features)),
        features=features,
        objects=base.objects,
        spatial_um=np.zeros((len(base), 0)) if spatial is None else spatial,
        spatial_unit=str(about.get("spatial_unit", "px")),
        settings=base.settings,
        relations=base.relations,
    )


def write(path: Path, table: Measurements, settings: dict[str, Any] | None) -> None:
    """Write the table; features are rounded to float32, about seven digits."""
    import anndata

    found = to_anndata(table, settings)
    if path.suffix.lower() == ".h5ad":
        with by_detour(path) as elsewhere:
            found.write_h5ad(elsewhere, compression="gzip")
        return
    with anndata.settings.override(zarr_write_format=3), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(Consolidated metadata|zarr v3 autosharding)")  # of no concern to the caller
        found.write_zarr(path)


def read(path: Path) -> Measurements:
    """Read a table; of a SpatialData store its one table.

    Raises
    ------
    FormatError
        If the file is broken, holds no AnnData, or several tables.
    """
    import anndata

    try:
        packed = path.suffix.lower() == ".h5ad"
        found = anndata.read_h5ad(path) if packed else anndata.read_zarr(_table_in(path))
    except FormatError:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as why:
        raise FormatError(f"{path} cannot be read as AnnData ({why}); is it whole?") from why
    return from_anndata(found, str(path))


def matches(path: Path) -> bool:
    """Say whether a ``.zarr`` that exists holds a table: an AnnData, or a SpatialData store with tables.

    Examples
    --------
    >>> matches(Path("not-there.zarr"))
    False
    """
    return path.is_dir() and _kind(path) in ("anndata", "spatialdata")


def _kind(path: Path) -> str:
    """Say what a folder holds: ``"anndata"``, ``"spatialdata"`` or something else."""
    import zarr

    try:
        attributes = dict(zarr.open_group(path, mode="r").attrs)
    except (OSError, ValueError, KeyError):
        return ""
    return "spatialdata" if "spatialdata_attrs" in attributes else str(attributes.get("encoding-type", ""))


def _table_in(path: Path) -> Path:
    """Return the AnnData of a folder: itself, or the one table of a SpatialData store."""
    kind = _kind(path)
    if kind == "anndata":
        return path
    tables = sorted(one for one in (path / "tables").glob("*") if one.is_dir()) if kind == "spatialdata" else []
    if len(tables) != 1:
        raise FormatError(f"{path} holds {len(tables)} tables; expected an AnnData, or a SpatialData store with one")
    return tables[0]


def _row_names(table: Measurements) -> list[str]:
    """Name the rows by what tells them apart; where that is not enough, by their number too."""
    parts = [table.objects[key].tolist() for key in ("image", "frame", "label") if key in table.objects]
    names = [":".join(map(str, row)) for row in zip(*parts, strict=True)]
    return names if len(set(names)) == len(names) else [f"{name}#{i}" for i, name in enumerate(names)]


def _object_column(values: Any) -> NDArray[Any]:
    array = np.asarray(values)
    return array if array.dtype.kind in "iufb" else array.astype(str)
