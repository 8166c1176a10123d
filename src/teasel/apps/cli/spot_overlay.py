"""A picture to judge spots by: a circle around each, over a contrast-stretched view of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from teasel.apps.cli.overlay import stretch_contrast

if TYPE_CHECKING:
    from teasel.spatial import Spots
    from teasel.spatial.source import Source

__all__ = ["draw_spots"]

SURE, UNSURE = (60, 255, 120), (255, 160, 0)
SURE_FROM = 0.8


def draw_spots(
    source: Source, spots: Spots, *, longest_px: int = 2048, shortest_px: int = 1024, radius_px: float = 4.0
) -> NDArray[np.uint8]:
    """Draw circles around spots: green from a score of 0.8, orange below.

    Parameters
    ----------
    source : Source
        What was looked through; of a volume the maximum along z is shown.
    spots : Spots
        What was found.
    longest_px : int
        Pictures with a longer side are reduced by a whole factor (maxima of squares, so that spots stay visible).
    shortest_px : int
        Pictures whose longer side stays below half of this are enlarged by a whole factor.
    radius_px : float
        Of the circles, in pixels of the image.

    Returns
    -------
    ndarray of uint8, shape (y, x, 3)
    """
    from PIL import Image, ImageDraw

    height, width = source.shape[-2:]
    step = -(-max(height, width) // longest_px)
    view = _read_reduced(source, step)
    zoom = max(1, shortest_px // max(view.shape))
    picture = stretch_contrast(view[..., None], low_percent=1, high_percent=99.9).repeat(zoom, 0).repeat(zoom, 1)
    drawn = Image.fromarray(picture)
    pen = ImageDraw.Draw(drawn)
    scale, radius = zoom / step, max(radius_px * zoom / step, 2.0)
    scores = spots.columns.get("score", np.ones(len(spots)))
    for (y, x), score in zip((spots.positions_px[:, -2:] + 0.5) * scale - 0.5, scores, strict=True):
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], outline=SURE if score >= SURE_FROM else UNSURE)
    return np.asarray(drawn)


def _read_reduced(source: Source, step: int) -> NDArray[np.float32]:
    """Read the plane, or the maximum along z, as maxima over squares of `step` pixels, strip by strip."""
    height, width = source.shape[-2:]
    rows = step * max(1, (1 << 22) // (width * step))
    strips = []
    for top in range(0, height, rows):
        plane = np.zeros(0, np.float32)
        for k in range(source.shape[0] if source.ndim == 3 else 1):
            window = [slice(top, min(top + rows, height)), slice(0, width)]
            part = source.read([slice(k, k + 1), *window])[0] if source.ndim == 3 else source.read(window)
            plane = part if k == 0 else np.maximum(plane, part)
        padded = np.pad(plane, [(0, -n % step) for n in plane.shape], mode="edge")
        strips.append(padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step).max((1, 3)))
    return np.concatenate(strips)
