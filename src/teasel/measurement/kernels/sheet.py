"""Objects cut out and laid side by side, none touching another, for tools that know one mask only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Sheet", "make_sheet"]

_MARGIN = 2  # voxels around each object


@dataclass(frozen=True, eq=False)
class Sheet:
    """Where each voxel of the list lies on the sheet.

    Parameters
    ----------
    shape : tuple of int
        Of the sheet.
    at : ndarray of int64, shape (voxels,)
        Place of each voxel, flattened.
    """

    shape: tuple[int, ...]
    at: NDArray[np.int64]


def make_sheet(objects: Objects) -> Sheet:
    """Lay the objects out in lines along x, the tallest first, until a line is as long as the sheet is high."""
    sizes = objects.extents + 2 * _MARGIN
    order = np.lexsort((sizes[:, -1], -sizes[:, -2]))
    width = max(int(np.sqrt((sizes[:, -1] * sizes[:, -2]).sum())), int(sizes[:, -1].max(initial=1)))
    corners = np.zeros((len(objects), objects.scene.ndim), np.int64)
    top = left = height = 0
    for i, tall, wide in zip(order.tolist(), sizes[order, -2].tolist(), sizes[order, -1].tolist(), strict=True):
        if left + wide > width:
            top, left, height = top + height, 0, 0
        corners[i, -2:] = top, left
        left, height = left + wide, max(height, tall)
    shape = (*sizes[:, :-2].max(axis=0, initial=1).tolist(), top + height, width)
    where = objects.places + (corners.T + _MARGIN)[:, objects.owner]
    return Sheet(tuple(shape), np.ravel_multi_index(tuple(where), shape))
