"""The objects of one tile as lists of voxels: what every family of features works on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from teasel.measurement.kernels.batches import Batch, make_batches
from teasel.measurement.kernels.order import order_within
from teasel.measurement.scene import Scene

__all__ = ["OUTSIDE", "Objects"]

OUTSIDE = -1
"""What stands around the image."""


class Objects:
    """Some objects of a scene, voxel by voxel, each object's voxels together and in the order of the image.

    Nothing in here depends on which objects share the tile: coordinates count from the object's own bounding box, and
    every sum runs over one object's voxels in their own order. So tiles give the same numbers as the whole, bit for
    bit.

    Parameters
    ----------
    scene : Scene
        What they are part of.
    rows : ndarray of int64, shape (n,)
        Which objects of the scene, ascending.
    ids : ndarray of int32, shape ([z,] y, x)
        1 + the row of the object at each voxel, 0 for background, `OUTSIDE` around the image; every object of `rows`
        whole, and as much around it as any family asks for.
    corner : sequence of int
        Where in the image the first voxel of `ids` lies.
    channels : sequence of ndarray, shape ([z,] y, x)
        The image at the same place.
    inner : ndarray of int32, shape ([z,] y, x), optional
        Where nuclei are: as `ids`, the cell they belong to; -2 for nuclei that belong to none.
    """

    def __init__(
        self,
        scene: Scene,
        rows: NDArray[np.int64],
        ids: NDArray[np.int32],
        corner: Sequence[int],
        channels: Sequence[NDArray],
        inner: NDArray[np.int32] | None = None,
    ) -> None:
        self.scene = scene
        self.rows = rows
        self.ids = ids
        self._channels = channels
        slots = np.full(len(scene.labels) + 2, -1, np.int32)  # the last is for OUTSIDE
        slots[rows + 1] = np.arange(len(rows), dtype=np.int32)
        flat = ids.ravel()
        inside = np.flatnonzero(slots[flat] >= 0)
        owner = slots[flat[inside]]
        order = np.argsort(owner, kind="stable")
        self.at: NDArray[np.int64] = inside[order]  # where each voxel lies in ids.ravel()
        self.owner: NDArray[np.int32] = owner[order]  # which object it belongs to, from 0
        self.counts: NDArray[np.int64] = np.bincount(owner, minlength=len(rows))
        self.starts: NDArray[np.int64] = np.cumsum(self.counts) - self.counts
        where = np.stack(np.unravel_index(self.at, ids.shape)).astype(np.int32)  # (ndim, voxels)
        lows = (scene.lows[rows] - np.asarray(corner)).astype(np.int32)
        self.places: NDArray[np.int32] = where - lows.T[:, self.owner]  # within the bounding box
        self.inner = np.zeros(len(self.at), np.int32) if inner is None else inner.ravel()[self.at]
        self.extents: NDArray[np.int64] = scene.highs[rows] - scene.lows[rows]

    def __len__(self) -> int:
        return len(self.rows)

    def sum(self, values: NDArray, *, at: NDArray | None = None) -> NDArray[np.float64]:
        """Add up one value per voxel over each object; `at` picks the voxels that the values belong to."""
        owner = self.owner if at is None else self.owner[at]
        if values.dtype.kind in "bui":
            values = values.astype(np.float64)
        return np.bincount(owner, values, minlength=len(self)).astype(np.float64, copy=False)

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the voxels of each object for which `mask` holds."""
        return np.bincount(self.owner[mask], minlength=len(self))

    def smallest(self, values: NDArray) -> NDArray:
        """Return the smallest value of each object."""
        return np.minimum.reduceat(values, self.starts) if len(self) else values[:0]

    def largest(self, values: NDArray) -> NDArray:
        """Return the largest value of each object."""
        return np.maximum.reduceat(values, self.starts) if len(self) else values[:0]

    def last_of_largest(self, values: NDArray) -> NDArray[np.int64]:
        """Return for each object the last of the voxels with its largest value."""
        top = np.flatnonzero(values == self.largest(values)[self.owner])
        found = np.zeros(len(self), np.int64)
        found[self.owner[top]] = top  # later ones win
        return found

    def raw(self, channel: int) -> NDArray:
        """Return the grey value of each voxel in the type of the image."""
        return self._channels[channel].ravel()[self.at]

    def values(self, channel: int) -> NDArray[np.float64]:
        """Return the grey value of each voxel."""
        if channel not in self._values:
            self._values[channel] = self.raw(channel).astype(np.float64)
        return self._values[channel]

    def order(self, channel: int) -> NDArray[np.int64]:
        """Return the voxels of each object by ascending grey value, object after object."""
        if channel not in self._orders:
            self._orders[channel] = order_within(self.owner, self.raw(channel))
        return self._orders[channel]

    def ranks(self, channel: int) -> NDArray[np.int32]:
        """Return how many smaller grey values each voxel's object has; equal values are one."""
        order = self.order(channel)
        ordered = self.values(channel)[order]
        steps = np.ones(len(order), np.int32)
        steps[1:] = ordered[1:] != ordered[:-1]
        steps[self.starts] = 1
        level = np.cumsum(steps, dtype=np.int64)
        ranks = np.empty(len(order), np.int32)
        ranks[order] = level - level[self.starts][self.owner]
        return ranks

    def beside(self, offset: Sequence[int], *, of: NDArray[np.int64] | None = None) -> NDArray[np.int32]:
        """Return what lies at an offset from each voxel, or from those at `of`, as in `ids`."""
        step = int(np.dot(offset, [s // self.ids.itemsize for s in self.ids.strides]))
        return self.ids.ravel()[(self.at if of is None else of) + step]

    @cached_property
    def own(self) -> NDArray[np.int32]:
        """What stands in `ids` for each voxel's own object."""
        return (self.rows + 1).astype(np.int32)[self.owner]

    @cached_property
    def places_in_units(self) -> NDArray[np.float64]:
        """Places in the scene's unit of length, from the first voxel of the bounding box; shape (ndim, voxels)."""
        return self.places * np.asarray(self.scene.edges)[:, None]

    @cached_property
    def batches(self) -> list[Batch]:
        """The objects as arrays of equal shape, with a margin of one voxel."""
        return make_batches(self.places, self.owner, self.counts, self.extents)

    @cached_property
    def depth(self) -> NDArray[np.float64]:
        """Distance of each voxel to the nearest one that is not of its object, in shortest edges of a voxel."""
        from teasel.measurement.kernels.distance import squared_depth

        depth = np.empty(len(self.at))
        for batch in self.batches:
            depth[batch.voxels] = np.sqrt(batch.gather(squared_depth(batch.mask(), self.scene.proportions)))
        return depth

    @cached_property
    def _values(self) -> dict[int, NDArray[np.float64]]:
        return {}

    @cached_property
    def _orders(self) -> dict[int, NDArray[np.int64]]:
        return {}
