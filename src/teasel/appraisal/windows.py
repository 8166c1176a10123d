"""Windows of a plane: a grid of them, and those in which most is to be seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.images import Image
from teasel.inference import Plane
from teasel.inference.channels import Choice, choose_channels
from teasel.inference.resample import resize
from teasel.models import Model

__all__ = ["Window", "grid", "liveliest", "piece_of", "plane_of"]

Window = tuple[slice, slice]


def plane_of(
    image: Image, model: Model, *, channel: Choice, asked: Mapping[str, Choice] | None, z: int | str | None
) -> Plane:
    """Choose the plane of an image that is looked at: the one asked for, in the first frame.

    Raises
    ------
    ParameterError
        If the image has several channels or planes and none is chosen.
    """
    channels, _ = choose_channels(image, model.spec, channel, asked)
    depth = image.sizes.get("z", 1)
    if z is None and depth > 1:
        raise ParameterError(
            f"the image is a stack of {depth} planes; choose one with --z 0 .. --z {depth - 1}, or their maximum "
            "projection with --z max (z= in Python)"
        )
    if z not in (None, "max") and not (str(z).isdigit() and int(z) < depth):
        raise ParameterError(f"z is {z!r}; expected a plane from 0 to {depth - 1}, or 'max'")
    fixed: dict[str, int | str] = {"t": 0} if "t" in image.axes else {}
    if "z" in image.axes:
        fixed["z"] = "max" if z == "max" else int(z or 0)
    return Plane.of(image, fixed, channels, model.spec.normalisation, apart=bool(model.spec.roles))


def grid(shape: tuple[int, int], edge_px: int) -> list[Window]:
    """Spread windows of an edge length evenly over a plane, without gaps; a smaller plane is one window.

    Examples
    --------
    >>> len(grid((512, 600), 256)), grid((100, 100), 256)
    (6, [(slice(0, 100, None), slice(0, 100, None))])
    """
    axes = []
    for n in shape:
        edge = min(edge_px, n)
        count = -(-n // edge)
        starts = [0] if count == 1 else [round(i * (n - edge) / (count - 1)) for i in range(count)]
        axes.append([slice(start, start + edge) for start in starts])
    return [(y, x) for y in axes[0] for x in axes[1]]


def liveliest(plane: Plane, windows: list[Window], most: int) -> list[Window]:
    """Choose the windows in which a coarse view of the plane varies most, in the order given."""
    if len(windows) <= most:
        return windows
    step = max(1, min(plane.shape) // 256)
    coarse = plane.raw(slice(None), slice(None), step).mean(0)
    varies = [
        float(np.nanstd(coarse[y.start // step : y.stop // step, x.start // step : x.stop // step])) for y, x in windows
    ]
    chosen = sorted(np.argsort(varies, kind="stable")[::-1][:most])
    return [windows[k] for k in chosen]


def piece_of(plane: Plane, window: Window, scale: float) -> NDArray[np.float32]:
    """Read a window, normalised, on the network's grid."""
    image = plane.read(*window)
    height, width = (max(16, round(n * scale)) for n in image.shape[1:])
    return resize(image, (height, width))
