"""Outlines of single cells: how far the border lies from the middle, in each direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.training.simulation.fields import Floats

__all__ = ["DIRECTIONS", "Shape", "border"]

DIRECTIONS = 128
_QUARTER = 64

Range = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """A kind of cell outline; ranges are drawn from anew for every cell.

    Parameters
    ----------
    elongation : tuple of float
        Length over width of the ellipse the outline starts from.
    tips : tuple of int
        Fewest and most processes of a cell.
    tip_length : tuple of float
        How far a process reaches beyond the body, in radii of the body.
    tip_width : tuple of float
        Half width of a process at its foot, in radians.
    waviness : float
        Deviation of the radius over a few slow waves around the cell.
    """

    elongation: Range = (1.0, 1.6)
    tips: tuple[int, int] = (0, 0)
    tip_length: Range = (0.3, 1.2)
    tip_width: Range = (0.12, 0.35)
    waviness: float = 0.06

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw some cells.

        Returns
        -------
        elongation : ndarray of float32, shape (count,)
            Length over width; the caller stretches along x and squeezes along y.
        radius : ndarray of float32, shape (count, DIRECTIONS)
            Distance to the border in each direction of the stretched frame; the disc of equal area has radius 1.
        """
        angle = np.linspace(-np.pi, np.pi, DIRECTIONS, endpoint=False)
        radius = np.ones((count, DIRECTIONS))
        for wave in (2, 3, 4, 5):
            height = self.waviness * rng.normal(size=(count, 1)) / wave**0.5
            radius += height * np.cos(wave * angle + rng.uniform(0, 2 * np.pi, (count, 1)))
        most = self.tips[1]
        number = rng.integers(self.tips[0], most + 1, (count, 1))
        start = rng.uniform(0, 2 * np.pi, (count, 1))
        for k in range(most):
            middle = start + 2 * np.pi * (k + rng.uniform(-0.3, 0.3, (count, 1))) / np.maximum(number, 1)
            apart = np.abs((angle - middle + np.pi) % (2 * np.pi) - np.pi)
            width, length = rng.uniform(*self.tip_width, (count, 1)), rng.uniform(*self.tip_length, (count, 1))
            # a cusp, with the hollow flanks of a drawn-out cell
            radius += np.where(k < number, length, 0) * np.exp(-apart / width)
        radius = np.maximum(radius, 0.25)
        radius /= np.sqrt(np.mean(radius**2, 1, keepdims=True))
        low, high = (float(np.log(limit)) for limit in self.elongation)
        elongation = np.exp(rng.uniform(low, high, count))
        return elongation.astype(np.float32), radius.astype(np.float32)


def border(radius: Floats, along: Floats, across: Floats) -> Floats:
    """Look up how far a cell's border lies from its middle, in the direction of each pixel.

    Parameters
    ----------
    radius : ndarray of float32, shape (DIRECTIONS,)
        Distance to the border, directions from -pi.
    along, across : ndarray of float32, shape (y, x)
        Coordinates of the pixels, from the middle.

    Returns
    -------
    ndarray of float32, shape (y, x)

    Notes
    -----
    Directions are told by ``across / (|along| + |across|)``, which rises with the angle in each quarter turn and costs
    a third of an arctangent; the table is read at these directions first.
    """
    size = np.abs(along) + np.abs(across) + np.float32(1e-9)
    rising = across / size  # -1 .. 1 where along > 0
    turn = np.where(along < 0, 2 - rising, rising)  # -1 .. 3
    return radius[_READ_AT][((turn + 1) * np.float32(_QUARTER)).astype(np.intp)]


def _directions() -> NDArray[np.intp]:
    """Return where a table of even angles is read for the directions that `border` tells apart."""
    turn = (np.arange(4 * _QUARTER + 1) + 0.5) / _QUARTER - 1
    rising = np.where(turn > 1, 2 - turn, turn)
    angle = np.arctan2(rising, np.where(turn > 1, -1, 1) * (1 - np.abs(rising)))
    return ((angle + np.pi) * (DIRECTIONS / (2 * np.pi))).astype(np.intp) % DIRECTIONS


_READ_AT = _directions()
