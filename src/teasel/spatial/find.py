"""Find the spots of an image: choose what to look at, detect, measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.images import Image, open_image
from teasel.spatial.detectors import Detector, build
from teasel.spatial.measure import measure_spots
from teasel.spatial.source import Source
from teasel.spatial.spots import Spots

__all__ = ["DEFAULT_DETECTOR", "find_spots"]

DEFAULT_DETECTOR = "log"
TILE_PX = 1024


def find_spots(
    image: str | Path | NDArray[Any] | Image,
    detector: str | Detector = DEFAULT_DETECTOR,
    *,
    channel: int | str | None = None,
    z: int | str | None = None,
    t: int | None = None,
    axes: str | None = None,
    tile_px: int = TILE_PX,
    progress: Callable[[int, int], None] | None = None,
) -> Spots:
    """Find fluorescent spots; nothing needs to be tuned.

    Parameters
    ----------
    image : path, ndarray or Image
        Anything `teasel.open_image` takes; large files are read tile by tile.
    detector : str or Detector
        ``"log"``, ``"dog"``, ``"radial"``, ``"spots"`` (a trained network), or one made by
        `teasel.spatial.detectors.build` with parameters of its own.
    channel : int or str, optional
        Channel by number from 0 or by name; needed if there are several.
    z : int or str, optional
        Plane from 0, or ``"max"`` for the maximum projection; the whole volume if not given.
    t : int, optional
        Time point from 0; needed if there are several.
    axes : str, optional
        What the dimensions of the image are, out of ``"tczyx"``, where the file or array does not say.
    tile_px : int
        Edge of a tile in y and x, 16 or more. Memory grows with it; the result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``; an exception raised in it stops the work.

    Returns
    -------
    Spots
        Sorted by score, with columns ``score`` (probability of being a spot), ``intensity``, ``background``, ``snr``
        (see `teasel.spatial.measure.measure_spots`); ``spots.notes`` says what was found or assumed.

    Raises
    ------
    ParameterError
        If a choice is missing or does not exist.
    TeaselError
        Whatever `teasel.open_image` and `teasel.load_model` raise.

    Examples
    --------
    >>> from teasel.spatial.simulation import Scene, simulate
    >>> made = simulate((128, 128), Scene(detectability=40), seed=5)
    >>> found = find_spots(made.image, "log")
    >>> abs(len(found) - len(made.visible)) <= 3
    True
    """
    if tile_px < 16:
        raise ParameterError(f"tile_px is {tile_px}; expected 16 or more")
    image = image if isinstance(image, Image) else open_image(image, axes=axes)
    source = Source.of(image, channel=channel, z=z, t=t)
    chosen = build(detector) if isinstance(detector, str) else detector
    spots = chosen.detect(source, tile_px=tile_px, progress=progress)
    return spots if "intensity" in spots.columns else measure_spots(source, spots, tile_px=tile_px)
