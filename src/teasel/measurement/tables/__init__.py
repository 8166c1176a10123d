"""Tables of objects in files: one format per file, each a pair of ``read`` and ``write``, chosen by suffix.

The truth is an AnnData (``.h5ad``, ``.zarr``): features with their channel, compartment, unit and definition, places
in micrometres, settings. CSV, Parquet and XLSX hold the same columns, described in a companion file, in the schema, or
on a sheet of their own. `write_spatialdata` puts table, labels and outlines together.
"""

from __future__ import annotations

from teasel.measurement.tables.annotated import from_anndata, to_anndata
from teasel.measurement.tables.files import is_table_path, read_table, write_table
from teasel.measurement.tables.spatial_data import write_spatialdata
from teasel.measurement.tables.summary import summarise, summarise_wells

__all__ = [
    "from_anndata",
    "is_table_path",
    "read_table",
    "summarise",
    "summarise_wells",
    "to_anndata",
    "write_spatialdata",
    "write_table",
]
