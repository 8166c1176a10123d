"""Connected components of affinities: what a chain of high affinities joins is one segment, and nothing else counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration._compiled import compiled
from teasel.agglomeration.greedy import join, root_of
from teasel.agglomeration.merge_tree import ONE
from teasel.agglomeration.region_graph import RegionGraph
from teasel.errors import ParameterError

__all__ = ["Connected", "bonds", "number_pieces", "touched"]


@dataclass(frozen=True)
class Connected:
    """Join face neighbours whose affinity is at least a threshold.

    Parameters
    ----------
    threshold : float
        Affinity in [0, 1].
    min_voxels : int
        Components with fewer voxels are dropped. Voxels that nothing is joined to are always dropped.

    Notes
    -----
    One open voxel in a membrane joins two cells, so this suits things that lie apart: mitochondria, synapses, vessels.
    The result depends on the affinities alone, however the volume is cut into pieces.

    Examples
    --------
    >>> affinities = np.zeros((3, 1, 1, 6), np.uint8)
    >>> affinities[2, 0, 0] = [200, 10, 200, 200, 0, 0]
    >>> Connected(0.5).label(affinities).tolist()
    [[[1, 1, 2, 2, 2, 0]]]
    """

    threshold: float = 0.5
    min_voxels: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ParameterError(f"threshold is {self.threshold}; expected an affinity from 0 to 1")
        if self.min_voxels < 0:
            raise ParameterError(f"min_voxels is {self.min_voxels}; expected 0 or more")

    def label(self, affinities: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Label a volume in memory.

        Parameters
        ----------
        affinities : ndarray of uint8, shape (3, z, y, x)
            To the next voxel along z, y and x.

        Returns
        -------
        ndarray of int64, shape (z, y, x)
            1 .. n in the order of each segment's first voxel; 0 for voxels joined to nothing.
        """
        joined = bonds(affinities, self.threshold)
        numbers, _ = number_pieces(joined, touched(joined))
        sizes = np.bincount(numbers.ravel())
        kept = sizes >= self.min_voxels
        kept[0] = False
        return np.where(kept, np.cumsum(kept), 0)[numbers]

    def segments(self, graphs: Iterable[RegionGraph], ids: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the segment of each piece of a volume that was numbered block by block.

        Parameters
        ----------
        graphs : iterable of RegionGraph
            Parts of the graph of the pieces, of affinities that are 255 where voxels are joined and 0 elsewhere.
        ids : ndarray of uint64, shape (n,)
            All pieces, ascending, each numbered by the place of its first voxel.

        Returns
        -------
        ndarray of int64, shape (n,)
            1 .. k in the order of each segment's first voxel; 0 for dropped ones.
        """
        pairs, sizes = [np.zeros((0, 2), np.int32)], np.zeros(len(ids), np.int64)
        for graph in graphs:
            sizes[np.searchsorted(ids, graph.ids)] = graph.sizes
            pairs.append(np.searchsorted(ids, graph.edges[graph.total > 0]).astype(np.int32))
        first = join(np.concatenate(pairs), len(ids))
        whole = np.bincount(first, sizes, len(ids))
        kept = (first == np.arange(len(ids))) & (whole >= self.min_voxels)
        return np.where(kept, np.cumsum(kept), 0)[first]


def bonds(affinities: NDArray[np.uint8], threshold: float) -> NDArray[np.uint8]:
    """Return 255 where two neighbours are joined and 0 elsewhere, like the affinities, (3, z, y, x)."""
    least = max(1, -(-round(threshold * ONE) // (1 << 16)))
    return np.where(affinities >= least, 255, 0).astype(np.uint8)


def touched(joined: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which voxels are joined to any other, (z, y, x)."""
    found = np.zeros(joined.shape[1:], bool)
    for axis in range(3):
        here, there = [slice(None)] * 3, [slice(None)] * 3
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        open_ = joined[axis][tuple(here)] > 0
        found[tuple(here)] |= open_
        found[tuple(there)] |= open_
    return found


@compiled
def number_pieces(joined, inside):
    """Number the pieces of a box by their first voxels.

    Takes bonds uint8 (3, z, y, x) and which voxels count, bool (z, y, x). Returns numbers int32 (z, y, x), 0 for
    voxels that do not count, and the first voxel (z, y, x) of each piece, int64 (n, 3).
    """
    Z, Y, X = inside.shape
    first = np.arange(Z * Y * X).astype(np.int32)
    steps = (Y * X, X, 1)
    for z in range(Z):
        for y in range(Y):
            for x in range(X):
                at = (z * Y + y) * X + x
                for axis in range(3):
                    if (z, y, x)[axis] + 1 < (Z, Y, X)[axis] and joined[axis, z, y, x] > 0:
                        a, b = root_of(first, at), root_of(first, at + steps[axis])
                        first[max(a, b)] = min(a, b)
    numbers = np.zeros((Z, Y, X), np.int32)
    flat = numbers.reshape(-1)
    counted = inside.copy().reshape(-1)
    n = 0
    for at in range(len(first)):
        root = first[at]
        first[at] = first[root]  # roots come first, so one step is enough
        if counted[at]:
            if first[at] == at:
                n += 1
                flat[at] = n
            else:
                flat[at] = flat[first[at]]
    voxels = np.empty((n, 3), np.int64)
    for at in range(len(first)):
        if counted[at] and first[at] == at:
            voxels[flat[at] - 1] = (at // (Y * X), at // X % Y, at % X)
    return numbers, voxels
