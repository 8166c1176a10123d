"""Draw the pictures of docs/adapt.md: a model that meets nuclei of which only the envelope is stained.

Run from the root of the checkout: ``python -m scripts.draw_adapt``. The images are simulated.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from scipy.ndimage import distance_transform_edt, gaussian_filter

from teasel.labels import outline_mask
from teasel.training.adapt import AdaptConfig, Correction, adapt
from teasel.training.adapt.network import open_network, running
from teasel.training.adapt.replay import replay_scenes
from teasel.training.adapt.restyle import lay_out, restyled
from teasel.training.adapt.target import study
from teasel.training.simulation.nuclei_scenes import simulate_nuclei

IMAGES = Path("docs/images")
RUN = Path(".runs/draw-adapt")
CROPS = 8
YELLOW = (255, 200, 0)


def envelopes(seed: int, size_px: int = 192) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Simulate nuclei whose envelope alone is stained, as by an antibody against lamin."""
    _, labels = simulate_nuclei("colonies", size_px=size_px, diameter_px=34, seed=seed)
    rng = np.random.default_rng(seed)
    depth = distance_transform_edt(np.where(outline_mask(labels), 0, labels > 0))
    rim = np.exp(-((depth - 1) ** 2) / 3) * (labels > 0)
    bright = np.exp(0.4 * rng.standard_normal(labels.max() + 1))[labels]
    image = gaussian_filter(bright * (rim + 0.12 * (labels > 0)), 1.2)
    return (image + 0.04 * rng.standard_normal(image.shape)).astype(np.float32)[None], labels


def main() -> None:
    """Adapt, and copy the picture; then draw scenes laid out anew and restyled."""
    shutil.rmtree(RUN, ignore_errors=True)
    corrections = [Correction(f"envelopes {seed}", *envelopes(seed)) for seed in range(CROPS)]
    result = adapt(corrections, RUN, model="nuclei-fast", config=AdaptConfig())
    print(result.reason)
    Picture.open(result.picture).convert("P", palette=Picture.Palette.ADAPTIVE, colors=40).save(
        IMAGES / "adapt-before-after.png", optimize=True
    )
    network, package = open_network("nuclei-fast")
    target = study(
        running(network, package.spec),
        [(str(seed), simulate_nuclei("tissue", size_px=256, diameter_px=30, seed=seed)[0]) for seed in (3, 4)],
    )
    laid = lay_out(target, 1, size_px=256, seed=0)[0]
    pushed = restyled(replay_scenes("nuclei", 3, seed=0)[1:2], target, seed=0)[0]
    views = [(target.views[0].image, None), (laid.image, laid.labels), (pushed.image, pushed.labels)]
    Picture.fromarray(np.concatenate([_view(*one) for one in views], 1)).convert(
        "P", palette=Picture.Palette.ADAPTIVE, colors=40
    ).save(IMAGES / "adapt-scenes.png", optimize=True)


def _view(image: NDArray[np.float32], labels: NDArray[np.int32] | None) -> NDArray[np.uint8]:
    """Draw a square of 256 pixels, with outlines if there are labels."""
    grey = (np.clip(image[0, :256, :256], 0, 1) * 255).astype(np.uint8)
    picture = np.stack([grey] * 3, -1)
    if labels is not None:
        picture[outline_mask(labels[:256, :256])] = YELLOW
    return np.pad(picture, ((0, 256 - picture.shape[0]), (0, 262 - picture.shape[1]), (0, 0)))


if __name__ == "__main__":
    main()
