"""Affinity: every pixel predicts which pixels near and far belong to the same object as itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.representations._base import Decoded, Fields, Head, Representation, Spacing
from teasel.representations.calibration import Calibration
from teasel.representations.cleaning import clean
from teasel.representations.grid import check_ndim, edge_lengths
from teasel.representations.scoring import mean_inside

__all__ = ["Affinity"]

Offsets = tuple[tuple[int, ...], ...]
Index = tuple[slice, ...]

PLANE: Offsets = ((1, 0), (0, 1), (4, 0), (0, 4), (4, 4), (4, -4), (9, 0), (0, 9))
VOLUME: Offsets = (
    *((1, 0, 0), (0, 1, 0), (0, 0, 1), (3, 0, 0), (0, 4, 0), (0, 0, 4)),
    *((0, 4, 4), (0, 4, -4), (3, 4, 0), (3, 0, 4), (0, 9, 0), (0, 0, 9)),
)


@dataclass(frozen=True)
class Affinity(Representation):
    """Affinities: probabilities that pixels a fixed step apart belong to one object.

    Parameters
    ----------
    offsets_plane : tuple of (int, int)
        Steps (y, x) in images of two dimensions. Steps of one pixel along an axis join pixels, longer ones
        keep them apart.
    offsets_volume : tuple of (int, int, int)
        Steps (z, y, x) in volumes.
    method : str
        "mutex" takes all evidence from strong to weak (mutex watershed); "connected" joins neighbours whose
        affinity is above `merge_threshold` and looks at nothing else.
    merge_threshold : float
        For "connected", in [0, 1].
    foreground_threshold : float
        Pixels with a foreground probability above it, in [0, 1], belong to objects.
    max_diameter_px : float
        Largest object expected, in pixels; says how much tiles must overlap.
    min_area_px : int
        Objects with fewer pixels are dropped.
    calibration : Calibration
        From the raw score (mean foreground times mean affinity between neighbours in the object) to the
        score.

    Notes
    -----
    Fields are ``foreground`` and ``affinity``, one channel per step; affinities to beyond the image are NaN.
    Steps are pixels, whatever the spacing, for a network sees pixels. Objects of any shape come back as they
    were, also those that are neither convex nor star-convex.

    References
    ----------
    Wolf et al. 2018, doi:10.1007/978-3-030-01225-0_34

    Examples
    --------
    >>> labels = np.array([[1, 1, 2, 2]])
    >>> Affinity(min_area_px=1).decode(Affinity().encode(labels)).labels.tolist()
    [[1, 1, 2, 2]]
    """

    name: ClassVar[str] = "affinity"
    offsets_plane: Offsets = PLANE
    offsets_volume: Offsets = VOLUME
    method: str = "mutex"
    merge_threshold: float = 0.5
    foreground_threshold: float = 0.5
    max_diameter_px: float = 64.0
    min_area_px: int = 4
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        if self.method not in ("mutex", "connected"):
            raise ParameterError(f"affinity has method {self.method!r}; expected 'mutex' or 'connected'")
        for ndim, offsets in ((2, self.offsets_plane), (3, self.offsets_volume)):
            if any(len(offset) != ndim for offset in offsets):
                raise ParameterError(f"affinity has offsets {offsets}; expected {ndim} numbers in each")
            if not all(_unit(ndim, axis) in {tuple(map(abs, o)) for o in offsets} for axis in range(ndim)):
                raise ParameterError(f"affinity has offsets {offsets}; expected a step of 1 along every axis")

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """Foreground, and one affinity per step."""
        n_offsets = len(self._offsets(ndim))
        return (
            Head("foreground", 1, "sigmoid", "bce_dice", 1.0),
            Head("affinity", n_offsets, "sigmoid", "bce_dice", 1.0),
        )

    def reach(self, ndim: int) -> int:
        """Context in pixels: the largest object and the longest step."""
        return int(np.ceil(self.max_diameter_px)) + int(np.abs(self._offsets(ndim)).max())

    def encode(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """See `Representation.encode`."""
        offsets = self._offsets(labels.ndim)
        edge_lengths(spacing, labels.ndim)
        affinity = np.full((len(offsets), *labels.shape), np.nan, np.float32)
        for channel, here, there in _ends(offsets, labels.shape):
            same = (labels[here] == labels[there]) & (labels[here] > 0)
            unknown = (labels[here] < 0) | (labels[there] < 0)
            affinity[channel][here] = np.where(unknown, np.nan, same)
        foreground = np.where(labels < 0, np.nan, labels > 0).astype(np.float32)
        return {"foreground": foreground[None], "affinity": affinity}

    def encode_crop(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """See `Representation.encode_crop`; in volumes, voxels that touch another object are taught as background.

        Labels of tissue often leave no room between objects. Membranes are thicker than nothing, and a watershed gives
        these voxels back.
        """
        return self.encode(_with_borders(labels) if labels.ndim == 3 else labels, spacing)

    def decode(self, prediction: Mapping[str, NDArray[np.float32]], spacing: Spacing | None = None) -> Decoded:
        """See `Representation.decode`."""
        from teasel.representations.kernels.mutex import partition

        foreground, affinity = prediction["foreground"][0], prediction["affinity"]
        offsets = self._offsets(foreground.ndim)
        short = [c for c, offset in enumerate(offsets) if np.abs(offset).sum() == 1]
        far = [c for c in range(len(offsets)) if c not in short] if self.method == "mutex" else []
        strength = np.rint(np.clip(np.nan_to_num(affinity[short + far]), 0, 1) * 255).astype(np.uint8)
        strength[len(short) :] = 255 - strength[len(short) :]
        if self.method == "connected":
            strength[np.nan_to_num(affinity[short]) <= self.merge_threshold] = 0
        groups = partition(
            strength,
            [offsets[c] for c in short + far],
            foreground > self.foreground_threshold,
            n_attractive=len(short),
        )
        labels = clean(groups, min_area=self.min_area_px)
        raw = mean_inside(labels, np.clip(foreground, 0, 1)) * self._cohesion(labels, affinity)
        return Decoded(labels, self.calibration(np.clip(raw, 0, 1)))

    def _offsets(self, ndim: int) -> Offsets:
        return self.offsets_plane if check_ndim("affinity", ndim) == 2 else self.offsets_volume

    def _cohesion(self, labels: NDArray[np.uint32], affinity: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean affinity between neighbours of one object; 1 for an object of one pixel."""
        n = int(labels.max(initial=0)) + 1
        total, count = np.zeros(n), np.zeros(n)
        for channel, here, there in _ends(self._offsets(labels.ndim), labels.shape):
            if np.abs(self._offsets(labels.ndim)[channel]).sum() == 1:
                owner = labels[here]
                same = (owner == labels[there]) & (owner > 0)
                total += np.bincount(owner[same], affinity[channel][here][same], n)
                count += np.bincount(owner[same], minlength=n)
        return np.where(count > 0, total / np.maximum(count, 1), 1.0)[1:]


def _with_borders(labels: NDArray[np.integer]) -> NDArray[np.integer]:
    """Make voxels whose face neighbour belongs to another object background."""
    border = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        low, high = (
            tuple(s if a == axis else slice(None) for a in range(labels.ndim)) for s in (slice(-1), slice(1, None))
        )
        differ = (labels[low] != labels[high]) & (labels[low] > 0) & (labels[high] > 0)
        border[low] |= differ
        border[high] |= differ
    return np.where(border, 0, labels)


def _unit(ndim: int, axis: int) -> tuple[int, ...]:
    return tuple(int(a == axis) for a in range(ndim))


def _ends(offsets: Offsets, shape: tuple[int, ...]) -> Iterator[tuple[int, Index, Index]]:
    """For each step that fits the image: its channel, where it leaves from, and where it arrives."""
    for channel, offset in enumerate(offsets):
        if all(abs(o) < n for o, n in zip(offset, shape, strict=True)):
            here = tuple(slice(max(-o, 0), n - max(o, 0)) for o, n in zip(offset, shape, strict=True))
            there = tuple(slice(max(o, 0), n - max(-o, 0)) for o, n in zip(offset, shape, strict=True))
            yield channel, here, there
