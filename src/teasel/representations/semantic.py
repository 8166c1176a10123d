"""Semantic: every pixel predicts whether it belongs to a thing at all; things that do not touch come apart by that."""

from __future__ import annotations

from collections.abc import Mapping
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

__all__ = ["Semantic"]


@dataclass(frozen=True)
class Semantic(Representation):
    """Foreground alone: for mitochondria, synapses, vessels, tissue, anything whose pieces lie apart.

    Parameters
    ----------
    foreground_threshold : float
        Pixels with a foreground probability above it, in [0, 1], belong to the structure.
    max_diameter_px : float
        Largest object expected, in pixels; says how much tiles must overlap.
    min_area_px : int
        Connected pieces with fewer pixels are dropped.
    calibration : Calibration
        From the raw score (mean foreground) to the score.

    Notes
    -----
    The only field is ``foreground``. Where objects touch, a line one pixel wide is taught as background; a network
    may miss so thin a line: where that matters, take ``affinity`` or ``hybrid``.

    References
    ----------
    Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28

    Examples
    --------
    >>> labels = np.array([[1, 1, 0, 2]])
    >>> semantic = Semantic(min_area_px=1)
    >>> semantic.decode(semantic.encode(labels)).labels.tolist()
    [[1, 1, 0, 2]]
    """

    name: ClassVar[str] = "semantic"
    foreground_threshold: float = 0.5
    max_diameter_px: float = 128.0
    min_area_px: int = 16
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        if not 0 < self.foreground_threshold < 1:
            raise ParameterError(f"foreground_threshold is {self.foreground_threshold}; expected between 0 and 1")

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """Foreground."""
        check_ndim("semantic", ndim)
        return (Head("foreground", 1, "sigmoid", "bce_dice", 1.0),)

    def reach(self, ndim: int) -> int:
        """Context in pixels: the largest object."""
        return int(np.ceil(self.max_diameter_px))

    def encode(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """See `Representation.encode`."""
        check_ndim("semantic", labels.ndim)
        edge_lengths(spacing, labels.ndim)
        inside = labels > 0
        for axis in range(labels.ndim):
            ahead = np.moveaxis(labels, axis, 0)
            np.moveaxis(inside, axis, 0)[:-1] &= (ahead[:-1] == ahead[1:]) | (ahead[1:] <= 0)
        return {"foreground": np.where(labels < 0, np.nan, inside).astype(np.float32)[None]}

    def decode(self, prediction: Mapping[str, NDArray[np.float32]], spacing: Spacing | None = None) -> Decoded:
        """See `Representation.decode`."""
        from scipy import ndimage

        foreground = prediction["foreground"][0]
        check_ndim("semantic", foreground.ndim)
        pieces = ndimage.label(foreground > self.foreground_threshold)[0].astype(np.uint32)
        labels = clean(pieces, min_area=self.min_area_px)
        return Decoded(labels, self.calibration(mean_inside(labels, np.clip(foreground, 0, 1))))
