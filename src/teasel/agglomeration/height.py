"""How deep inside an object each voxel lies: an integer that depends on a fixed neighbourhood and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError

__all__ = ["Height"]


@dataclass(frozen=True)
class Height:
    """Height of a landscape whose hills are objects and whose valleys are their borders.

    A voxel's openness is the mean affinity to its face neighbours, 0 to 255, rounded down. Voxels below
    `border_threshold` are border. Height is the distance to the nearest border voxel, capped at `reach_px`, plus
    the openness; then the sum over a box.

    Parameters
    ----------
    border_threshold : float
        Openness below which a voxel is border, in [0, 1].
    reach_px : int
        Largest distance told apart, in pixels of the finest axis, 1 to 40; also the context that a voxel needs.
    distance_weight : int
        Height of one pixel of distance, 0 to 1024; an openness of 1 is 255.
    smooth_px : int
        Radius of the box, 0 to 4 pixels; larger gives fewer hills. Along a coarser axis it is less, in proportion.
    spacing : tuple of float
        Edge lengths of a voxel (z, y, x) in any unit; only their ratios count.

    Notes
    -----
    All arithmetic is on integers, so the height of a voxel is the same number whatever piece of the volume it was
    computed from, if the piece reaches `margin` voxels beyond it.

    Examples
    --------
    >>> affinities = np.full((3, 1, 1, 5), 255, np.uint8)
    >>> affinities[2, 0, 0, 1] = 0
    >>> Height(smooth_px=0, distance_weight=0, border_threshold=0).measure(affinities)[0, 0].tolist()
    [255, 127, 127, 255, 255]
    """

    border_threshold: float = 0.5
    reach_px: int = 8
    distance_weight: int = 32
    smooth_px: int = 1
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if not 0 <= self.border_threshold <= 1:
            raise ParameterError(f"border_threshold is {self.border_threshold}; expected 0 .. 1")
        if not 1 <= self.reach_px <= 40:
            raise ParameterError(f"reach_px is {self.reach_px}; expected 1 .. 40")
        if not 0 <= self.smooth_px <= 4:
            raise ParameterError(f"smooth_px is {self.smooth_px}; expected 0 .. 4")
        if not 0 <= self.distance_weight <= 1024:
            raise ParameterError(f"distance_weight is {self.distance_weight}; expected 0 .. 1024")
        if len(self.spacing) != 3 or not all(0 < s < float("inf") for s in self.spacing):
            raise ParameterError(f"spacing is {self.spacing}; expected three numbers above 0 (z, y, x)")

    @property
    def margin(self) -> tuple[int, int, int]:
        """Voxels of context per axis that the height of a voxel depends on."""
        steps = self._steps()
        reach = [int(np.sqrt(self._cap() / s)) for s in steps]
        return tuple(1 + r + b for r, b in zip(reach, self._boxes(), strict=True))  # type: ignore[return-value]

    def measure(self, affinities: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Measure the height of every voxel.

        Parameters
        ----------
        affinities : ndarray of uint8, shape (3, z, y, x)
            Affinity of each voxel to the next along z, y and x. The array's end counts as the volume's.

        Returns
        -------
        ndarray of int32, shape (z, y, x)
            0 or more, below 2**26.
        """
        from teasel.agglomeration.landscape import box_sum, lower, openness

        if affinities.ndim != 4 or affinities.shape[0] != 3 or affinities.dtype != np.uint8:
            raise ShapeError(f"affinities are {affinities.dtype} {affinities.shape}; expected uint8 (3, z, y, x)")
        open_ = openness(np.ascontiguousarray(affinities))
        cap = self._cap()
        squared = np.where(open_ < round(255 * self.border_threshold), 0, cap).astype(np.uint16)
        for axis, step in enumerate(self._steps()):
            lower(squared, axis, step)
        height = self._table(cap)[squared]
        height += open_
        for axis, radius in enumerate(self._boxes()):
            if radius:
                height = box_sum(height, axis, radius)
        return height

    def _steps(self) -> tuple[int, ...]:
        """Squared length of one voxel along each axis, in 1/16 of the finest axis' square."""
        finest = min(self.spacing)
        return tuple(max(1, round(16 * (s / finest) ** 2)) for s in self.spacing)

    def _cap(self) -> int:
        return 16 * self.reach_px**2

    def _boxes(self) -> tuple[int, ...]:
        finest = min(self.spacing)
        return tuple(int(self.smooth_px * finest / s + 0.5) for s in self.spacing)

    def _table(self, cap: int) -> NDArray[np.int32]:
        """Distance by its square, as an integer; square roots of integers are the same on every machine."""
        return (np.sqrt(np.arange(cap + 1)) / 4 * self.distance_weight).astype(np.int32)
