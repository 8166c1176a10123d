"""How large are the objects of a stack? Stars say it: a few windows are looked at, at several scales."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from teasel.inference.stack import Stack
from teasel.inference.stars import look
from teasel.models import Model
from teasel.representations.star import Star

__all__ = ["estimate_star_diameter"]

WINDOW_DIAMETERS = 4
PLANES = (0.25, 0.5, 0.75)
"""How far along the stack windows lie."""

SCALES = (2.0, 1.0, 0.5, 0.25, 0.125)
"""Network pixels per pixel along y and x at which objects are looked for."""

FEW = 5
"""So many objects of score 0 are added to those found, so that a few sure ones do not outweigh many."""


def estimate_star_diameter(model: Model, stack: Stack) -> float | None:
    """Estimate the median object diameter of a stack.

    Parameters
    ----------
    model : Model
        A model of stacks with the representation ``star``.
    stack : Stack
        The stack.

    Returns
    -------
    float or None
        Diameter of the ball as large as the median object, in pixels along y and x; None if nothing is found.

    Notes
    -----
    Three windows, in planes spread over the stack and there where it varies most, are looked at at five scales an
    octave apart, then half an octave to both sides of the best: that at which the mean score is highest.
    """
    looks = {scale: _measure(model, stack, scale) for scale in SCALES}
    best = max(SCALES, key=lambda scale: looks[scale][0])
    for scale in (best * 2**0.5, best / 2**0.5):
        looks[scale] = _measure(model, stack, scale)
    return max(looks.values(), key=lambda look: look[0])[1]


def _measure(model: Model, stack: Stack, scale: float) -> tuple[float, float | None]:
    """Look at the windows at one scale; return the mean score, and the median diameter in pixels."""
    star = model.spec.representation
    assert isinstance(star, Star)
    scales = (scale * stack.anisotropy, scale, scale)
    diameters, weights = [], []
    for area in _windows(model, stack, scales):
        stars = star.choose(look(model, stack, scales, area))
        inside = (stars.centres_px < np.multiply(stack.shape, scales)).all(1)
        stars = stars.take(np.flatnonzero(inside))  # not mirrored ones
        diameters.append(2 * (stars.lengths_px.astype(np.float64) ** 3).mean(1) ** (1 / 3) / scale)
        weights.append(star.calibration(np.clip(stars.scores, 0, 1)))
    sizes, belief = np.concatenate(diameters), np.concatenate(weights)
    return (float(belief.sum() / (len(belief) + FEW)), float(np.median(sizes))) if len(sizes) else (0.0, None)


def _windows(model: Model, stack: Stack, scales: tuple[float, ...]) -> Iterator[list[tuple[int, int]]]:
    """Yield areas of the network's grid around some planes, there where these vary most."""
    divisor = model.spec.divisor
    edge = max(2, round(WINDOW_DIAMETERS * model.spec.object_diameter_px / divisor)) * divisor
    grid = [max(1, round(n * s)) for n, s in zip(stack.shape, scales, strict=True)]
    for share in PLANES:
        plane = stack.planes[int(len(stack.planes) * share)]
        step = max(1, int(1 / scales[1]), max(plane.shape) // 1024)
        values = plane.raw(slice(None), slice(None), step).mean(0)
        best, area = -1.0, None
        for y in _starts(grid[1], edge, divisor):
            for x in _starts(grid[2], edge, divisor):
                box = tuple(slice(int(a / scales[1] / step), int((a + edge) / scales[1] / step) + 1) for a in (y, x))
                variation = float(np.nanstd(values[box]))
                if variation > best:
                    best, area = variation, [(y, y + edge), (x, x + edge)]
        assert area is not None
        z = min(_starts(grid[0], edge, divisor), key=lambda a: abs(a + edge / 2 - share * grid[0]))
        yield [(z, z + edge), *area]


def _starts(length: int, edge: int, divisor: int) -> list[int]:
    """Lay windows of an edge along an axis, from multiples of the divisor."""
    count = max(1, length // edge)
    return [max(0, round(((i + 0.5) * length / count - edge / 2) / divisor)) * divisor for i in range(count)]
