"""Volumes of any size, segmented block by block with a result that does not depend on the blocks.

Takes affinities of a volume (`AffinitySource`) and a `Recipe`; gives an OME-Zarr of labels that keeps supervoxels,
region graph and merge tree (`agglomerate_volume`; `segment_volume` predicts the affinities first), and another
threshold by looking it up (`cut_result`). Runs in this process or on a Dask cluster (`open_runner`). A run that was
killed goes on where it stopped. Labels, graph, tree and files are the same bytes for every size and order of blocks
and every number of workers.
"""

from __future__ import annotations

from teasel.inference.volume.cut import cut_result
from teasel.inference.volume.pipeline import agglomerate_volume, work_folder
from teasel.inference.volume.recipe import Recipe
from teasel.inference.volume.result import read_merge_tree, read_region_graph
from teasel.inference.volume.segmenting import segment_volume
from teasel.inference.volume.source import AffinitySource
from teasel.inference.volume.waves import Runner, Serial, Waves, open_runner

__all__ = [
    "AffinitySource",
    "Recipe",
    "Runner",
    "Serial",
    "Waves",
    "agglomerate_volume",
    "cut_result",
    "open_runner",
    "read_merge_tree",
    "read_region_graph",
    "segment_volume",
    "work_folder",
]
