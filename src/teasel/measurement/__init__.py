"""Numbers of objects: what is measured of each cell, and the table it stands in.

Takes labels and the image they belong to; gives `Measurements`, a row per object and a column per feature, each with
its unit and definition. One family of features is one file in `features`; names and definitions are CellProfiler's
where it has them.
"""

from __future__ import annotations

from teasel.measurement.describe import describe
from teasel.measurement.measure import measure
from teasel.measurement.table import Feature, Measurements, Relation

__all__ = ["Feature", "Measurements", "Relation", "describe", "measure"]
