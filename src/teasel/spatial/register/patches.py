"""Shifts that differ from place to place: measured in patches, fitted by an affine map or kept as a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.spatial.register.shift import correlation, find_shift
from teasel.spatial.register.transform import LocalShifts, Transform

__all__ = ["PatchShifts", "fit_affine", "fit_local", "measure_patches"]

_LEAST_CORRELATION = 0.5  # below it, a patch holds noise
_STEPS = 10  # of the robust fit


@dataclass(frozen=True, eq=False)
class PatchShifts:
    """What is left to shift in patches of two images.

    Parameters
    ----------
    centres_px : ndarray of float64, shape (n, ndim)
        Centre of each patch.
    shifts_px : ndarray of float64, shape (n, ndim)
        Shift found in it.
    weights : ndarray of float64, shape (n,)
        How much it says: the patch's correlation times its contrast, relative to the best patch.
    """

    centres_px: NDArray[np.float64]
    shifts_px: NDArray[np.float64]
    weights: NDArray[np.float64]

    def rms_px(self) -> float:
        """Return the weighted root mean square of the length of the shifts; NaN without patches."""
        if not self.weights.sum() > 0:
            return float("nan")
        return float(np.sqrt(np.average((self.shifts_px**2).sum(axis=1), weights=self.weights)))


def measure_patches(reference: NDArray[np.float32], aligned: NDArray[np.float32], patch_px: int) -> PatchShifts:
    """Measure the shift that is left between two images, patch by patch.

    Parameters
    ----------
    reference, aligned : ndarray of float32, same shape
        Band-passed images, aligned as far as they are.
    patch_px : int
        Side of the patches, which overlap by half; axes shorter than that are one patch.

    Returns
    -------
    PatchShifts
        Of patches with something in them: a contrast of at least a tenth of the best one's, and a correlation of at
        least 0.5 at the shift found.
    """
    sides = [min(patch_px, n) for n in reference.shape]
    starts = [_starts(n, side) for n, side in zip(reference.shape, sides, strict=True)]
    contrast = {
        start: float(reference[_cut(start, sides)].std() * aligned[_cut(start, sides)].std())
        for start in product(*starts)
    }
    best = max(contrast.values())
    centres, shifts, weights = [], [], []
    for start, value in contrast.items():
        if not value > 0.1 * best:
            continue
        a, b = reference[_cut(start, sides)], aligned[_cut(start, sides)]
        try:
            shift = find_shift(a, b)
        except DataError:
            continue
        quality = _correlation_at(a, b, shift)
        if quality >= _LEAST_CORRELATION and np.abs(shift).max() < min(sides) / 4:
            centres.append([s + (side - 1) / 2 for s, side in zip(start, sides, strict=True)])
            shifts.append(shift)
            weights.append(quality * np.sqrt(value / best))
    ndim = reference.ndim
    return PatchShifts(
        np.array(centres, np.float64).reshape(-1, ndim),
        np.array(shifts, np.float64).reshape(-1, ndim),
        np.array(weights, np.float64),
    )


def fit_affine(patches: PatchShifts) -> Transform:
    """Fit an affine map to the shifts of patches; outliers lose their weight.

    Raises
    ------
    DataError
        If there are too few patches, or they lie on a line.
    """
    ndim = patches.centres_px.shape[1]
    design = np.column_stack([patches.centres_px, np.ones(len(patches.centres_px))])
    if len(design) < 2 * (ndim + 1) or np.linalg.matrix_rank(design) < ndim + 1:
        raise DataError(
            f"an affine map in {ndim} dimensions needs {2 * (ndim + 1)} patches with structure, spread over the image; "
            f"there are {len(design)}. Use the model 'shift', or smaller patches"
        )
    weights = patches.weights
    for _ in range(_STEPS):
        root = np.sqrt(weights)[:, None]
        found = np.linalg.lstsq(design * root, patches.shifts_px * root, rcond=None)[0]
        error = np.linalg.norm(patches.shifts_px - design @ found, axis=1)
        scale = max(1.4826 * float(np.median(error)), 0.02)
        weights = patches.weights / np.maximum(1.0, error / (1.5 * scale))
    return Transform(np.eye(ndim) + found[:ndim].T, found[ndim])


def fit_local(patches: PatchShifts, shape: Sequence[int], spacing_px: int) -> LocalShifts:
    """Smooth the shifts of patches into a field on a grid.

    Parameters
    ----------
    patches : PatchShifts
        What was measured.
    shape : sequence of int
        Shape of the image.
    spacing_px : int
        Distance between nodes, and the width over which patches are averaged.

    Returns
    -------
    LocalShifts
        Far from any patch with structure, the weighted mean of all.
    """
    nodes = tuple(np.linspace(0, n - 1, max(2, round(n / spacing_px) + 1)) if n > 1 else np.zeros(1) for n in shape)
    grid = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1)
    places = grid.reshape(-1, len(shape))
    if not len(patches.weights):
        return LocalShifts(nodes, np.zeros((len(shape), *grid.shape[:-1])))
    squared = ((places[:, None] - patches.centres_px) ** 2).sum(axis=2) / (0.75 * spacing_px) ** 2
    near = np.exp(-squared / 2) * patches.weights
    mean = np.average(patches.shifts_px, axis=0, weights=patches.weights)
    total = near.sum(axis=1, keepdims=True)
    field = (near @ patches.shifts_px + 1e-3 * mean) / (total + 1e-3)
    return LocalShifts(nodes, field.T.reshape(len(shape), *grid.shape[:-1]))


def _starts(length: int, side: int) -> list[int]:
    """Return where patches begin along an axis, half a side apart, the last one at the end."""
    return sorted({*range(0, length - side, max(1, side // 2)), length - side})


def _cut(start: Sequence[int], sides: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(s, s + side) for s, side in zip(start, sides, strict=True))


def _correlation_at(a: NDArray[np.float32], b: NDArray[np.float32], shift: NDArray[np.float64]) -> float:
    """Return the correlation of two patches once the shift is undone."""
    from teasel.spatial.register.transform import warp

    return correlation(a, warp(b, Transform.shift(shift)))
