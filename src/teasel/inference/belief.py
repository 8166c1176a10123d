"""How far to believe an object of a stack: what was predicted, looked at object by object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.inference.fusion import Fused
from teasel.representations.grid import inner_boundary

__all__ = ["FEATURES", "believe", "measure_objects"]

FEATURES = ("flow", "foreground", "rim", "centre", "peak_centre", "accord", "size")
"""What is measured, in order.

Mean cosine of the flow with the way to the end point; mean foreground probability; mean boundary probability on the
rim; mean centre probability, and its mean in the power of 8; mean accord of the views; log2 of the diameter over that
of a typical object.
"""

INTERCEPT = -23.92
WEIGHTS = (26.69, -24.17, 6.696, 15.93, 15.15, 6.119, 2.667)
"""Of the logistic model behind the score, fitted on simulated stacks by ``python -m scripts.fit_stack_scores``."""


def measure_objects(
    labels: NDArray[np.uint32], fused: Fused, agreement: NDArray[np.float32], unit: float
) -> NDArray[np.float64]:
    """Measure for each object how well what was predicted fits together; see `FEATURES`.

    Parameters
    ----------
    labels : ndarray of uint32, shape (z, y, x)
        Objects 1 .. n on the grid of the flow.
    fused : Fused
        What was predicted.
    agreement : ndarray of float32, shape (z, y, x)
        Cosine between the flow and the way to the object's end point.
    unit : float
        Width of a cell in diameters of a typical object.

    Returns
    -------
    ndarray of float64, shape (n, 7)
    """
    n = int(labels.max(initial=0))
    if n == 0:
        return np.zeros((0, len(FEATURES)))
    inside = np.flatnonzero(labels)
    owner = labels.ravel()[inside]
    volume = np.bincount(owner, minlength=n + 1)[1:]

    def mean(values: NDArray[np.float32], power: int = 1) -> NDArray[np.float64]:
        total = np.bincount(owner, values.ravel()[inside].astype(np.float64) ** power, n + 1)[1:]
        return np.asarray(total / volume)

    rim = inner_boundary(labels)
    on_rim = labels[rim]
    rim_area = np.maximum(np.bincount(on_rim, minlength=n + 1)[1:], 1)
    rim_boundary = np.bincount(on_rim, fused.boundary[rim], n + 1)[1:] / rim_area
    peak = mean(fused.centre, 8) ** (1 / 8)
    size = np.log2((volume * 6 / np.pi) ** (1 / 3) * unit)
    probabilities = (mean(fused.foreground), rim_boundary, mean(fused.centre), peak)
    return np.stack([mean(agreement), *probabilities, mean(fused.accord), size], 1)


def believe(features: NDArray[np.float64]) -> NDArray[np.float32]:
    """Turn what was measured into the probability that an object overlaps a true one with IoU of at least 0.5."""
    return (1 / (1 + np.exp(-(features @ np.array(WEIGHTS) + INTERCEPT)))).astype(np.float32)
