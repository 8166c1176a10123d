"""Whether points are inside a star, and the two loops that ask it: painting stars and choosing among them.

They share a file because numba's cache sees changes only in the file of the function that is called.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.representations.kernels import compiled
from teasel.representations.rays import Rays

__all__ = ["choose_stars", "is_inside", "paint_stars"]


@compiled
def is_inside(point, lengths, facets, inverse, beside, facet):
    """Say whether `point` (ndim,) from the centre is inside the star, and in which cone it lies.

    The search starts from the cone `facet` and crosses the face that the point is furthest beyond; for points
    that are asked in scan order it is nearly always there already.
    """
    ndim = len(point)
    for _ in range(len(facets)):
        lowest = -1e-9
        leave = -1
        squared, total, reach = 0.0, 0.0, 0.0
        for i in range(ndim):
            squared += point[i] * point[i]
            part = 0.0
            for d in range(ndim):
                part += point[d] * inverse[facet, d, i]
            total += part
            reach += part * lengths[facets[facet, i]]
            if part < lowest:
                lowest, leave = part, i
        if leave < 0:
            return np.sqrt(squared) * total <= reach, facet
        facet = beside[facet, leave]
    return False, facet


@compiled
def paint_stars(labels, shape, centres, lengths, spacing, facets, inverse, beside):
    """Visit each star's bounding box like an odometer, last axis fastest."""
    ndim = len(shape)
    low = np.empty(ndim, np.int64)
    high = np.empty(ndim, np.int64)
    pixel = np.empty(ndim, np.int64)
    point = np.empty(ndim, np.float64)
    facet = 0
    for star in range(len(centres)):
        furthest = lengths[star].max()
        count = 1
        for d in range(ndim):
            low[d] = max(int(np.ceil(centres[star, d] - furthest / spacing[d])), 0)
            high[d] = min(int(np.floor(centres[star, d] + furthest / spacing[d])) + 1, shape[d])
            pixel[d] = low[d]
            count *= max(high[d] - low[d], 0)
        for _ in range(count):
            at = 0
            for d in range(ndim):
                at = at * shape[d] + pixel[d]
                point[d] = (pixel[d] - centres[star, d]) * spacing[d]
            if labels[at] == 0:
                inside, facet = is_inside(point, lengths[star], facets, inverse, beside, facet)
                if inside:
                    labels[at] = star + 1
            for d in range(ndim - 1, -1, -1):
                pixel[d] += 1
                if pixel[d] < high[d]:
                    break
                pixel[d] = low[d]


@compiled
def choose_stars(centres, lengths, radii, sizes, cells, cell, threshold, shells, directions, facets, inverse, beside):
    """Mark the stars that stay; kept stars hang in chains on a hash table of cells."""
    n, ndim = centres.shape
    kept = np.zeros(n, np.bool_)
    n_slots = 1
    while n_slots < 2 * n:
        n_slots *= 2
    head = np.full(n_slots, -1, np.int64)
    after = np.full(n, -1, np.int64)
    furthest = 0.0  # largest radius kept so far
    offset = np.empty(ndim, np.int64)
    point = np.empty(ndim, np.float64)
    for star in range(n):
        around = np.int64(np.ceil((radii[star] + furthest) / cell))
        offset[:] = -around
        clear = True
        for _ in range((2 * around + 1) ** ndim):
            slot = np.int64(0)
            for d in range(ndim):
                slot = slot * 1000003 + cells[star, d] + offset[d]
            other = head[slot & (n_slots - 1)]
            while other >= 0 and clear:
                here = True
                apart = 0.0
                for d in range(ndim):
                    here &= cells[other, d] == cells[star, d] + offset[d]
                    apart += (centres[other, d] - centres[star, d]) ** 2
                if here and apart < (radii[other] + radii[star]) ** 2:
                    small, large = (star, other) if sizes[star] <= sizes[other] else (other, star)
                    shared = 0.0
                    facet = 0
                    for k in range(len(directions)):
                        for shell in shells:
                            for d in range(ndim):
                                reach = shell * lengths[small, k] * directions[k, d]
                                point[d] = centres[small, d] - centres[large, d] + reach
                            inside, facet = is_inside(point, lengths[large], facets, inverse, beside, facet)
                            if inside:
                                shared += float(lengths[small, k]) ** ndim / len(shells)
                    clear = shared <= threshold * sizes[small]
                other = after[other]
            if not clear:
                break
            for d in range(ndim - 1, -1, -1):
                offset[d] += 1
                if offset[d] <= around:
                    break
                offset[d] = -around
        if clear:
            kept[star] = True
            furthest = max(furthest, radii[star])
            slot = np.int64(0)
            for d in range(ndim):
                slot = slot * 1000003 + cells[star, d]
            after[star] = head[slot & (n_slots - 1)]
            head[slot & (n_slots - 1)] = star
    return kept


def _inside_reference(point: NDArray[np.floating], lengths: NDArray[np.floating], rays: Rays) -> bool:
    """Try every cone: the slow, obvious version of `is_inside`."""
    parts = np.einsum("d,fdi->fi", np.asarray(point, np.float64), rays.inverse)
    facet = int(np.argmax(parts.min(1)))
    reach = (parts[facet] * lengths[rays.facets[facet]]).sum() / max(parts[facet].sum(), 1e-12)
    return bool(np.linalg.norm(point) <= reach) or not np.any(point)
