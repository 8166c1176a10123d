"""The length of the outlines of plane objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["perimeters"]


def perimeters(objects: Objects) -> NDArray[np.float64]:
    """Return the length of the outline through the centres of each object's outermost pixels.

    Notes
    -----
    Each pixel with an edge to the outside counts as long as the step to its neighbours on the outline: straight,
    diagonal, or the mean of both; with square pixels 1, the square root of 2, or 1.207. For square pixels the same
    numbers as scikit-image's ``perimeter``.

    References
    ----------
    Benkrid & Crookes, Design and FPGA implementation of a perimeter estimator (2000).
    """
    height, width = objects.scene.edges
    straight = [(0, -1), (0, 1), (-1, 0), (1, 0)]
    diagonal = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    inner = np.logical_and.reduce([objects.beside(step) == objects.own for step in straight])
    rim = np.flatnonzero(~inner)
    at, own = objects.at[rim], objects.own[rim]
    on_rim = np.zeros(objects.ids.size, bool)
    on_rim[at] = True
    flat_step = objects.ids.strides[0] // objects.ids.itemsize

    def count(steps: list[tuple[int, int]]) -> NDArray[np.int64]:
        found = np.zeros(len(at), np.int64)
        for dy, dx in steps:
            found += (objects.beside((dy, dx), of=at) == own) & on_rim[at + dy * flat_step + dx]
        return found

    across, along, oblique = count(straight[:2]), count(straight[2:]), count(diagonal)
    faces = across + along
    step = np.divide(across * width + along * height, faces, out=np.zeros(len(at)), where=faces > 0)
    slanted = float(np.hypot(height, width))
    length = np.zeros(len(at))
    is_straight = ((faces == 2) | (faces == 3)) & (oblique <= 2)
    length[is_straight] = step[is_straight]
    is_slanted = ((faces == 0) & (oblique == 2)) | ((faces == 1) & (oblique == 3))
    length[is_slanted] = slanted
    mixed = (faces == 1) & ((oblique == 1) | (oblique == 2))
    length[mixed] = (step[mixed] + slanted) / 2
    return objects.sum(length, at=rim)
