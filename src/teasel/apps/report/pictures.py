"""Pictures small enough for a page: a view of the image as JPEG, and its outlines as a second layer above it."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.apps.cli.overlay import channels_shown, fullest_plane, place_of, read_reduced
from teasel.labels import outline_mask

if TYPE_CHECKING:
    from teasel.images import Image

__all__ = ["Picture", "View", "draw", "draw_crop", "draw_overlay_file"]

_OUTLINE = (255, 196, 0)  # seen on grey, on brown and on blue, also by the colour-blind
_CHOSEN = (0, 229, 255)
_QUALITY = 82
_THICK_FROM_PX = 600


@dataclass(frozen=True)
class Picture:
    """A picture and the outlines over it, as data URIs of one size.

    Parameters
    ----------
    image : str
        JPEG.
    outlines : str
        PNG, transparent but for the outlines.
    width, height : int
        Pixels.
    um_per_px : float or None
        Micrometres per pixel of the picture, if known.
    """

    image: str
    outlines: str
    width: int
    height: int
    um_per_px: float | None = None


@dataclass(frozen=True, eq=False)
class View:
    """One plane of an image with its labels, and how to read it.

    Parameters
    ----------
    image : Image
        The image.
    labels : ndarray of int, shape (y, x)
        Labels of the plane.
    where : dict
        Index along t and z.
    shown : slice
        Channels.
    limits : tuple of float
        Intensities that become black and white in every picture of this plane; none for colour pictures of 8 bits.
    nuclei : ndarray of int, shape (y, x), optional
        Nuclei of the cells.
    """

    image: Image
    labels: NDArray[np.integer]
    where: dict[str, int | slice]
    shown: slice
    limits: tuple[float, float] | None = None
    nuclei: NDArray[np.integer] | None = None

    @classmethod
    def of(cls, image: Image, labels: NDArray[np.integer], channel: int | str | None, z: int | str | None) -> View:
        """Choose the plane with most labelled pixels."""
        index = fullest_plane(labels)
        return cls.at(image, labels, index, channel, z)

    @classmethod
    def at(
        cls,
        image: Image,
        labels: NDArray[np.integer],
        index: tuple[int, ...],
        channel: int | str | None,
        z: int | str | None,
    ) -> View:
        """Take the plane at an index ([t,] [z]) of the labels."""
        where, shown = place_of(image, index, z), channels_shown(image, channel)
        step = max(1, max(labels.shape[-2:]) // 1024)
        values = read_reduced(image, where, shown, step)
        if values.dtype == np.uint8 and values.shape[2] == 3:
            return cls(image, labels[index], where, shown)
        finite = values[np.isfinite(values)]
        low, high = np.percentile(finite, (0.5, 99.8)) if finite.size else (0.0, 1.0)
        return cls(image, labels[index], where, shown, (float(low), float(max(high, low + 1e-12))))

    def read(self, window: tuple[slice, slice]) -> NDArray[Any]:
        """Read a window at full resolution: (y, x, c)."""
        selection = self.where | ({"c": self.shown} if "c" in self.image.axes else {})
        values = self.image.read(**selection, y=window[0], x=window[1])
        values = values if "c" in self.image.axes else values[None]
        values = values.max(axis=1) if isinstance(self.where.get("z"), slice) else values
        return np.moveaxis(values, 0, -1)

    def show(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Map intensities to 0..255, alike in all pictures of the plane."""
        if self.limits is None:
            return values.astype(np.uint8)
        low, high = self.limits
        scaled = np.clip((np.nan_to_num(values.astype(np.float32), nan=low) - low) / (high - low), 0, 1)
        return np.asarray((255 * scaled).round().astype(np.uint8))


def draw(view: View, longest_px: int, window: tuple[slice, slice] | None = None, um: float | None = None) -> Picture:
    """Draw a plane, or a window of it, with all its outlines.

    Parameters
    ----------
    view : View
        What to draw.
    longest_px : int
        Longest side of the picture; images are reduced to it, never enlarged beyond the factor 4.
    window : tuple of slice, optional
        Rows and columns.
    um : float, optional
        Micrometres per pixel of the image.
    """
    labels = view.labels if window is None else view.labels[window]
    step = max(1, math.ceil(max(labels.shape) / (2 * longest_px)))  # twice as fine, then resampled
    if window is None and step > 1:
        values = read_reduced(view.image, view.where, view.shown, step)
    else:
        values = view.read(window or (slice(None), slice(None)))[::step, ::step]
    scale = min(longest_px / max(labels.shape), 4.0)
    size = (max(1, round(labels.shape[1] * scale)), max(1, round(labels.shape[0] * scale)))
    outlines = _outline_layer(labels, size, None)
    if view.nuclei is not None:
        nuclei = view.nuclei if window is None else view.nuclei[window]
        outlines[_outline_layer(nuclei, size, None) > 0] = 2
    return _picture(view.show(values), outlines, size, um / scale if um else None)


def draw_crop(view: View, label: int, side_px: int, *, um: float | None = None) -> Picture | None:
    """Draw one object in the middle of a square, its outline in another colour; None if it is not there."""
    at = np.argwhere(view.labels == label)
    if not len(at):
        return None
    low, high = at.min(0), at.max(0) + 1
    half = max(16, int(1.1 * (high - low).max()))
    starts = ((low + high) // 2 - half).tolist()
    side = 2 * half
    rows, columns = (slice(max(0, s), min(n, s + side)) for s, n in zip(starts, view.labels.shape, strict=True))
    labels = np.zeros((side, side), view.labels.dtype)
    values = np.zeros((side, side, view.shown.stop - view.shown.start), np.uint8)  # black beyond the border
    there = np.s_[rows.start - starts[0] : rows.stop - starts[0], columns.start - starts[1] : columns.stop - starts[1]]
    labels[there] = view.labels[rows, columns]
    values[there] = view.show(view.read((rows, columns)))
    scale = side_px / side
    outlines = _outline_layer(labels, (side_px, side_px), label)
    return _picture(values, outlines, (side_px, side_px), um / scale if um else None)


def draw_overlay_file(path: Path, longest_px: int) -> Picture:
    """Reduce an overlay that was made before; its outlines cannot be taken away."""
    from PIL import Image as Pillow

    with Pillow.open(path) as file:
        shown = file.convert("RGB")
    shown.thumbnail((longest_px, longest_px))
    return _picture(np.asarray(shown), np.zeros((shown.height, shown.width), np.uint8), shown.size, None)


def _outline_layer(labels: NDArray[np.integer], size: tuple[int, int], chosen: int | None) -> NDArray[np.uint8]:
    """Draw outlines at the size of the picture: 0 nothing, 1 outline, 2 outline of the chosen object."""
    width, height = size
    rows = np.minimum((np.arange(height) + 0.5) * labels.shape[0] / height, labels.shape[0] - 1).astype(int)
    columns = np.minimum((np.arange(width) + 0.5) * labels.shape[1] / width, labels.shape[1] - 1).astype(int)
    small = labels[np.ix_(rows, columns)]
    edge = outline_mask(small)
    if chosen is not None or max(size) >= _THICK_FROM_PX:  # two pixels wide, on the inside
        edge |= outline_mask(np.where(edge, 0, small))
    layer = edge.astype(np.uint8)
    if chosen is not None:
        layer[edge & (small == chosen)] = 2
    return layer


def _picture(
    values: NDArray[np.uint8], outlines: NDArray[np.uint8], size: tuple[int, int], um: float | None
) -> Picture:
    from PIL import Image as Pillow

    shown = Pillow.fromarray(values[..., 0] if values.shape[2] == 1 else values[..., :3])
    shown = shown.resize(size, Pillow.Resampling.BICUBIC if size[0] > values.shape[1] else Pillow.Resampling.BOX)
    layer = Pillow.fromarray(outlines).convert("P")
    layer.putpalette([0, 0, 0, *_OUTLINE, *_CHOSEN])
    return Picture(
        _data_uri(shown, "JPEG", quality=_QUALITY, optimize=True),
        _data_uri(layer, "PNG", transparency=0, bits=2, optimize=True),
        *size,
        um,
    )


def _data_uri(picture: Any, kind: str, **options: Any) -> str:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
