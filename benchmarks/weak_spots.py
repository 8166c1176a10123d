"""Training on what detectors agree on, without any truth: the network `spots` before and after (needs [train]).

    python -m benchmarks.weak_spots --steps 200

Four detectors look at real images that nobody annotated (those that lend their backgrounds to the simulator), an
expectation maximisation gives each candidate its posterior, and the network goes on from its shipped weights, on crops
of these images and simulated crops in turn. Beside it goes the same training on simulated crops alone. Both are scored
like the shipped network, with the same weights for judging, on the sets of `benchmarks.spots`.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import record
from benchmarks.spots import read
from scripts.build_spots import backgrounds
from teasel.representations.spot import Spot
from teasel.spatial import find_spots
from teasel.spatial.consensus import combine_detections
from teasel.spatial.detectors import build
from teasel.spatial.export import package_spots
from teasel.spatial.matching import match_spots
from teasel.spatial.simulation import SimulatedCrops
from teasel.spatial.train import SPOT_CONFIG, WeakCrops, fit_spots

DETECTORS = ("log", "dog", "radial", "spots")
FROM_SKIMAGE = 3
LEARNING_RATE = 3e-4
POOL = 300


def scored(model: str, sets: dict, threads: int) -> dict[str, dict[str, float]]:
    """Return mean F1, precision and recall of a model on each set."""
    found = {}
    for name, items in sets.items():
        detector = build("spots", {"model": model, "threads": threads})
        one = [match_spots(truth, find_spots(image, detector).positions_px) for _, image, truth in items]
        found[name] = {key: float(np.mean([getattr(a, key) for a in one])) for key in ("f1", "precision", "recall")}
    return found


def main() -> None:
    """Agree, train twice, score three networks."""
    options = record.parser(__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=200, help="of each training")
    chosen = options.parse_args()
    real = backgrounds(chosen.data)
    images = real[:-FROM_SKIMAGE]
    began = time.perf_counter()
    tables = [
        [find_spots(image, build(name, {"score_threshold": 0.1} | _threads(name, chosen))) for name in DETECTORS]
        for image in images
    ]
    agreed = combine_detections(tables, detectors=DETECTORS)
    rates = {
        name: {"true_positive": float(true), "false_positive": float(false)}
        for name, true, false in zip(DETECTORS, agreed.rates.true_positive, agreed.rates.false_positive, strict=True)
    }
    print(f"{sum(map(len, agreed.spots))} candidates in {len(images)} images; rates: {rates}", flush=True)
    simulated = SimulatedCrops(Spot(), real, pool=POOL, seed=5)
    config = replace(SPOT_CONFIG, steps=chosen.steps, learning_rate=LEARNING_RATE, start_from="spots", validate_every=0)
    config = replace(config, threads=chosen.threads, warmup_steps=chosen.steps // 10)
    sets = read(chosen.data)
    result = {"shipped": scored("spots", sets, chosen.threads)}
    with tempfile.TemporaryDirectory() as folder:
        for name, crops in {
            "simulated": simulated,
            "weak": WeakCrops(images, agreed.spots, Spot(), simulated=simulated),
        }.items():
            trained = fit_spots(crops, Path(folder) / f"run-{name}", config)
            package = package_spots(trained, Path(folder) / name, trained_on=name)
            result[name] = scored(str(package), sets, chosen.threads)
            print(name, result[name], flush=True)
    rows = [[kind, *(result[name][kind]["f1"] for name in result)] for kind in sets]
    print(record.table(rows, ["set", *(f"F1 {name}" for name in result)]))
    content = {
        "steps": chosen.steps,
        "unlabelled_images": len(images),
        "candidates": int(sum(map(len, agreed.spots))),
        "rates": rates,
        "models": result,
        "seconds": time.perf_counter() - began,
    }
    record.save(chosen.results, "weak_spots", chosen, content)


def _threads(name: str, chosen: object) -> dict[str, int]:
    """Return the parameter that only the network has."""
    return {"threads": chosen.threads} if name == "spots" else {}  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
