"""Draw the contact sheet of simulated styles for the documentation: docs/images/cell-styles.jpg.

Run from the root of the checkout: python scripts/draw_styles.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from teasel.labels import outline_mask
from teasel.training.simulation import SimulatedScene, simulate, styles

PICTURE = Path("docs/images/cell-styles.jpg")
EDGE_PX, CAPTION_PX, PER_ROW, SEED = 150, 14, 4, 5
CELL, NUCLEUS = (255, 210, 0), (0, 220, 255)


def paint(scene: SimulatedScene) -> NDArray[np.uint8]:
    """Return the image beside the image with outlines; the nuclear stain is blue."""
    image = np.clip(scene.image, 0, 1)
    blue = np.maximum(image[0], image[-1]) if len(image) > 1 else image[0]
    plain = (np.stack([image[0], image[0], blue], -1) * 255).astype(np.uint8)
    outlined = plain.copy()
    outlined[outline_mask(scene.labels)] = CELL
    if len(image) > 1:
        outlined[outline_mask(scene.nuclei)] = NUCLEUS
    return np.concatenate([plain, outlined], 1)


def main() -> None:
    """Draw one scene of every style, with its name."""
    names = styles()
    rows = -(-len(names) // (PER_ROW // 2))
    sheet = Image.new("RGB", (PER_ROW * EDGE_PX, rows * (EDGE_PX + CAPTION_PX)), "white")
    for number, name in enumerate(names):
        row, column = divmod(number, PER_ROW // 2)
        corner = (2 * column * EDGE_PX, row * (EDGE_PX + CAPTION_PX))
        ImageDraw.Draw(sheet).text((corner[0] + 4, corner[1] + 1), name, "black")
        scene = simulate(name, size_px=EDGE_PX, seed=SEED)
        sheet.paste(Image.fromarray(paint(scene)), (corner[0], corner[1] + CAPTION_PX))
    sheet.save(PICTURE, quality=38, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
