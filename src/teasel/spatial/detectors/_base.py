"""The contract of the folder: an image in, spots with calibrated scores out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from teasel.spatial.source import Source
from teasel.spatial.spots import Spots

__all__ = ["Detector", "Progress"]

Progress = Callable[[int, int], None]


class Detector(ABC):
    """A way to find spots. Subclasses are frozen dataclasses; their fields are the method's only parameters.

    One subclass per file in this folder, found by itself.
    """

    name: ClassVar[str]

    @abstractmethod
    def detect(self, source: Source, *, tile_px: int, progress: Progress | None = None) -> Spots:
        """Find the spots of a plane or volume.

        Parameters
        ----------
        source : Source
            What to look through, read tile by tile.
        tile_px : int
            Edge of a tile in y and x; memory grows with it, the result does not depend on it.
        progress : callable, optional
            Called as ``progress(done, total)``.

        Returns
        -------
        Spots
            With a column ``score``, and ``sigma_px``, the width that was looked for.
        """
