"""Label images and their geometry.

Takes and gives integer arrays of any number of dimensions: 0 is background, each object has its own number,
-1 marks pixels that nobody has judged. Functions return new arrays and leave their input alone. `metrics`
compares label images.
"""

from __future__ import annotations

from teasel.labels.border import trace_borders
from teasel.labels.check import IGNORE, check_labels
from teasel.labels.connected import (
    connected_labels,
    is_connected,
    keep_largest,
    label_pieces,
    split_disconnected,
)
from teasel.labels.contacts import touches_border, touching_pairs
from teasel.labels.contours import Polygon, contours
from teasel.labels.dtype import smallest_dtype, to_smallest
from teasel.labels.files import is_label_path, read_labels, read_voxel_size, write_labels
from teasel.labels.fill import fill_holes
from teasel.labels.nuclei_in_cells import NucleiInCells, pair_nuclei
from teasel.labels.outline import outline_mask
from teasel.labels.polygons import fill_polygons
from teasel.labels.relabel import relabel
from teasel.labels.select import keep_objects

__all__ = [
    "IGNORE",
    "NucleiInCells",
    "Polygon",
    "check_labels",
    "connected_labels",
    "contours",
    "fill_holes",
    "fill_polygons",
    "is_connected",
    "is_label_path",
    "keep_largest",
    "keep_objects",
    "label_pieces",
    "outline_mask",
    "pair_nuclei",
    "read_labels",
    "read_voxel_size",
    "relabel",
    "smallest_dtype",
    "split_disconnected",
    "to_smallest",
    "touches_border",
    "touching_pairs",
    "trace_borders",
    "write_labels",
]
