"""The result on disk: an OME-Zarr of labels that keeps its supervoxels, region graph and merge tree.

::

    out.ome.zarr/
      0, 1, ...             labels at full resolution, then smaller
      agglomeration/
        supervoxels         (z, y, x) uint64, 0 none
        ids, sizes          (n,) supervoxels and their voxels
        edges               (m, 2) uint64; count, total, histogram, far_count, far_total (m, ...)
        pairs, scores       (k, ...) merges, best first
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration import MergeTree, RegionGraph
from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.inference.volume.recipe import CHUNK
from teasel.inference.volume.shards import GRAPH

__all__ = [
    "create_labels",
    "halvings",
    "open_result",
    "read_graph_parts",
    "read_merge_tree",
    "read_region_graph",
    "write_arrays",
    "write_graph",
]

SMALLEST = 256


def halvings(shape: Sequence[int], size: VoxelSize) -> list[tuple[int, int, int]]:
    """Say for each smaller level which axes are halved (2) and which are not (1): the finer ones, until all is small.

    Examples
    --------
    >>> halvings((100, 1000, 1000), VoxelSize(z=0.03, y=0.006, x=0.006))
    [(1, 2, 2), (1, 2, 2)]
    """
    lengths = list(shape)
    edges = [e or 1.0 for e in size.along("zyx")]
    found = []
    while max(lengths) > SMALLEST:
        finest = min(e for e, n in zip(edges, lengths, strict=True) if n > 1)
        steps = [2 if n > 1 and e < 2 * finest else 1 for e, n in zip(edges, lengths, strict=True)]
        lengths = [-(-n // s) for n, s in zip(lengths, steps, strict=True)]
        edges = [e * s for e, s in zip(edges, steps, strict=True)]
        found.append((steps[0], steps[1], steps[2]))
    return found


def create_labels(
    path: Path,
    shape: Sequence[int],
    dtype: Any,
    size: VoxelSize,
    details: dict[str, Any],
    *,
    chunks: tuple[int, int, int] = CHUNK,
) -> Any:
    """Make an OME-Zarr 0.5 label image without values; what stands there is kept if it is the same.

    Parameters
    ----------
    path : Path
        Its folder.
    shape : sequence of int
        Voxels (z, y, x).
    dtype : numpy dtype
    size : VoxelSize
        Edge lengths of a voxel; axes that are not known get the scale 1 without a unit.
    details : dict
        How it was made; kept in the attributes under ``teasel``.
    chunks : tuple of int
        Voxels of a chunk.

    Returns
    -------
    zarr.Group
    """
    import zarr

    group = zarr.open_group(path, mode="a", zarr_format=3)
    scale = np.array([e or 1.0 for e in size.along("zyx")])
    lengths, datasets = np.array(shape), []
    for level, steps in enumerate([(1, 1, 1), *halvings(shape, size)]):
        lengths, scale = -(-lengths // steps), scale * steps
        if str(level) not in group:
            make_array(group, str(level), tuple(int(n) for n in lengths), dtype, chunks)
        transforms = [{"type": "scale", "scale": scale.tolist()}]
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    axes = [
        {"name": a, "type": "space", **({"unit": "micrometer"} if getattr(size, a) is not None else {})} for a in "zyx"
    ]
    ome: Any = {
        "version": "0.5",
        "multiscales": [{"axes": axes, "datasets": datasets, "name": "labels"}],
        "image-label": {},
    }
    group.attrs.update({"ome": ome, "teasel": details})
    return group


def make_array(group: Any, name: str, shape: tuple[int, ...], dtype: Any, chunks: tuple[int, int, int] = CHUNK) -> Any:
    """Make an array in chunks of the result's size."""
    from zarr.codecs import ZstdCodec

    return group.create_array(
        name, shape=shape, dtype=dtype, chunks=chunks, compressors=[ZstdCodec(level=1)], fill_value=0,
        dimension_names=["z", "y", "x"],
    )  # fmt: skip


ROWS = 1 << 20
"""Rows of a chunk of a table: a node, an edge, or a merge each."""


def write_arrays(group: Any, arrays: dict[str, NDArray]) -> None:
    """Write whole arrays, in chunks of about a million rows, replacing what stands there."""
    for name, array in arrays.items():
        target = _create_table(group, name, len(array), array)
        if array.size:
            target[...] = array


def write_graph(group: Any, shards: Callable[[], Iterable[RegionGraph]]) -> None:
    """Write a graph shard by shard, replacing what stands there."""
    n_ids = n_edges = 0
    for shard in shards():
        n_ids, n_edges = n_ids + len(shard.ids), n_edges + len(shard.edges)
    targets: dict[str, Any] = {}
    at = dict.fromkeys(GRAPH, 0)
    for shard in shards():
        for name in GRAPH:
            rows = getattr(shard, name)
            if name not in targets:
                targets[name] = _create_table(group, name, n_ids if name in ("ids", "sizes") else n_edges, rows)
            if rows.size:
                targets[name][at[name] : at[name] + len(rows)] = rows
            at[name] += len(rows)


def _create_table(group: Any, name: str, n_rows: int, like: NDArray) -> Any:
    """Make an array of rows like those of another, in chunks of `ROWS`."""
    row = like.shape[1:]
    chunks = (max(1, min(n_rows, ROWS)), *(max(1, n) for n in row))
    return group.create_array(name, shape=(n_rows, *row), dtype=like.dtype, chunks=chunks, overwrite=True)


def open_result(path: str | os.PathLike[str]) -> Any:
    """Open the supervoxels, graph and merge tree of a result.

    Returns
    -------
    zarr.Group

    Raises
    ------
    FormatError
        If there are none.
    """
    import zarr

    folder = Path(path) / "agglomeration"
    if not (folder / "zarr.json").exists():
        raise FormatError(
            f"{path} keeps no supervoxels and no merge tree; give a result of 'teasel segment' or "
            "'teasel agglomerate' on a volume"
        )
    return zarr.open_group(folder, mode="r")


def read_merge_tree(path: str | os.PathLike[str]) -> MergeTree:
    """Read the merge tree of a result."""
    group = open_result(path)
    return MergeTree(*(np.asarray(group[name][...]) for name in ("ids", "pairs", "scores")))


def read_region_graph(path: str | os.PathLike[str]) -> RegionGraph:
    """Read the region graph of a result."""
    group = open_result(path)
    return RegionGraph(**{name: np.asarray(group[name][...]) for name in GRAPH})


def read_graph_parts(path: str | os.PathLike[str]) -> Iterator[RegionGraph]:
    """Read the region graph of a result, some million nodes and edges at a time."""
    group = open_result(path)
    for start in range(0, max(len(group["ids"]), len(group["edges"])), 4 * ROWS):
        rows = slice(start, start + 4 * ROWS)
        yield RegionGraph(**{name: np.asarray(group[name][rows]) for name in GRAPH})
