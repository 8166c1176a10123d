"""Centre lines: each object thinned in the box around it; SWC files, and skeletons beside a layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.inference.volume.exports.files import put_file
from teasel.inference.volume.exports.job import ExportJob
from teasel.inference.volume.exports.survey import GROUP, chosen_objects
from teasel.labels.skeletons import Skeletons, skeletonise

__all__ = ["LARGEST_BOX", "swc_of", "write_lines"]

LARGEST_BOX = 1 << 27
"""Voxels of a box around an object that are thinned at full resolution; larger ones at a smaller level of the file."""


def write_lines(job: ExportJob, key: str) -> None:
    """Write the centre lines of a group of objects."""
    chosen = chosen_objects(job)
    for i in range(int(key) * GROUP, min((int(key) + 1) * GROUP, len(chosen.ids))):
        number = int(chosen.ids[i])
        skeleton, points, radii = _thin(job, number, chosen.boxes[i])
        if "swc" in job.export.targets:
            put_file(job.result / "swc" / f"{number}.swc", swc_of(skeleton.edges, points, radii).encode())
        if "skeletons" in job.export.targets:
            folder = job.result / "segmentation" / "skeletons"
            put_file(folder / str(number), _precomputed(skeleton.edges, points, radii))
    job.work.declare("lines", key, "")


def _thin(
    job: ExportJob, number: int, box: NDArray[np.int64]
) -> tuple[Skeletons, NDArray[np.float64], NDArray[np.float64]]:
    """Thin an object; return its skeleton, and places (x, y, z) and radii of its nodes in micrometres."""
    from scipy import ndimage

    file = job.export.labels
    level, n_levels = 0, len(file.opened().levels)
    step = np.ones(3)
    while np.prod(np.ceil((box[:, 1] - box[:, 0]) / step)) > LARGEST_BOX and level + 1 < n_levels:
        level += 1
        step = np.round(np.array(job.shape) / np.array([1, *file.opened().levels[level]][-3:]))
    starts, stops = (box[:, 0] // step).astype(int), np.ceil(box[:, 1] / step).astype(int)
    area = tuple((int(a), int(b)) for a, b in zip(starts, stops, strict=True))
    mask = np.pad(file.read(area, level) == number, 1)
    spacing = step * np.array(job.spacing_um)
    skeleton = skeletonise(mask.astype(np.uint8), tuple(spacing))
    depth = ndimage.distance_transform_edt(mask, spacing)
    radii = np.asarray(depth)[tuple(skeleton.voxels.T)]
    points = (skeleton.voxels - 1 + starts + 0.5) * spacing
    return skeleton, points[:, ::-1], radii


def swc_of(edges: NDArray[np.int64], points: NDArray[np.float64], radii: NDArray[np.float64]) -> str:
    """Lay trees out as SWC: a line per node with its place, radius and parent, parents first.

    Parameters
    ----------
    edges : ndarray of int, shape (m, 2)
        Pairs of nodes; trees.
    points : ndarray, shape (n, 3)
        Places (x, y, z).
    radii : ndarray, shape (n,)

    Returns
    -------
    str

    References
    ----------
    Cannon et al. 1998, doi:10.1016/S0165-0270(98)00091-0

    Examples
    --------
    >>> print(swc_of(np.array([[0, 1]]), np.array([[1, 2, 3], [1, 2, 4.5]]), np.array([0.5, 0.25])))
    # id type x y z radius parent; micrometres
    1 0 1 2 3 0.5 -1
    2 0 1 2 4.5 0.25 1
    <BLANKLINE>
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    n = len(points)
    lines = ["# id type x y z radius parent; micrometres"]
    if n:
        graph = coo_array((np.ones(len(edges)), tuple(edges.T)), shape=(n, n)).tocsr()
        trees = connected_components(graph, directed=False)[1]
        degree = np.bincount(edges.ravel(), minlength=n)
        line = np.zeros(n, np.int64)
        for tree in range(int(trees.max()) + 1):
            members = np.flatnonzero(trees == tree)
            root = members[np.argmin(degree[members] != 1)]  # an end, or else the first node
            order, before = breadth_first_order(graph, int(root), directed=False)
            for node in order:
                line[node] = len(lines)
                parent = line[before[node]] if before[node] >= 0 else -1
                x, y, z = points[node]
                lines.append(f"{line[node]} 0 {x:.6g} {y:.6g} {z:.6g} {radii[node]:.4g} {parent}")
    return "\n".join(lines) + "\n"


def _precomputed(edges: NDArray[np.int64], points: NDArray[np.float64], radii: NDArray[np.float64]) -> bytes:
    """Lay centre lines out for Neuroglancer: numbers, nanometres (x, y, z), edges, radii in nanometres."""
    counts = np.array([len(points), len(edges)], "<u4")
    places, widths = (1000 * points).astype("<f4"), (1000 * radii).astype("<f4")
    return counts.tobytes() + places.tobytes() + edges.astype("<u4").tobytes() + widths.tobytes()
