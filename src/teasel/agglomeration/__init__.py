"""From affinities to segments of a volume, exactly: supervoxels, their region graph, and its partition.

Takes 8-bit affinities of neighbouring voxels; gives supervoxels (`supervoxels`), a graph of integer sums
(`region_graph`), every merge in order (`Agglomeration`, `MergeTree`), or a partition without a threshold
(`MutexWatershed`); or connected components of the affinities themselves (`Connected`). Each step is a function of a
fixed neighbourhood with a total order for ties, a sum of integers, or an algorithm on the whole graph with a total
order: `teasel.inference.volume` does the same block by block and gets the same bytes. Kernels need numba (extra
``volumes``).
"""

from __future__ import annotations

from teasel.agglomeration.agglomerate import Agglomeration
from teasel.agglomeration.boundaries import UNIT_OFFSETS, affinities_of_boundaries, quantise
from teasel.agglomeration.connected import Connected
from teasel.agglomeration.height import Height
from teasel.agglomeration.merge_tree import MergeTree
from teasel.agglomeration.mutex import MutexWatershed
from teasel.agglomeration.region_graph import RegionGraph, add_graphs, region_graph
from teasel.agglomeration.supervoxels import supervoxels
from teasel.agglomeration.walls import Walls

__all__ = [
    "UNIT_OFFSETS",
    "Agglomeration",
    "Connected",
    "Height",
    "MergeTree",
    "MutexWatershed",
    "RegionGraph",
    "Walls",
    "add_graphs",
    "affinities_of_boundaries",
    "quantise",
    "region_graph",
    "supervoxels",
]
