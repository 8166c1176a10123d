"""Spots found without tuning, beside Big-FISH, trackpy and scikit-image.

    python -m benchmarks.spots --bigfish-python PYTHON --trackpy-python PYTHON

Each peer runs in an environment of its own, with its automatic settings where it has any; where it wants the size of a
spot, every peer gets the same one for all images (a radius of 1.5 px for Big-FISH, a diameter of 7 px for trackpy; no
image of in situ sequencing has a truth at hand, so products of rolling circles are simulated). F1
counts pairs within 3 px, one to one (`teasel.spatial.matching`); intervals hold 95 % of 2000 draws: of images for the
semi-synthetic set, of spots (true and found, by 50 px squares) for single images.
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import record
from teasel.images import open_image
from teasel.labels.metrics.calibration import expected_calibration_error
from teasel.spatial import find_spots
from teasel.spatial.detectors import build
from teasel.spatial.matching import match_spots
from teasel.spatial.simulation import Scene, simulate

DRAWS = 2000
TISSUES, EDGE_PX, SEED = 12, 400, 2024
SQUARE_PX = 50
PEERS = Path(__file__).parent / "peers" / "spots_process.py"
Positions = np.ndarray


def read(data: Path) -> dict[str, list[tuple[str, np.ndarray, np.ndarray]]]:
    """Return the sets: name, image and true positions of each image."""
    folder = data / "insta_spots"

    def one(image: Path, points: Path) -> tuple[str, np.ndarray, np.ndarray]:
        with points.open(newline="") as file:
            rows = [(float(row["y"]), float(row["x"])) for row in csv.DictReader(file)]
        return image.stem, open_image(image).read(), np.array(rows)

    sets = {}
    for name in ("smfish_293T_TFRC", "iss_rnd0_ch3_z0", "beads_300"):
        if (folder / f"images/{name}.tif").exists():
            sets[name.split("_")[0]] = [one(folder / f"images/{name}.tif", folder / f"points/{name}.csv")]
    images = sorted((folder / "semisynthetic/images").glob("*.tif"))
    sets["semisynthetic"] = [one(path, folder / f"semisynthetic/points/{path.stem}.csv") for path in images]
    sets["rolling circle (simulated)"] = rolling_circle()
    return sets


def rolling_circle() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Simulate products of rolling-circle amplification in tissue: large, bright, crowded, over autofluorescence."""
    made = []
    for seed in range(TISSUES):
        random = np.random.default_rng([SEED, seed])
        scene = Scene(
            sigma_px=random.uniform(1.8, 3.0),
            sigma_spread=0.15,
            halo=random.uniform(0, 0.1),
            density=random.uniform(1e-3, 4e-3),
            clustering=random.uniform(0.1, 0.5),
            in_cells=True,
            detectability=random.uniform(25, 80),
            brightness_spread=random.uniform(0.3, 0.7),
            cells=int(random.integers(4, 9)),
            cell_contrast=random.uniform(1, 4),
            texture=random.uniform(0.1, 0.6),
            blobs=random.uniform(2e-4, 1e-3),
            vignetting=0.2,
            photons=random.uniform(30, 300),
        )
        image = simulate((EDGE_PX, EDGE_PX), scene, seed=random)
        grey = np.clip(image.image / image.image.max() * 4095, 0, 65535).astype(np.uint16)
        made.append((f"tissue {seed}", grey, image.visible.positions_px))
    return made


def blob_log(image: np.ndarray) -> Positions:
    """scikit-image's scale-space Laplacian with its default threshold, on the image scaled to 0..1."""
    from skimage.feature import blob_log

    low, high = float(image.min()), float(image.max())
    scaled = (image - low) / max(high - low, 1e-9)
    return blob_log(scaled, min_sigma=1, max_sigma=3, num_sigma=5)[:, :2]


def peer(python: Path, name: str) -> Callable[[np.ndarray], Positions]:
    """Return a function that runs a peer on one image in its own environment."""

    def find(image: np.ndarray) -> Positions:
        with tempfile.TemporaryDirectory() as folder:
            np.save(Path(folder) / "image.npy", image)
            command = [str(python), str(PEERS), name, folder]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{name} failed: {done.stderr[-2000:]}")
            return np.load(Path(folder) / "spots.npy")

    return find


def interval(sets: list[tuple[np.ndarray, np.ndarray]]) -> list[float]:
    """Return mean F1 and its 95 % interval: of images drawn again, or of squares where there is one image."""
    random = np.random.default_rng(0)
    if len(sets) > 1:
        values = np.array([match_spots(*pair).f1 for pair in sets])
        draws = values[random.integers(0, len(values), (DRAWS, len(values)))].mean(1)
        return [float(values.mean()), *map(float, np.percentile(draws, (2.5, 97.5)))]
    true, found = sets[0]
    agreement = match_spots(true, found)
    square = [np.unique(np.floor(p / SQUARE_PX), axis=0) for p in (true, found)]
    places, index = np.unique(np.concatenate([*square]), axis=0), {}
    index = {tuple(place): k for k, place in enumerate(places)}
    counts = np.zeros((len(places), 3))
    for column, points in enumerate((true, found, true[agreement.pairs[:, 0]])):
        for point in points:
            counts[index[tuple(np.floor(point / SQUARE_PX))], column] += 1
    drawn = counts[random.integers(0, len(places), (DRAWS, len(places)))].sum(1)
    return [agreement.f1, *map(float, np.percentile(2 * drawn[:, 2] / (drawn[:, 0] + drawn[:, 1]), (2.5, 97.5)))]


def main() -> None:
    """Run every method on every image and write the table."""
    options = record.parser(__doc__.splitlines()[0])
    options.add_argument("--bigfish-python", type=Path, help="interpreter that has big-fish; left out without it")
    options.add_argument("--trackpy-python", type=Path, help="interpreter that has trackpy; left out without it")
    chosen = options.parse_args()
    methods: dict[str, Callable[[np.ndarray], Positions]] = {}
    scored: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for name in ("spots", "log", "dog", "radial"):
        params = {"threads": chosen.threads} if name == "spots" else {}

        def run(image: np.ndarray, name: str = name, params: dict = params) -> Positions:
            found = find_spots(image, build(name, params | {"score_threshold": 0.02}))
            scored.setdefault(name, []).append((found.positions_px, found["score"]))
            return find_spots(image, build(name, params)).positions_px

        methods[f"teasel {name}"] = run
    methods["scikit-image blob_log"] = blob_log
    if chosen.bigfish_python:
        methods["Big-FISH automatic"] = peer(chosen.bigfish_python, "bigfish")
    if chosen.trackpy_python:
        methods["trackpy"] = peer(chosen.trackpy_python, "trackpy")
    rows, result = [], []
    for kind, items in read(chosen.data).items():
        for method, find in methods.items():
            began = time.perf_counter()
            scored.clear()
            pairs = [(truth, find(image)) for _, image, truth in items]
            seconds = time.perf_counter() - began
            away = np.concatenate([match_spots(*pair).distances_px for pair in pairs])
            precision = float(np.mean([match_spots(*pair).precision for pair in pairs]))
            recall = float(np.mean([match_spots(*pair).recall for pair in pairs]))
            row = {
                "set": kind,
                "images": len(items),
                "method": method,
                "f1": interval(pairs),
                "precision": precision,
                "recall": recall,
                "error_px_mean": float(away.mean()) if len(away) else None,
                "error_px_median": float(np.median(away)) if len(away) else None,
                "seconds_per_image": seconds / len(items),
            }
            ece = None
            for found in scored.values():
                right = [match_spots(t, p).right for (_, _, t), (p, _) in zip(items, found, strict=True)]
                ece = expected_calibration_error(np.concatenate([s for _, s in found]), np.concatenate(right))
            row["calibration_error"] = ece
            result.append(row)
            rows.append([kind, method, row["f1"], precision, recall, row["error_px_mean"], row["error_px_median"], ece])
            print(rows[-1], flush=True)
    header = ["set", "method", "F1 at 3 px", "precision", "recall", "mean error px", "median", "ECE"]
    print(record.table(rows, header))
    record.save(chosen.results, "spots", chosen, {"rows": result})


if __name__ == "__main__":
    main()
