"""Watershed by a queue of 256 buckets: floods from seeds, lowest pixels first, in time linear in pixels."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from teasel.representations.kernels import compiled
from teasel.representations.kernels.neighbours import face_steps, inside

__all__ = ["flood"]


def flood(height: NDArray[np.uint8], seeds: NDArray[np.integer], mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Let seeds grow through a mask, lowest pixels first, until they meet.

    Pixels are taken in a total order: by level (never lower than on the way there), then first come, first
    served, seeds coming in scan order. So the result is the same on every run and machine, and far parts of
    the image do not change it.

    Parameters
    ----------
    height : ndarray of uint8, shape ([z,] y, x)
        Level of each pixel.
    seeds : ndarray of int, shape ([z,] y, x)
        Above 0: the number of a seed; a seed may have many pixels, also outside `mask`.
    mask : ndarray of bool, shape ([z,] y, x)
        Where seeds may grow.

    Returns
    -------
    ndarray of int32, shape ([z,] y, x)
        Number of the seed that took the pixel; 0 where none came.

    References
    ----------
    Barnes, Lehman and Mulla 2014, priority-flood, doi:10.1016/j.cageo.2013.04.024
    """
    level = np.pad(np.where(mask, height, 0).astype(np.uint8), 1)
    room = np.pad(mask, 1)
    labels = np.pad(np.where(seeds > 0, seeds, 0).astype(np.int32), 1)
    _pour(level.ravel(), room.ravel(), labels.ravel(), face_steps(level.shape))
    return np.ascontiguousarray(labels[inside(height.ndim)])


@compiled
def _pour(level, room, labels, steps):
    """Flood `labels` in place; `room` has a margin of False."""
    head = np.full(256, -1, np.int64)  # of each bucket's queue
    tail = np.full(256, -1, np.int64)
    after = np.full(level.size, -1, np.int32)
    for p in range(level.size):
        if labels[p] > 0:
            bucket = level[p]
            if head[bucket] < 0:
                head[bucket] = p
            else:
                after[tail[bucket]] = p
            tail[bucket] = p
    for now in range(256):
        while head[now] >= 0:
            p = head[now]
            head[now] = after[p]
            for step in steps:
                q = p + step
                if room[q] and labels[q] == 0:
                    labels[q] = labels[p]
                    bucket = max(now, level[q])
                    if head[bucket] < 0:
                        head[bucket] = q
                    else:
                        after[tail[bucket]] = q
                    tail[bucket] = q


def _flood_reference(
    height: NDArray[np.uint8], seeds: NDArray[np.integer], mask: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Take the lowest pixel off a heap, again and again: the slow, obvious version of `flood`."""
    labels = np.where(seeds > 0, seeds, 0).astype(np.int32)
    heap = [(int(height[p]) if mask[p] else 0, k, p) for k, p in enumerate(zip(*np.nonzero(labels), strict=True))]
    heapq.heapify(heap)
    arrivals = len(heap)
    steps = [
        (axis, sign) for sign in (-1, 1) for axis in (range(labels.ndim) if sign < 0 else range(labels.ndim)[::-1])
    ]
    while heap:
        level, _, p = heapq.heappop(heap)
        for axis, sign in steps:
            q = (*p[:axis], p[axis] + sign, *p[axis + 1 :])
            if 0 <= q[axis] < labels.shape[axis] and mask[q] and labels[q] == 0:
                labels[q] = labels[p]
                heapq.heappush(heap, (max(level, int(height[q])), arrivals, q))
                arrivals += 1
    return labels
