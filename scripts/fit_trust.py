"""Fit what predicts scores without labels, and write it into the package.

Run from the root of the checkout, with the folder that holds the image sets:

    python -m scripts.fit_trust --data DATA

Needs the observations of `python -m benchmarks.trust`, which it makes if they are missing. For each shipped model of
nuclei a predictor is fitted on its own validation images, whole and corrupted; the general one on all models together,
with kinds of images that a model was never trained on. The looks of the training images come from a sample of them.
"""

from __future__ import annotations

import argparse
import json
import logging
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.observations import RUNS, Row, collect
from teasel.appraisal.observation import FEATURES
from teasel.appraisal.predictor import Predictor, fit_predictor
from teasel.appraisal.style import style_vector
from teasel.appraisal.trusting import GENERAL
from teasel.appraisal.windows import grid, liveliest, piece_of
from teasel.images.atomic import atomic_path
from teasel.inference import Plane, estimate_diameter
from teasel.inference.consistency import look
from teasel.inference.scale import network_scale
from teasel.models import load_model

FOLDER = Path("src/teasel/appraisal/predictors")
LOOKS, CENTRES = 160, 24
USUAL = 0.95


def fit(rows: list[Row]) -> Predictor:
    """Fit a predictor on observations; versions of one image stay together."""
    groups = np.array([zlib.crc32(row.group.encode()) for row in rows])
    observed, truth = np.array([row.features for row in rows]), np.array([row.ap for row in rows])
    return fit_predictor(FEATURES, observed, truth, groups)


def looks(name: str, data: Path) -> dict[str, object]:
    """Return the looks of a sample of the training images: centres of groups, and the usual distance to them."""
    from scipy.cluster.vq import kmeans2

    from scripts.build_models import SETS
    from teasel.training.folders import read_sets

    path = RUNS / f"looks-{name}.json"
    if not path.exists():
        model = load_model(name, threads=1)
        items, _ = read_sets([data / one for one in SETS])
        styles = []
        for item in items[:: max(1, len(items) // LOOKS)]:
            plane = Plane.of_array(item.image, model.spec.normalisation)
            scale = network_scale(estimate_diameter(model, plane) or model.spec.object_diameter_px, model)
            (window,) = liveliest(plane, grid(plane.shape, max(64, int(512 / scale))), 1)
            piece = piece_of(plane, window, scale)
            styles.append(style_vector(piece, look(model, piece)).tolist())
        path.write_text(json.dumps(styles))
    styles = np.array(json.loads(path.read_text()))
    mean, spread = styles.mean(0), styles.std(0) + 1e-6
    standard = (styles - mean) / spread
    centres, groups = kmeans2(standard, CENTRES, minit="++", rng=np.random.default_rng(0))
    centres = centres[np.unique(groups)]
    distances = np.sqrt(((standard[:, None] - centres[None]) ** 2).mean(-1)).min(1)

    def short(values: np.ndarray) -> tuple[float, ...]:
        return tuple(round(float(v), 3) for v in values)

    return {
        "centres": tuple(short(one) for one in centres),
        "style_mean": short(mean),
        "style_spread": short(spread),
        "usual_distance": round(float(np.quantile(distances, USUAL)), 3),
    }


def main() -> None:
    """Fit and write every predictor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    rows = collect(options.data)
    FOLDER.mkdir(exist_ok=True)
    for name in (GENERAL, *sorted({row.model for row in rows if not row.model.startswith("without")})):
        mine = rows if name == GENERAL else [row for row in rows if row.model == name]
        predictor = replace(
            fit(mine), fitted_on=f"{len(mine)} images, {len({row.group for row in mine})} of them different"
        )
        if name != GENERAL:
            predictor = replace(predictor, **looks(name, options.data))
        with atomic_path(FOLDER / f"{name}.json") as temporary:
            temporary.write_text(json.dumps(_short(predictor.to_dict())) + "\n", "utf-8")
        logging.info("%s: %s", name, predictor.fitted_on)


def _short(value: object) -> object:
    """Return plain values with five digits."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_short(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
