"""Train (or go on training) and package the model `spots` that ships with Teasel.

Run from the root of the checkout, with the folder that holds the image sets:

    python -m scripts.build_spots --data DATA

It is trained on simulated spots only, over simulated backgrounds and over real images from which whatever is as small
as a spot was taken away. Checkpoints lie under .runs/spots, so that the command can be stopped and typed again; the
model folder is written to src/teasel/models/weights/spots when training is done.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
from skimage import data as samples

from teasel.images import open_image
from teasel.representations.spot import Spot
from teasel.spatial.export import package_spots
from teasel.spatial.simulation import SimulatedCrops
from teasel.spatial.train import SPOT_CONFIG, fit_spots

WEIGHTS = Path("src/teasel/models/weights")
RUNS = Path(".runs")
POOL = 3000
REAL = (
    "insta_spots/images_unlabelled/smfish_bg_MAX_*_[23].tif",
    "insta_spots/images_unlabelled/rca_*.tif",
    "spotiflow_samples/images/*_2d*.tif",
)
"""Real backgrounds; those on which the semi-synthetic test images were made (``..._300_1``) are left out."""

TRAINED_ON = (
    "simulated spots over simulated backgrounds and over real images from which whatever is as small as a spot was "
    "taken away"
)
LICENCES = """Real backgrounds: unlabelled images of INSTA (BSD-3-Clause, Chan Zuckerberg Biohub;
doi:10.1371/journal.pcbi.1009274), sample images of Spotiflow (BSD-3-Clause; doi:10.1038/s41592-025-02662-x), and images
that come with scikit-image. The weights are under the MIT licence, like Teasel."""


def backgrounds(data: Path) -> list[np.ndarray]:
    """Read the real images whose large structure lies behind simulated spots."""
    paths = sorted(path for pattern in REAL for path in data.glob(pattern))
    images = [open_image(path).read() for path in paths]
    if not images:
        raise SystemExit(f"no background under {data}; expected {', '.join(REAL)}")
    images += [samples.cell(), samples.microaneurysms(), samples.moon()]
    return [np.asarray(image, np.float32) for image in images]


def main() -> None:
    """Read the command line, then train and package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    real = backgrounds(options.data)
    crops = SimulatedCrops(Spot(), real, pool=POOL, seed=1)
    trained = fit_spots(crops, RUNS / "spots", SPOT_CONFIG, judged_on=SimulatedCrops(Spot(), real, seed=2))
    folder = package_spots(trained, WEIGHTS / "spots", trained_on=TRAINED_ON, licences=LICENCES)
    logging.info("wrote %s", folder)


if __name__ == "__main__":
    main()
