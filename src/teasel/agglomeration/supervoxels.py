"""A whole volume in memory cut into supervoxels: the reference for every blockwise run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration.height import Height

__all__ = ["supervoxels"]


def supervoxels(
    affinities: NDArray[np.uint8], height: Height | None = None, *, background: int = 0
) -> NDArray[np.uint64]:
    """Cut a volume into small pieces, each one hill of the landscape of affinities.

    Parameters
    ----------
    affinities : ndarray of uint8, shape (3, z, y, x)
        Affinity of each voxel to the next along z, y and x; 255 is certain to be one object.
    height : Height, optional
        The landscape; its defaults if not given.
    background : int
        Voxels whose openness (mean affinity to face neighbours, 0 to 255) is below it belong to no supervoxel.

    Returns
    -------
    ndarray of uint64, shape (z, y, x)
        0 where there is none; else 1 + the index, in scan order, of the supervoxel's highest voxel: a number that
        does not depend on how the volume is cut into blocks.

    Notes
    -----
    Every voxel points to the highest of its 26 neighbours, at equal height to the last in scan order; voxels whose
    ways end on the same peak are one supervoxel.

    Examples
    --------
    >>> affinities = np.full((3, 1, 1, 6), 255, np.uint8)
    >>> affinities[2, 0, 0, 2] = 0
    >>> supervoxels(affinities, Height(smooth_px=0)).tolist()
    [[[1, 1, 1, 6, 6, 6]]]
    """
    from teasel.agglomeration.ascent import climb, gather
    from teasel.agglomeration.landscape import openness

    landscape = (height or Height()).measure(affinities)
    numbers, voxels = gather(climb(landscape))
    ids = np.zeros(len(voxels) + 1, np.uint64)
    ids[1:] = 1 + np.ravel_multi_index(tuple(voxels.T), numbers.shape).astype(np.uint64)
    found = ids[numbers]
    if background:
        found[openness(np.ascontiguousarray(affinities)) < background] = 0
    return found
