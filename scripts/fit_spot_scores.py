"""Fit the scores of the filtering spot detectors on simulated images.

Run from the root of the checkout, with the folder that holds the image sets (real backgrounds):

    python -m scripts.fit_spot_scores --data DATA

after the model `spots` is there (scripts/build_spots.py). Writes src/teasel/spatial/detectors/judges.json. No truth of
a real image is looked at.
"""

from __future__ import annotations

import argparse
import json
import logging
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.build_spots import backgrounds
from teasel.labels.metrics.calibration import expected_calibration_error
from teasel.representations.spot import Spot
from teasel.spatial.detectors import Detector, build
from teasel.spatial.detectors._filtering import FilteringDetector
from teasel.spatial.detectors._judge import expand, features, heat_features, read_weights
from teasel.spatial.detectors.spots import NetworkDetector
from teasel.spatial.matching import match_spots
from teasel.spatial.simulation import Simulated, SimulatedCrops
from teasel.spatial.source import Source

TARGET = Path("src/teasel/spatial/detectors/judges.json")
IMAGES = {"filters": 800, "spots": 240}
DETECTORS = {"spots": "spots", "filters": "log"}  # a difference of Gaussians is judged as well by the same weights
EDGE_PX, SEED = 300, 12
THRESHOLDS = np.arange(0.2, 0.75, 0.05)
RIDGE = 1.0


def described(detector: Detector, source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and features of everything in an image that might be a spot."""
    if isinstance(detector, NetworkDetector):
        found, _ = detector.candidates(source, tile_px=512)
        return found.positions_px, heat_features(found["score"], found["intensity"], found["snr"], found["filtered"])
    assert isinstance(detector, FilteringDetector)
    sigmas, _ = detector._sigmas(source)
    candidates, noise = detector.candidates(source, sigmas, 512)
    return candidates.positions_px, features(candidates, noise, source.shape, sigmas)


@dataclass(frozen=True)
class Example:
    """One simulated image, seen by one detector.

    Holds the expanded features of the candidates, which are spots, which are spots that can be seen, and how many of
    those there are.
    """

    table: np.ndarray
    truth: np.ndarray
    seen: np.ndarray
    n_seen: int


def example(detector: Detector, image: Simulated) -> Example:
    """Describe the candidates of a simulated image; one at a spot is a spot, also where nobody would ask for it."""
    positions, table = described(detector, Source.of(image.image))
    seen = match_spots(image.visible.positions_px, positions).right
    truth = seen | match_spots(image.spots.positions_px, positions).right
    return Example(expand(table), truth, seen, len(image.visible))


def examples(detector: Detector, n: int, crops: SimulatedCrops) -> list[Example]:
    """Describe the candidates of simulated images."""
    made: list[Example] = []
    for number in range(n):
        found = example(detector, crops.simulated(np.random.default_rng([SEED, number])))
        if len(found.truth):
            made.append(found)
        if number % 50 == 0:
            logging.info("%s: image %d", detector.name, number)
    return made


def fit_all(made: list[Example]) -> np.ndarray:
    """Fit on many images, each of which counts the same."""
    weights = np.concatenate([np.full(len(e.truth), 1 / len(e.truth)) for e in made])
    return fit(np.concatenate([e.table for e in made]), np.concatenate([e.truth for e in made]).astype(float), weights)


def report(name: str, made: list[Example]) -> None:
    """Log mean F1 by threshold and the calibration error, each half judged by weights fitted on the other."""
    halves, rows, claimed, right = (made[::2], made[1::2]), [], [], []
    for one, other in (halves, halves[::-1]):
        weights = fit_all(one)
        for e in other:
            score = 1 / (1 + np.exp(-np.clip(e.table @ weights, -50, 50)))
            claimed.append(score)
            right.append(e.truth)
            judged = e.seen | ~e.truth  # finding a spot too faint to be asked for is neither right nor wrong
            if e.n_seen >= 3:
                rows.append(
                    [2 * e.seen[score >= t].sum() / ((judged & (score >= t)).sum() + e.n_seen) for t in THRESHOLDS]
                )
    f1 = dict(zip(THRESHOLDS.round(2).tolist(), np.mean(rows, 0).round(4).tolist(), strict=True))
    error = expected_calibration_error(np.concatenate(claimed), np.concatenate(right))
    logging.info("%s: held-out F1 by threshold %s, calibration error %.4f", name, f1, error)


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


def write(judges: dict[str, list[float]]) -> None:
    """Write the weights of all judges, for every detector that is built from now on."""
    rows = (json.dumps(name) + ": " + json.dumps(weights) for name, weights in sorted(judges.items()))
    text = ",\n".join(textwrap.fill(row, 118, initial_indent=" ", subsequent_indent="  ") for row in rows)
    TARGET.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    read_weights.cache_clear()


def main() -> None:
    """Read the command line, then fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    parser.add_argument("--only", nargs="*", default=list(IMAGES), help="which judges; the others keep their weights")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    crops = SimulatedCrops(Spot(), backgrounds(options.data), crop_px=EDGE_PX)
    judges = json.loads(TARGET.read_text("utf-8"))
    for name in IMAGES:  # the network is judged with the help of a filter, so filters come first
        if name in options.only:
            made = examples(build(DETECTORS[name]), IMAGES[name], crops)
            report(name, made)
            judges[name] = [float(f"{w:.6g}") for w in fit_all(made)]
            write(judges)  # the network's judge is fitted with the help of the filters'
    logging.info("wrote %s", TARGET)


if __name__ == "__main__":
    main()
