"""One stack of planes as a network wants it: channels first, normalised as a whole, read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.images import Image
from teasel.inference.plane import SAMPLE_PX, Plane, intensity_range

__all__ = ["Stack", "find_anisotropy"]


@dataclass(frozen=True)
class Stack:
    """A lazily read stack: planes with one intensity range.

    Parameters
    ----------
    planes : tuple of Plane
        From first to last.
    anisotropy : float
        Distance between planes over the width of a pixel.
    notes : tuple of str
        What was found and is worth telling.
    """

    planes: tuple[Plane, ...]
    anisotropy: float
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, height and width in pixels."""
        return len(self.planes), *self.planes[0].shape

    @classmethod
    def of(
        cls,
        image: Image,
        fixed: dict[str, int | str],
        channels: tuple[int, ...],
        percentiles: tuple[float, float],
        anisotropy: float,
        *,
        apart: bool = False,
    ) -> Stack:
        """Measure the intensity range of a stack, over all its channels together or, `apart`, of each on its own.

        Raises
        ------
        DataError
            If no voxel holds a finite number.
        """
        bare = [Plane(image, fixed | {"z": z}, (0.0,), (1.0,), channels) for z in range(image.sizes["z"])]
        step = max(1, int(np.ceil(np.sqrt(len(bare) * bare[0].shape[0] * bare[0].shape[1] / SAMPLE_PX))))
        values = np.stack([plane.raw(slice(None), slice(None), step) for plane in bare], 1)  # (c, z, y, x)
        low, high, notes = intensity_range(values, percentiles, channels, apart=apart)
        return cls(tuple(Plane(image, plane.fixed, low, high, channels) for plane in bare), anisotropy, notes)

    def read(self, z: slice, y: slice, x: slice) -> NDArray[np.float32]:
        """Read ``(channel, z, y, x)`` normalised; voxels that are not finite become 0."""
        return np.stack([plane.read(y, x) for plane in self.planes[z]], 1)


def find_anisotropy(image: Image, given: float | None) -> tuple[float, tuple[str, ...]]:
    """Return the distance between planes over the width of a pixel, as given or as the image says, and notes on it.

    Raises
    ------
    ParameterError
        If nothing says it, or it is out of 0.1 to 30.
    """
    voxel = image.voxel_size_um
    if given is None:
        if voxel.z is None or voxel.y is None or voxel.x is None:
            raise ParameterError(
                f"the image is a stack of {image.sizes['z']} planes and does not say how far apart they are; give "
                "--z-step and --pixel-size in micrometres, or --anisotropy (distance of planes over pixel width, 1 if "
                "voxels are cubes; anisotropy= in Python), or choose one plane with --z N or their maximum with --z max"
            )
        ratio, source = voxel.z / float(np.sqrt(voxel.y * voxel.x)), "from the voxel size"
    else:
        ratio, source = float(given), "as given"
    if not 0.1 <= ratio <= 30:
        raise ParameterError(f"planes are {ratio:.4g} pixel widths apart ({source}); expected 0.1 to 30")
    return ratio, (f"segmented in three dimensions; planes are {ratio:.3g} pixel widths apart ({source})",)
