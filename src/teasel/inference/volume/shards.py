"""The region graph in shards of supervoxel numbers: no task holds the whole, and shards in order are the whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from teasel.agglomeration import RegionGraph, add_graphs
from teasel.inference.volume.recipe import Job

__all__ = ["GRAPH", "add_shard", "graph_shards", "list_shards", "put_pieces", "read_pieces", "shard_keys"]

GRAPH = ("ids", "sizes", "edges", "count", "total", "histogram", "far_count", "far_total")

BITS = 27
"""A shard holds supervoxels whose peaks lie in a run of 2**27 voxels, and the edges of which they are the first."""


def put_pieces(job: Job, key: str, graph: RegionGraph) -> list[int]:
    """Write the graph of a block in pieces, one for each shard that it reaches; return which."""
    of_ids, of_edges = ((column - np.uint64(1)) >> np.uint64(BITS) for column in (graph.ids, graph.edges[:, 0]))
    shards = [int(s) for s in np.union1d(of_ids, of_edges)] or [0]
    for shard in shards:
        nodes, edges = (np.searchsorted(of, [shard, shard + 1]) for of in (of_ids, of_edges))
        piece = {name: getattr(graph, name)[slice(*edges)] for name in GRAPH}
        piece |= {name: getattr(graph, name)[slice(*nodes)] for name in ("ids", "sizes")}
        job.work.put("pieces", f"{key}-{shard}", piece)
    return shards


def read_pieces(job: Job, key: str) -> RegionGraph:
    """Read the graph of a block."""
    shards = job.work.get("graph", key, ("shards",))["shards"]
    pieces = [job.work.get("pieces", f"{key}-{shard}") for shard in shards]
    return RegionGraph(**{name: np.concatenate([piece[name] for piece in pieces]) for name in GRAPH})


def list_shards(job: Job, key: str) -> None:
    """Write which blocks reach which shard."""
    found: dict[int, list[int]] = {}
    for block in range(len(job.grid)):
        for shard in job.work.get("graph", str(block), ("shards",))["shards"]:
            found.setdefault(int(shard), []).append(block)
    shards = sorted(found)
    arrays = {"shards": np.array(shards), "starts": np.cumsum([0, *(len(found[s]) for s in shards)])}
    job.work.put("shards", key, arrays | {"blocks": np.concatenate([found[s] for s in shards])})


def shard_keys(job: Job) -> list[str]:
    """Return the keys of all shards, in order."""
    return [str(s) for s in job.work.get("shards", "0", ("shards",))["shards"]]


def add_shard(job: Job, key: str) -> None:
    """Add up what the blocks know of a shard."""
    index = job.work.get("shards", "0")
    place = int(np.searchsorted(index["shards"], int(key)))
    blocks = index["blocks"][slice(*index["starts"][place : place + 2])]
    graph = add_graphs(RegionGraph(**job.work.get("pieces", f"{block}-{key}")) for block in blocks)
    job.work.put("whole", key, {name: getattr(graph, name) for name in GRAPH})


def graph_shards(job: Job) -> Iterator[RegionGraph]:
    """Read the shards one after the other."""
    for key in shard_keys(job):
        yield RegionGraph(**job.work.get("whole", key))
