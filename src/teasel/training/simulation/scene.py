"""One simulated scene, made anew from its style and seed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.training.simulation.fields import Floats
from teasel.training.simulation.styles import STYLES

__all__ = ["SimulatedScene", "simulate", "styles"]

SMALLEST_PX = 32


@dataclass(frozen=True, eq=False)
class SimulatedScene:
    """A simulated image and the truth it was made from.

    Parameters
    ----------
    image : ndarray of float32, shape (c, y, x)
        Percentiles 1 and 99.8 of each channel are 0 and 1.
    labels : ndarray of int32, shape (y, x)
        Whole cells 1 .. n, each connected; 0 background.
    nuclei : ndarray of int32, shape (y, x)
        Nuclei, each inside its cell and with its number; some cells have none. Styles with one channel have them too,
        though little is seen of them.
    channels : tuple of str
        What each channel shows: ``("cell",)`` or ``("cell", "nucleus")``.
    """

    image: Floats
    labels: NDArray[np.int32]
    nuclei: NDArray[np.int32]
    channels: tuple[str, ...]


def styles() -> tuple[str, ...]:
    """Return the names of all styles, in order.

    Examples
    --------
    >>> styles()[0]
    'phase-spread'
    """
    return tuple(STYLES)


def simulate(style: str, *, size_px: int = 256, seed: int = 0) -> SimulatedScene:
    """Simulate an image of cells with its labels.

    Parameters
    ----------
    style : str
        Kind of image; one of `styles`.
    size_px : int
        Height and width, 32 or more.
    seed : int
        0 or more; the same style, size and seed always give the same scene.

    Returns
    -------
    SimulatedScene
        Image, whole cells and nuclei.

    Raises
    ------
    ParameterError
        If there is no such style, or a number is out of its range.

    Examples
    --------
    >>> scene = simulate("tissue", size_px=128, seed=3)
    >>> scene.image.shape, scene.channels
    ((2, 128, 128), ('cell', 'nucleus'))
    """
    if style not in STYLES:
        raise ParameterError(f"no style {style!r}; there are {', '.join(STYLES)}")
    if size_px < SMALLEST_PX or seed < 0:
        raise ParameterError(f"size_px {size_px}, seed {seed}; expected {SMALLEST_PX} or more, and 0 or more")
    chosen = STYLES[style]
    rng = np.random.default_rng([zlib.crc32(style.encode()), seed])
    anatomy = chosen.layout.draw(size_px, rng)
    image = chosen.light.render(anatomy, rng)
    return SimulatedScene(image, anatomy.labels, anatomy.nuclei, chosen.light.channels)
