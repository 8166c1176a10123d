"""Skeletons of objects: centre lines as nodes and edges, in micrometres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ShapeError
from teasel.labels.check import check_labels

__all__ = ["Skeletons", "skeletonise"]


@dataclass(frozen=True, eq=False)
class Skeletons:
    """Centre lines of the objects of a label image.

    Parameters
    ----------
    voxels : ndarray of int, shape (n, ndim)
        Nodes, as places in the label image.
    owner : ndarray of int, shape (n,)
        Label of the object that each node belongs to.
    edges : ndarray of int, shape (m, 2)
        Pairs of nodes of one object; they form trees.
    lengths : ndarray of float, shape (m,)
        Length of each edge, in the unit of the spacing (micrometres).
    """

    voxels: NDArray[np.int64]
    owner: NDArray[np.int64]
    edges: NDArray[np.int64]
    lengths: NDArray[np.float64]

    def __post_init__(self) -> None:
        n, m = len(self.voxels), len(self.edges)
        if self.owner.shape != (n,) or self.edges.shape != (m, 2) or self.lengths.shape != (m,):
            raise ShapeError(
                f"{n} nodes with owners {self.owner.shape}, edges {self.edges.shape}, lengths {self.lengths.shape}; "
                "expected (n,), (m, 2) and (m,)"
            )

    @property
    def length(self) -> float:
        """Length of all edges."""
        return float(self.lengths.sum())


def skeletonise(labels: NDArray[np.integer], spacing: Sequence[float] | None = None) -> Skeletons:
    """Thin every object to its centre line.

    Parameters
    ----------
    labels : ndarray of int, shape ([z,] y, x)
        0 background, -1 not judged.
    spacing : sequence of float, optional
        Edge lengths of a voxel along each axis, in micrometres; 1 if not given.

    Returns
    -------
    Skeletons
        Neighbouring voxels of each thinned object, joined by the shortest tree.

    Notes
    -----
    Thinning looks at voxels, not at micrometres, and leaves short spurs; lengths along it are a few per cent more
    than those of smooth curves. It serves to weigh errors by length, not to measure neurites.

    References
    ----------
    Lee et al. 1994, doi:10.1006/cgip.1994.1042

    Examples
    --------
    >>> skeletonise(np.ones((3, 3, 20), np.uint8), (1, 1, 0.5)).length > 7
    True
    """
    from scipy import ndimage
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree
    from skimage.morphology import skeletonize

    array = check_labels(labels)
    edge = np.ones(array.ndim) if spacing is None else np.asarray(spacing, float)
    if edge.shape != (array.ndim,):
        raise ShapeError(f"spacing {spacing} for labels of {array.ndim} dimensions; expected one number for each")
    ids = np.unique(array[array > 0])
    numbers = np.where(array > 0, np.searchsorted(ids, array) + 1, 0)
    nodes, owners, pairs, lengths, count = [], [], [], [], 0
    for number, box in enumerate(ndimage.find_objects(numbers), start=1):
        thin = np.argwhere(skeletonize(np.pad(numbers[box] == number, 1))) - 1
        voxels = thin + [s.start for s in box]
        a, b = _neighbours(voxels)
        distance = np.linalg.norm((voxels[a] - voxels[b]) * edge, axis=1)
        tree = minimum_spanning_tree(coo_matrix((distance, (a, b)), (len(voxels), len(voxels)))).tocoo()
        nodes.append(voxels)
        owners.append(np.full(len(voxels), ids[number - 1], np.int64))
        pairs.append(np.stack([tree.row, tree.col], 1).astype(np.int64) + count)
        lengths.append(tree.data)
        count += len(voxels)
    if not nodes:
        return Skeletons(
            np.zeros((0, array.ndim), np.int64), np.zeros(0, np.int64), np.zeros((0, 2), np.int64), np.zeros(0)
        )
    return Skeletons(np.concatenate(nodes), np.concatenate(owners), np.concatenate(pairs), np.concatenate(lengths))


def _neighbours(voxels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the pairs of voxels that share a corner."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(voxels).query_pairs(1.5, p=np.inf, output_type="ndarray")
    return pairs[:, 0], pairs[:, 1]
