"""Flow: every pixel points the way to the middle of its object; pixels that arrive together are one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.representations._base import Decoded, Fields, Head, Representation, Spacing
from teasel.representations.cleaning import clean

__all__ = ["Flow", "follow", "unit_flow"]


@dataclass(frozen=True)
class Flow(Representation):
    """Flows: unit vectors that lead along the object to its middle.

    Parameters
    ----------
    foreground_threshold : float
        Pixels with a foreground probability above it, in [0, 1], belong to objects.
    step_px : float
        Length of one jump along the flow, in cells of the flow's grid, above 1.
    min_arrivals : int
        End points that fewer cells reach are no object.
    min_area_px : int
        Objects with fewer pixels are dropped.

    Notes
    -----
    The flow is the direction of steepest ascent of heat that has spread from the object's middle inside the object,
    so it leads around corners of objects that are not convex. Decoding follows all pixels at once by pointer
    doubling: time is linear in pixels, with the logarithm of the longest path as a factor.

    References
    ----------
    Stringer et al. 2021, doi:10.1038/s41592-020-01018-x

    Examples
    --------
    >>> flow = Flow()
    >>> labels = np.zeros((32, 32), np.int32)
    >>> labels[4:20, 4:20] = 7
    >>> int(flow.decode(flow.encode(labels)).labels.max())
    1
    """

    name: ClassVar[str] = "flow"
    foreground_threshold: float = 0.5
    step_px: float = 2.5
    min_arrivals: int = 2
    min_area_px: int = 4

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """Foreground probability and a flow vector."""
        return (
            Head("foreground", 1, "sigmoid", "bce_dice", 1.0),
            Head("flow", ndim, "linear", "mse", 1.0),
        )

    def reach(self, ndim: int) -> int:
        """Context in pixels: objects up to 128 px long."""
        return 128

    def encode(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """See `Representation.encode`; the flow is NaN (ignored) outside objects."""
        foreground = np.where(labels < 0, np.nan, labels > 0).astype(np.float32)
        return {"foreground": foreground[None], "flow": unit_flow(labels)}

    def decode(self, prediction: Mapping[str, NDArray[np.float32]], spacing: Spacing | None = None) -> Decoded:
        """See `Representation.decode`; the score is the mean agreement of the flow with the way to the end point."""
        foreground = prediction["foreground"][0] > self.foreground_threshold
        labels, agreement = follow(prediction["flow"], foreground, step=self.step_px, min_arrivals=self.min_arrivals)
        labels = clean(labels, min_area=self.min_area_px)
        n = int(labels.max(initial=0))
        sums = np.bincount(labels.ravel(), agreement.ravel(), n + 1)[1:]
        areas = np.bincount(labels.ravel(), minlength=n + 1)[1:]
        scores = np.clip(sums / np.maximum(areas, 1), 0, 1)
        return Decoded(labels, scores.astype(np.float32))


def unit_flow(labels: NDArray[np.integer]) -> NDArray[np.float32]:
    """Turn labels into unit vectors that point up the heat; NaN outside objects.

    Parameters
    ----------
    labels : ndarray of int, shape ([z,] y, x)
        0 or below is background.

    Returns
    -------
    ndarray of float32, shape (ndim, [z,] y, x)
        One component per axis.
    """
    from teasel.representations.kernels.diffusion import diffuse

    heat = np.pad(diffuse(labels), 1)
    padded = np.pad(labels, 1)
    inner = tuple(slice(1, -1) for _ in range(labels.ndim))
    vectors = np.empty((labels.ndim, *labels.shape), np.float32)
    for axis in range(labels.ndim):
        after = np.where(np.roll(padded, -1, axis) == padded, np.roll(heat, -1, axis), 0)[inner]
        before = np.where(np.roll(padded, 1, axis) == padded, np.roll(heat, 1, axis), 0)[inner]
        vectors[axis] = after - before
    length = np.sqrt((vectors**2).sum(0))
    vectors /= np.maximum(length, 1e-12)
    vectors[:, labels <= 0] = np.nan
    return vectors


def follow(
    flow: NDArray[np.float32], foreground: NDArray[np.bool_], *, step: float, min_arrivals: int = 2
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Group foreground cells by where the flow takes them.

    Parameters
    ----------
    flow : ndarray of float32, shape (ndim, [z,] y, x)
        Direction to go at each cell.
    foreground : ndarray of bool, shape ([z,] y, x)
        Cells that belong to some object.
    step : float
        Cells per jump. After 64 jumps of this length, 8 jumps of one cell settle near the middle.
    min_arrivals : int
        End points that fewer cells reach are no object; end points that touch are one.

    Returns
    -------
    labels : ndarray of uint32, shape ([z,] y, x)
        Objects 1 .. n, 0 where not foreground.
    agreement : ndarray of float32, shape ([z,] y, x)
        Cosine between the flow and the straight way to the end point, in [-1, 1]; 0 where not foreground.
    """
    from scipy import ndimage

    shape = foreground.shape
    cells = np.flatnonzero(foreground)
    labels = np.zeros(shape, np.uint32)
    agreement = np.zeros(shape, np.float32)
    if len(cells) == 0:
        return labels, agreement
    here = np.unravel_index(cells, shape)
    vectors = [component.ravel()[cells] for component in flow]
    end = _jump(here, vectors, foreground, step, doublings=6)
    end = _jump(here, vectors, foreground, 1.0, doublings=3)[end]
    arrivals = np.bincount(cells[end], minlength=foreground.size).reshape(shape)
    groups, _ = ndimage.label(arrivals >= min_arrivals, np.ones((3,) * len(shape), bool))
    labels.ravel()[cells] = groups.ravel()[cells[end]]
    way = [coordinate[end].astype(np.float32) - coordinate for coordinate in here]
    product = sum(w * v for w, v in zip(way, vectors, strict=True))
    norm = np.sqrt(sum(w * w for w in way) * sum(v * v for v in vectors))
    agreement.ravel()[cells] = np.where(norm > 1e-6, product / np.maximum(norm, 1e-6), 1.0)
    return labels, agreement


def _jump(
    here: tuple[NDArray[np.intp], ...],
    vectors: list[NDArray[np.float32]],
    foreground: NDArray[np.bool_],
    step: float,
    *,
    doublings: int,
) -> NDArray[np.int32]:
    """Return the row of the cell that each foreground cell reaches after 2 ** `doublings` jumps along its flow."""
    shape = foreground.shape
    n = len(here[0])
    row = np.full(foreground.size, -1, np.int32)
    row[np.ravel_multi_index(here, shape)] = np.arange(n, dtype=np.int32)
    there = [
        np.clip(np.rint(c + step * v), 0, m - 1).astype(np.intp) for c, v, m in zip(here, vectors, shape, strict=True)
    ]
    parent = row[np.ravel_multi_index(there, shape)]
    parent = np.where(parent < 0, np.arange(n, dtype=np.int32), parent)  # a jump out of the objects stays put
    for _ in range(doublings):
        parent = parent[parent]
    return parent
