"""Another threshold: the merge tree of a result looked up, and its supervoxels relabelled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from teasel.agglomeration import Agglomeration
from teasel.errors import FormatError, ParameterError
from teasel.geometry import VoxelSize
from teasel.inference.volume.grid import Grid, index_of
from teasel.inference.volume.memory import block_for
from teasel.inference.volume.partition import lookup, smallest, write_table
from teasel.inference.volume.recipe import whole_chunks
from teasel.inference.volume.result import (
    create_labels,
    halvings,
    open_result,
    read_graph_parts,
    read_merge_tree,
)
from teasel.inference.volume.store import WorkFolder
from teasel.inference.volume.waves import Runner, Serial
from teasel.inference.volume.writing import hash_of, level_regions, segments_of, shrink_region

__all__ = ["cut_result"]


@dataclass(frozen=True)
class Cut:
    """A result to be relabelled: where from, where to, in which blocks."""

    source: str
    folder: str
    shape: tuple[int, int, int]
    block: tuple[int, int, int]
    voxel_size: tuple[float | None, ...]

    @property
    def voxel_size_um(self) -> VoxelSize:
        """Edge lengths of a voxel."""
        return VoxelSize(*self.voxel_size)

    @property
    def regions(self) -> Grid:
        """Blocks of whole chunks."""
        return whole_chunks(self.shape, self.block)

    @property
    def result(self) -> Path:
        """Where the result grows."""
        return Path(self.folder) / "result.ome.zarr"

    @property
    def work(self) -> WorkFolder:
        """Where done records go."""
        return WorkFolder(self.folder)


def cut_result(
    result: str | os.PathLike[str],
    out: str | os.PathLike[str],
    threshold: float,
    *,
    min_voxels: int = 0,
    runner: Runner | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the labels of a result at another threshold.

    Parameters
    ----------
    result : path
        Written by `agglomerate_volume`; it stays as it is.
    out : path
        ``.ome.zarr`` to write: labels alone.
    threshold : float
        Affinity in [0, 1] below which nothing is merged.
    min_voxels : int
        Smaller segments join their best neighbour, see `teasel.agglomeration.Agglomeration`.
    runner : Runner, optional
        What carries out the tasks; this process if not given.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    pathlib.Path
        `out`.

    Raises
    ------
    ParameterError
        If `out` exists, or the threshold lies below the end of the merge tree.
    FormatError
        If the result keeps no merge tree.
    """
    from teasel.images import open_image

    out, runner = Path(out), runner or Serial()
    if out.exists():
        raise ParameterError(f"{out} is there already; give another name or remove it")
    kept = open_result(result)
    tree = read_merge_tree(result)
    method = _method(result)
    if threshold < method.lowest:
        raise ParameterError(f"threshold {threshold}; the merge tree of {result} ends at {method.lowest}")
    segments = Agglomeration(min_voxels=min_voxels).segments(read_graph_parts(result), tree, threshold)
    shape = kept["supervoxels"].shape
    block = block_for(runner.memory, (0, 0, 0), shape, n_workers=runner.n_workers)
    size = open_image(result).voxel_size_um
    folder = Path(f"{out}.work").absolute()
    shutil.rmtree(folder, ignore_errors=True)  # a lookup is soon done again
    folder.mkdir(parents=True)
    cut = Cut(str(Path(result).absolute()), str(folder), shape, block, size.along("zyx"))
    write_table(cut.folder, tree.ids, smallest(segments))
    details: dict[str, object] = {"result": Path(result).name, "threshold": threshold, "min_voxels": min_voxels}
    details |= {"segments": int(segments.max(initial=0))}
    create_labels(cut.result, shape, smallest(segments).dtype, size, details)
    total, done = len(cut.regions), 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        if progress is not None:
            progress(min(done, total), total)

    runner.run(recut_region, cut, [str(i) for i in range(total)], advance)
    for level in range(1, len(halvings(shape, size)) + 1):
        keys = [f"{level}-{i}" for i in range(len(level_regions(cut, level)))]
        runner.run(shrink_region, cut, keys, lambda n: None)
    os.replace(cut.result, out)
    shutil.rmtree(folder)
    return out


def recut_region(cut: Cut, key: str) -> None:
    """Write the segments of a region of whole chunks."""
    import zarr

    box = index_of(cut.regions.box(int(key)))
    values = np.asarray(open_result(cut.source)["supervoxels"][box])
    ids, places = np.unique(values, return_inverse=True)
    found = segments_of(ids, *lookup(cut.folder))[places.reshape(values.shape)]
    level = zarr.open_group(cut.result, mode="r+")["0"]
    level[box] = found  # type: ignore[index]
    cut.work.declare("relabel", key, hash_of(found))


def _method(result: str | os.PathLike[str]) -> Agglomeration:
    """Read how the merge tree of a result was built."""
    import zarr

    details = dict(zarr.open_group(result, mode="r").attrs).get("teasel", {})
    entry = dict(details.get("recipe", {}).get("method", {}))  # type: ignore[union-attr, arg-type]
    if entry.pop("name", None) != "Agglomeration":
        raise FormatError(f"{result} has no merge tree: it was partitioned without a threshold")
    return Agglomeration(**entry)
