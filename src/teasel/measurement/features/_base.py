"""The contract of the folder: a family of features, measured of all objects of a tile at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

if TYPE_CHECKING:
    from teasel.measurement.objects import Objects

__all__ = ["Columns", "Family"]

Columns = dict[str, NDArray[np.float64]]


class Family(ABC):
    """Features that belong together.

    Subclasses are frozen dataclasses, one per file of this folder; their fields are the family's only parameters. The
    folder is scanned, so that the file is enough (`teasel.measurement.features.find`).

    What `measure` gives for an object may depend on the object's own voxels, on the image within `margin_px` of its
    bounding box, and on the `Scene`; never on which other objects are measured along with it. Then tiles give the same
    numbers as the whole.
    """

    name: ClassVar[str]
    """As in ``families=`` and on the command line."""

    compartments: ClassVar[tuple[str, ...]] = ("object", "cell", "nucleus", "cytoplasm")
    """Which kinds of object it is measured of."""

    surveys: ClassVar[tuple[str, ...]] = ()
    """What of the whole image it must know: ``"grey ranges"``, ``"costes"``."""

    @abstractmethod
    def features(self, scene: Scene) -> tuple[Feature, ...]:
        """List what it measures in images of such channels and dimensions; none where it does not apply."""

    @abstractmethod
    def measure(self, objects: Objects) -> Columns:
        """Measure every object.

        Returns
        -------
        dict of str to ndarray, shape (n_objects,)
            A column for the name of each feature that `features` lists; NaN where an object has no value.
        """

    def margin_px(self, scene: Scene) -> int:
        """Return how far around an object's bounding box it looks, in voxels; the image is read that far."""
        return 1

    def _feature(self, name: str, definition: str, *, unit: str = "1", channel: str = "") -> Feature:
        """Describe one feature."""
        return Feature(name, channel=channel, unit=unit, definition=definition, family=self.name)
