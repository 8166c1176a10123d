"""The one image of the house: lazily read data, named axes, micrometres, channel names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import AxesError
from teasel.geometry import AXES, VoxelSize, check_axes
from teasel.images.lazy import LazyArray, as_lazy

__all__ = ["NO_PIXEL_SIZE", "Image"]

NO_PIXEL_SIZE = "pixel size: not in the file"


@dataclass(frozen=True, eq=False)
class Image:
    """An image, or a promise of one: values are read when asked for.

    Parameters
    ----------
    data : LazyArray or ndarray
        The values, sliced like an array.
    axes : str
        One letter per dimension, out of ``"tczyx"`` and in that order.
    voxel_size_um : VoxelSize
        Micrometres per voxel; None along an axis where the source does not say.
    channel_names : tuple of str
        One name per channel, ``""`` where there is none; ``()`` without an axis c.
    scene : str, optional
        Name of the scene (series, position, field) within the source.
    source : pathlib.Path, optional
        Where the image came from.
    is_rgb : bool
        Whether the three channels are the red, green and blue of a colour picture.
    notes : tuple of str
        What was assumed or found and is worth knowing.
    format : str
        Name of the file format, or ``"array"``.
    scenes : tuple of str
        Every scene of the source.
    level : int
        Which level of the resolution pyramid this is; 0 is the full one.
    levels : tuple of tuple of int
        Shape of every level along `axes`.

    Raises
    ------
    AxesError
        If the axes do not fit the data or are in another order.

    Notes
    -----
    Reading is safe from several threads at once. Formats whose libraries are not (ND2, LIF, CZI) are read
    by one thread at a time, the others wait. An image opened in one process is opened again by another, not
    sent there.

    Examples
    --------
    >>> image = Image(np.zeros((2, 64, 80), np.uint16), "cyx", channel_names=("DAPI", "actin"))
    >>> image.sizes
    {'c': 2, 'y': 64, 'x': 80}
    >>> image.read(c=0, y=slice(0, 16)).shape
    (16, 80)
    """

    data: LazyArray
    axes: str
    voxel_size_um: VoxelSize = field(default_factory=VoxelSize)
    channel_names: tuple[str, ...] = ()
    scene: str | None = None
    source: Path | None = None
    is_rgb: bool = False
    notes: tuple[str, ...] = ()
    format: str = "array"
    scenes: tuple[str, ...] = ()
    level: int = 0
    levels: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", as_lazy(self.data))
        if check_axes(self.axes, self.data.ndim) != "".join(a for a in AXES if a in self.axes):
            raise AxesError(f"axes {self.axes!r} of an Image follow the order {AXES!r}; open_image reorders for you")
        names = self.channel_names
        if names and len(names) != self.sizes.get("c", 0):
            raise AxesError(f"{len(names)} channel names for {self.sizes.get('c', 0)} channels; give one for each")
        if "c" in self.axes and not names:
            given = ("red", "green", "blue") if self.is_rgb else ("",) * self.sizes["c"]
            object.__setattr__(self, "channel_names", given)
        if not self.levels:
            object.__setattr__(self, "levels", (self.shape,))

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.data.dtype

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each axis by its letter."""
        return dict(zip(self.axes, self.shape, strict=True))

    def read(self, **selection: int | slice) -> NDArray[Any]:
        """Read part of the image, or all of it.

        Parameters
        ----------
        **selection : int or slice
            What to read along an axis, by its letter: an integer drops the axis, a slice keeps it. Axes not
            named are read whole.

        Returns
        -------
        ndarray
            A new array, axes in the order of `axes`.

        Raises
        ------
        AxesError
            If the image lacks an axis that is named.
        IndexError
            If an integer lies outside its axis.
        FormatError
            If the file turns out to be corrupt.

        Examples
        --------
        >>> Image(np.eye(3), "yx").read(y=1)
        array([0., 1., 0.])
        """
        unknown = sorted(set(selection) - set(self.axes))
        if unknown:
            raise AxesError(f"the image has no axis {', '.join(map(repr, unknown))}; its axes are {self.axes!r}")
        return self.data[tuple(selection.get(axis, slice(None)) for axis in self.axes)]
