"""Fit the scores of the filtering spot detectors on simulated images.

Run from the root of the checkout, with the folder that holds the image sets (real backgrounds):

    python scripts/fit_spot_scores.py --data DATA

Writes src/teasel/spatial/detectors/_weights.py. No truth of a real image is looked at.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from build_spots import backgrounds

from teasel.representations.spot import Spot
from teasel.spatial.detectors import build
from teasel.spatial.detectors._filtering import FilteringDetector
from teasel.spatial.detectors._judge import expand, features
from teasel.spatial.matching import match_spots
from teasel.spatial.simulation import SimulatedCrops
from teasel.spatial.source import Source

TARGET = Path("src/teasel/spatial/detectors/_weights.py")
IMAGES, EDGE_PX, SEED = 400, 224, 11
RIDGE = 1.0
HEAD = '''"""Weights of the logistic function that judges maxima; written by scripts/fit_spot_scores.py."""

from __future__ import annotations

__all__ = ["WEIGHTS"]

WEIGHTS: dict[str, tuple[float, ...]] = {
'''


def examples(detector: FilteringDetector, crops: SimulatedCrops) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return expanded features, truth and weight of the maxima of simulated images."""
    tables, truths, weights = [], [], []
    for number in range(IMAGES):
        made = crops.simulated(np.random.default_rng([SEED, number]))
        source = Source.of(made.image)
        sigmas, _ = detector._sigmas(source)
        candidates, noise = detector.candidates(source, sigmas, 512)
        if not len(candidates):
            continue
        right = match_spots(made.visible.positions_px, candidates.positions_px).right
        known = right | ~match_spots(made.spots.positions_px, candidates.positions_px).right  # neither seen nor not
        tables.append(features(candidates, noise, source.shape, sigmas))
        truths.append(right.astype(float))
        weights.append(known / np.sqrt(max(known.sum(), 1)))
        if number % 50 == 0:
            logging.info("%s: image %d", detector.name, number)
    return expand(np.concatenate(tables)), np.concatenate(truths), np.concatenate(weights)


def fit(table: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fit a logistic function by Newton's method, with a penalty on the squares of standardised weights."""
    weight = weight * len(weight) / weight.sum()
    mean, spread = table.mean(0), table.std(0) + 1e-9
    mean[0], spread[0] = 0, 1
    scaled = (table - mean) / spread
    penalty = RIDGE * np.eye(scaled.shape[1])
    penalty[0, 0] = 0
    found = np.zeros(scaled.shape[1])
    for _ in range(60):
        claimed = 1 / (1 + np.exp(-np.clip(scaled @ found, -50, 50)))
        slope = scaled.T @ (weight * (claimed - truth)) + penalty @ found
        bend = (scaled * (weight * claimed * (1 - claimed))[:, None]).T @ scaled + penalty
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < 1e-7:
            break
    found = found / spread
    found[0] -= (found[1:] * mean[1:]).sum()
    return found


def main() -> None:
    """Read the command line, then fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    crops = SimulatedCrops(Spot(), backgrounds(options.data), crop_px=EDGE_PX)
    text = HEAD
    for name in ("dog", "log"):
        detector = build(name)
        assert isinstance(detector, FilteringDetector)
        weights = fit(*examples(detector, crops))
        text += f'    "{name}": (\n' + "".join(f"        {float(w):.6g},\n" for w in weights) + "    ),\n"
    TARGET.write_text(text + "}\n", encoding="utf-8")
    logging.info("wrote %s", TARGET)


if __name__ == "__main__":
    main()
