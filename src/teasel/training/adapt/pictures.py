"""Before and after, side by side, on images that were not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.images.atomic import atomic_path
from teasel.labels import outline_mask
from teasel.training.data import Item

__all__ = ["draw_comparison"]

ROWS = 3
EDGE_PX = 320
TRUTH, PREDICTION = (70, 220, 90), (255, 200, 0)
GAP_PX = 6


def draw_comparison(
    items: Sequence[Item],
    before: Sequence[NDArray[np.integer]],
    after: Sequence[NDArray[np.integer]],
    path: Path,
) -> None:
    """Draw images with their labels (green, if any), what was found before, and what is found after (both yellow).

    Parameters
    ----------
    items : sequence of Item
        The images; at most three are drawn, those that changed most first.
    before, after : sequence of ndarray of int
        Objects found by the old and by the new model.
    path : Path
        The PNG to write.
    """
    from PIL import Image as Picture

    change = [float(np.mean(outline_mask(a) != outline_mask(b))) for a, b in zip(before, after, strict=True)]
    rows = []
    for k in np.argsort(change, kind="stable")[::-1][:ROWS]:
        views = [_view(items[k], items[k].labels, TRUTH), _view(items[k], before[k], PREDICTION)]
        views.append(_view(items[k], after[k], PREDICTION))
        rows.append(np.concatenate([np.pad(view, ((0, GAP_PX), (0, GAP_PX), (0, 0))) for view in views], 1))
    width = max(row.shape[1] for row in rows)
    picture = np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])
    with atomic_path(path) as temporary:
        Picture.fromarray(picture).save(temporary, format="PNG", optimize=True)


def _view(item: Item, labels: NDArray[np.integer], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Draw outlines over an image, enlarged or reduced by a whole factor to about `EDGE_PX`."""
    step = max(1, round(max(labels.shape) / EDGE_PX))
    zoom = max(1, round(EDGE_PX / max(labels.shape)))
    grey = np.clip(item.image[:, ::step, ::step], 0, 1) * 255
    grey = grey if len(grey) == 3 else grey[:1]  # of a cell and its nucleus, the cell
    picture: NDArray[np.uint8] = np.broadcast_to(grey, (3, *grey.shape[1:])).astype(np.uint8).transpose(1, 2, 0)
    picture = picture.repeat(zoom, 0).repeat(zoom, 1).copy()
    shown = np.maximum(labels[::step, ::step].astype(np.int64), 0).repeat(zoom, 0).repeat(zoom, 1)
    picture[outline_mask(shown)] = colour
    return picture
