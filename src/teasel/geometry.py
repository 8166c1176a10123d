"""Axes and voxel sizes: plain values that every room understands."""

from __future__ import annotations

from dataclasses import dataclass

from teasel.errors import AxesError, ParameterError

__all__ = ["AXES", "VoxelSize", "check_axes", "spatial_axes"]

AXES = "tczyx"
"""Every axis an image can have, in the one order that arrays inside Teasel follow."""


def check_axes(axes: str, ndim: int) -> str:
    """Check that an axis string names each dimension of an array once.

    Parameters
    ----------
    axes : str
        Letters out of ``"tczyx"``, in the order of the array's dimensions; ``y`` and ``x`` are required.
    ndim : int
        Number of dimensions of the array.

    Returns
    -------
    str
        The same axes, lower case.

    Raises
    ------
    AxesError
        If a letter is unknown or repeated, ``y`` or ``x`` is missing, or the count is not `ndim`.

    Examples
    --------
    >>> check_axes("CYX", 3)
    'cyx'
    """
    axes = axes.lower()
    if len(axes) != ndim:
        raise AxesError(f"axes {axes!r} name {len(axes)} dimensions, the array has {ndim}; give one letter each")
    if len(set(axes)) != len(axes) or not set(axes) <= set(AXES):
        raise AxesError(f"axes {axes!r}: expected each letter once, out of {AXES!r}")
    if not {"y", "x"} <= set(axes):
        raise AxesError(f"axes {axes!r} lack y or x; an image needs both")
    return axes


def spatial_axes(axes: str) -> str:
    """Return the spatial letters of an axis string, in order.

    Examples
    --------
    >>> spatial_axes("tczyx")
    'zyx'
    """
    return "".join(a for a in axes if a in "zyx")


@dataclass(frozen=True)
class VoxelSize:
    """Edge lengths of one voxel in micrometres; None where the file does not say.

    Parameters
    ----------
    z, y, x : float, optional
        Micrometres per voxel along each axis, above 0; None is "not known", never "1".

    Examples
    --------
    >>> VoxelSize(y=0.5, x=0.5).known("yx")
    True
    """

    z: float | None = None
    y: float | None = None
    x: float | None = None

    def __post_init__(self) -> None:
        for axis in "zyx":
            size = getattr(self, axis)
            if size is not None and not 0 < size < float("inf"):
                raise ParameterError(f"voxel size along {axis} is {size} um; expected a number above 0")

    def known(self, axes: str = "yx") -> bool:
        """Say whether the size is known along every one of `axes`."""
        return all(getattr(self, axis) is not None for axis in axes)

    def along(self, axes: str) -> tuple[float | None, ...]:
        """Return the sizes along `axes`, in that order."""
        return tuple(getattr(self, axis) for axis in axes)
