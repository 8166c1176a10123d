"""Draw the pictures of docs/cells.md: the contact sheet of simulated styles, and what `cells` finds in some.

Run from the root of the checkout: python scripts/draw_styles.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from teasel import segment
from teasel.labels import outline_mask
from teasel.training.simulation import SimulatedScene, simulate, styles

SHEET, FOUND = Path("docs/images/cell-styles.jpg"), Path("docs/images/cells-found.jpg")
SHOWN = ("phase-spread", "dic-round", "cytoplasm-spread", "tissue")
HELD_OUT_SEED = 1_000_001
EDGE_PX, CAPTION_PX, PER_ROW, SEED = 150, 14, 4, 5
CELL, NUCLEUS = (255, 210, 0), (0, 220, 255)


def paint(scene: SimulatedScene, labels: NDArray[np.integer], nuclei: NDArray[np.integer] | None) -> NDArray[np.uint8]:
    """Return the image beside the image with outlines; the nuclear stain is blue."""
    image = np.clip(scene.image, 0, 1)
    blue = np.maximum(image[0], image[-1]) if len(image) > 1 else image[0]
    plain = (np.stack([image[0], image[0], blue], -1) * 255).astype(np.uint8)
    outlined = plain.copy()
    outlined[outline_mask(labels)] = CELL
    if nuclei is not None:
        outlined[outline_mask(nuclei)] = NUCLEUS
    return np.concatenate([plain, outlined], 1)


def draw_sheet() -> None:
    """Draw one scene of every style, with its name and its true outlines."""
    names = styles()
    rows = -(-len(names) // (PER_ROW // 2))
    sheet = Image.new("RGB", (PER_ROW * EDGE_PX, rows * (EDGE_PX + CAPTION_PX)), "white")
    for number, name in enumerate(names):
        row, column = divmod(number, PER_ROW // 2)
        corner = (2 * column * EDGE_PX, row * (EDGE_PX + CAPTION_PX))
        ImageDraw.Draw(sheet).text((corner[0] + 4, corner[1] + 1), name, "black")
        scene = simulate(name, size_px=EDGE_PX, seed=SEED)
        picture = paint(scene, scene.labels, scene.nuclei if len(scene.channels) > 1 else None)
        sheet.paste(Image.fromarray(picture), (corner[0], corner[1] + CAPTION_PX))
    save(sheet, SHEET, quality=34)


def draw_found() -> None:
    """Draw what the model finds, nothing set, in scenes it was not trained on."""
    edge = 2 * EDGE_PX
    sheet = Image.new("RGB", (2 * edge, len(SHOWN) * edge))
    for row, name in enumerate(SHOWN):
        scene = simulate(name, size_px=edge, seed=HELD_OUT_SEED)
        asked = {"nucleus": 1} if len(scene.channels) > 1 else {}
        found = segment(scene.image, "cells", axes="cyx", cell=0, **asked)
        sheet.paste(Image.fromarray(paint(scene, found.labels, found.nuclei)), (0, row * edge))
    save(sheet, FOUND, quality=45)


def save(picture: Image.Image, path: Path, quality: int) -> None:
    """Write a JPEG and say how large it is."""
    picture.save(path, quality=quality, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    draw_sheet()
    draw_found()
