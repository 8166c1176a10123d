"""Spots to cells: by label image, by the nearest cell within a radius, or by what cells express.

Takes positions in pixels and a label image of cells or nuclei; gives the label of the cell of each spot (0 for none),
and a table of cells and genes as AnnData. All of it works in parts of bounded size, and says beforehand if memory
would not do. Whatever the tiles, the result is the same.
"""

from __future__ import annotations

from teasel.spatial.assign.candidates import find_candidates, nearest_cells
from teasel.spatial.assign.counts import PairCounts, count_pairs
from teasel.spatial.assign.labels import cells_at
from teasel.spatial.assign.layout import write_spatialdata
from teasel.spatial.assign.memory import check_memory, needed_gb
from teasel.spatial.assign.parts import count_parts
from teasel.spatial.assign.refine import Refinement, refine_cells
from teasel.spatial.assign.table import cell_table

__all__ = [
    "PairCounts",
    "Refinement",
    "cell_table",
    "cells_at",
    "check_memory",
    "count_pairs",
    "count_parts",
    "find_candidates",
    "nearest_cells",
    "needed_gb",
    "refine_cells",
    "write_spatialdata",
]
