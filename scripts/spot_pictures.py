"""Draw the pictures of docs/spots.md from simulated images.

Run from the root of the checkout: python scripts/spot_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from teasel.apps.cli.overlay import stretch_contrast
from teasel.apps.cli.spot_overlay import draw_spots
from teasel.spatial import find_spots
from teasel.spatial.simulation import Scene, random_scene, simulate
from teasel.spatial.source import Source

IMAGES = Path("docs/images")
EDGE_PX, ACROSS, DOWN = 128, 6, 2


def simulator() -> None:
    """Twelve random scenes side by side."""
    tiles = []
    for number in range(ACROSS * DOWN):
        random = np.random.default_rng(number)
        image = simulate((EDGE_PX, EDGE_PX), random_scene(random), seed=random).image
        tiles.append(np.pad(stretch_contrast(image[..., None], low_percent=1), ((1, 1), (1, 1), (0, 0))))
    rows = [np.concatenate(tiles[r * ACROSS : (r + 1) * ACROSS], axis=1) for r in range(DOWN)]
    Image.fromarray(np.concatenate(rows)).save(IMAGES / "spots-simulated.jpg", quality=80)


def found() -> None:
    """What is found in one image, beside the image."""
    scene = Scene(
        sigma_px=1.5, density=0.003, detectability=30, brightness_spread=0.5, cells=4, cell_contrast=1.0, texture=0.2,
        blobs=3e-4, off_target=0.5, in_cells=True,
    )  # fmt: skip
    image = simulate((300, 360), scene, seed=12).image
    overlay = draw_spots(Source.of(image), find_spots(image))
    zoom = overlay.shape[0] // image.shape[0]
    plain = stretch_contrast(image[..., None], low_percent=1, high_percent=99.9).repeat(zoom, 0).repeat(zoom, 1)
    both = Image.fromarray(np.concatenate([plain, overlay], axis=1))
    both.resize((1080, round(1080 * both.height / both.width))).save(IMAGES / "spots-found.jpg", quality=80)


if __name__ == "__main__":
    simulator()
    found()
