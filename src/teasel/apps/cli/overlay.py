"""A picture to judge a result by: outlines of the objects over a contrast-stretched view of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.labels import outline_mask

if TYPE_CHECKING:
    from teasel.images import Image

__all__ = [
    "channels_shown",
    "draw_overlay",
    "fullest_plane",
    "place_of",
    "read_reduced",
    "stretch_contrast",
]

_STRIP_BYTES = 64 * 2**20  # of an image that are read at a time
_ON_GREY = (255, 200, 0)
_ON_COLOUR = (0, 255, 70)
_OF_NUCLEI = (0, 200, 255)


def draw_overlay(
    image: Image,
    labels: NDArray[np.integer],
    *,
    channel: int | str | None = None,
    z: int | str | None = None,
    nuclei: NDArray[np.integer] | None = None,
    longest_px: int = 2048,
    shortest_px: int = 1024,
) -> NDArray[np.uint8]:
    """Draw the outlines of objects over one plane of an image.

    Parameters
    ----------
    image : Image
        What was segmented.
    labels : ndarray of int, shape ([t,] [z,] y, x)
        Its objects; 0 is background. Of several planes, the one with most labelled pixels is drawn.
    channel : int or str, optional
        Which channel to show; the colours of a colour image, or the first channel, if not given.
    z : int or str, optional
        Where labels have no z and the image has: the plane they belong to, or ``"max"``.
    nuclei : ndarray of int, same shape as `labels`, optional
        Objects inside them, outlined in another colour.
    longest_px : int
        Pictures with a longer side are reduced by a whole factor: means of the image, every n-th label.
    shortest_px : int
        Pictures whose longer side stays below half of this are enlarged by a whole factor, for thin outlines.

    Returns
    -------
    ndarray of uint8, shape (y, x, 3)
        Red, green, blue.

    Notes
    -----
    The image is read strip by strip, so memory does not grow with it.
    """
    index = fullest_plane(labels)
    plane = labels[index]  # (y, x)
    where = place_of(image, index, z)
    step = -(-max(plane.shape) // longest_px)
    view = stretch_contrast(read_reduced(image, where, channels_shown(image, channel), step))
    zoom = max(1, shortest_px // max(view.shape[:2]))
    picture = view.repeat(zoom, 0).repeat(zoom, 1)
    drawn = [(plane, _ON_COLOUR if image.is_rgb and channel is None else _ON_GREY)]
    if nuclei is not None:
        drawn.append((nuclei[index], _OF_NUCLEI))
    for objects, colour in drawn:
        picture[outline_mask(objects[::step, ::step].repeat(zoom, 0).repeat(zoom, 1))] = colour
    return picture


def stretch_contrast(view: NDArray[Any], *, low_percent: float = 0.5, high_percent: float = 99.8) -> NDArray[np.uint8]:
    """Map the middle range of intensities to 0..255; pictures that are 8-bit colour already stay as they are.

    Parameters
    ----------
    view : ndarray, shape (y, x, c)
        One channel, or red, green and blue (stretched alike, so that colours keep their hue). Values that are
        not finite are shown black.
    low_percent, high_percent : float
        Percentiles of the finite values that become black and white.

    Returns
    -------
    ndarray of uint8, shape (y, x, 3)
        Red, green, blue.

    Examples
    --------
    >>> stretch_contrast(np.array([[[100.0], [300.0]]]), low_percent=0, high_percent=100)[0, :, 0]
    array([  0, 255], dtype=uint8)
    """
    if view.dtype == np.uint8 and view.shape[2] == 3:
        return view.copy()
    values = view.astype(np.float32)
    finite = np.isfinite(values)
    low, high = np.percentile(values[finite], (low_percent, high_percent)) if finite.any() else (0.0, 1.0)
    values = np.where(finite, values, low)
    scaled = np.clip((values - low) / max(high - low, 1e-12), 0, 1) * 255
    return np.broadcast_to(scaled.round().astype(np.uint8), (*view.shape[:2], 3)).copy()


def fullest_plane(labels: NDArray[np.integer]) -> tuple[int, ...]:
    """Return the index ([t,] [z]) of the plane with most labelled pixels, the middle one of several."""
    planes = list(np.ndindex(labels.shape[:-2]))
    filled = [np.count_nonzero(labels[plane]) for plane in planes]
    best = [plane for plane, count in zip(planes, filled, strict=True) if count == max(filled)]
    return best[len(best) // 2]


def place_of(image: Image, index: tuple[int, ...], z: int | str | None) -> dict[str, int | slice]:
    """Return what to read of the axes t and z: the plane `index` of the labels; all of z for a projection."""
    beside = [axis for axis in image.axes if axis in "tz"]
    if len(index) < len(beside):  # labels of one plane or projection of a stack
        chosen = slice(None) if z == "max" else int(z or 0)
        return dict(zip(beside, (*index, chosen), strict=True))
    return dict(zip(beside, index, strict=True))


def channels_shown(image: Image, channel: int | str | None) -> slice:
    """Return the channels to show: the one asked for, the colours of a colour picture, or the first."""
    if channel is None:
        return slice(0, 3) if image.is_rgb else slice(0, 1)
    names = image.channel_names
    number = names.index(str(channel)) if str(channel) in names else int(channel)
    return slice(number, number + 1)


def read_reduced(image: Image, where: dict[str, int | slice], shown: slice, step: int) -> NDArray[Any]:
    """Read one plane, or the maximum along z, as means over squares of `step` pixels: (y, x, c)."""
    height, width = image.sizes["y"], image.sizes["x"]
    projected = isinstance(where.get("z"), slice)
    depth = image.sizes["z"] if projected else 1
    rows = step * max(1, _STRIP_BYTES // (8 * width * depth * (shown.stop - shown.start) * step))
    selection = where | ({"c": shown} if "c" in image.axes else {})
    strips = []
    for top in range(0, height, rows):
        strip = image.read(**selection, y=slice(top, min(top + rows, height)))
        strip = strip if "c" in image.axes else strip[None]  # (c, [z,] y, x)
        strip = strip.max(axis=1) if projected else strip
        strips.append(_reduce(np.moveaxis(strip, 0, -1), step))
    return np.concatenate(strips)


def _reduce(strip: NDArray[Any], step: int) -> NDArray[Any]:
    """Return means over squares, incomplete ones at the end too, in the type of the strip."""
    if step == 1:
        return strip
    total: NDArray[np.floating] = strip.astype(np.float32)
    for axis in (0, 1):
        starts = np.arange(0, strip.shape[axis], step)
        counts = np.diff([*starts, strip.shape[axis]]).astype(np.float32)
        shape = [-1 if axis == other else 1 for other in range(total.ndim)]
        total = np.add.reduceat(total, starts, axis) / counts.reshape(shape)
    return total.astype(strip.dtype)
