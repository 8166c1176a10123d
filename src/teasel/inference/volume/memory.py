"""From the memory a worker has to the size of its blocks."""

from __future__ import annotations

from teasel.errors import ParameterError
from teasel.inference.volume.recipe import CHUNK

__all__ = ["BASE_BYTES", "VOXEL_BYTES", "block_for"]

VOXEL_BYTES = 40
"""What a task needs per voxel of its block, context included, with three channels of affinities; measured below it."""

BASE_BYTES = 400 << 20
"""What a worker needs before the first block: the interpreter and libraries."""

LARGEST = 512


def block_for(
    memory: int, halo: tuple[int, int, int], shape: tuple[int, int, int], *, n_channels: int = 3, n_workers: int = 1
) -> tuple[int, int, int]:
    """Choose the size of the blocks: as large as memory allows, whole chunks, and enough of them for all workers.

    Parameters
    ----------
    memory : int
        Bytes per worker.
    halo : tuple of int
        Context per axis (z, y, x) that a block is read with on each side.
    shape : tuple of int
        Voxels of the volume.
    n_channels : int
        Affinities per voxel.
    n_workers : int
        Tasks that run at once.

    Returns
    -------
    tuple of int
        Voxels (z, y, x). Results do not depend on it.

    Raises
    ------
    ParameterError
        If not even one chunk fits.

    Examples
    --------
    >>> block_for(2 << 30, (11, 11, 11), (5000, 5000, 5000))
    (320, 320, 256)
    """
    per_voxel = VOXEL_BYTES + n_channels - 3
    room = 0.9 * memory - BASE_BYTES
    edge = [CHUNK[0]] * 3

    def bytes_of(sizes: list[int]) -> float:
        total = float(per_voxel)
        for s, h, n in zip(sizes, halo, shape, strict=True):
            total *= min(s + 2 * h, n)
        return total

    if bytes_of(edge) > room:
        least = (bytes_of(edge) + BASE_BYTES) / 0.9
        raise ParameterError(
            f"{memory / 1e9:.2g} GB per worker; blocks of this volume need {least / 1e9:.2g} GB or more"
        )
    grown = True
    while grown:
        grown = False
        for axis in sorted(range(3), key=lambda a: edge[a]):
            wider = [e + CHUNK[a] * (a == axis) for a, e in enumerate(edge)]
            count = 1
            for w, n in zip(wider, shape, strict=True):
                count *= -(-n // w)
            if edge[axis] < min(shape[axis], LARGEST) and bytes_of(wider) <= room and count >= 2 * n_workers:
                edge, grown = wider, True
                break
    return edge[0], edge[1], edge[2]
