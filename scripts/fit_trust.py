"""Fit what predicts scores without labels, and write it into the package.

Run from the root of the checkout, with the folder that holds the image sets:

    python -m scripts.fit_trust --data DATA

Needs the observations of `python -m benchmarks.trust`, which it makes if they are missing. The general predictor is
fitted on all models of nuclei together, with a kind of image that a model was never trained on; a shipped model that
was observed 100 times or more, on validation images whole and corrupted, gets one of its own; those of nuclei
are fitted together.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.observations import Row, collect, fit, like
from teasel.appraisal.trusting import GENERAL
from teasel.images.atomic import atomic_path

FOLDER = Path("src/teasel/appraisal/predictors")
CENTRES = 24
FEWEST = 100
USUAL = 0.95


def looks(rows: list[Row]) -> dict[str, Any]:
    """Return the looks of the images that a model knows: centres of groups, and the usual distance to them.

    Validation images are drawn from the same sets as the training images, so they look alike.
    """
    from scipy.cluster.vq import kmeans2

    styles = np.array([row.style for row in rows if row.corruption == "none" and "left out" not in row.set])
    mean, spread = styles.mean(0), styles.std(0) + 1e-6
    standard = (styles - mean) / spread
    centres, groups = kmeans2(standard, min(CENTRES, len(styles) // 3), minit="++", rng=np.random.default_rng(0))
    centres = centres[np.unique(groups)]
    distances = np.sqrt(((standard[:, None] - centres[None]) ** 2).mean(-1)).min(1)
    return {
        "centres": tuple(tuple(float(v) for v in one) for one in centres),
        "style_mean": tuple(float(v) for v in mean),
        "style_spread": tuple(float(v) for v in spread),
        "usual_distance": float(np.quantile(distances, USUAL)),
    }


def main() -> None:
    """Fit and write every predictor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    rows = collect(options.data)
    FOLDER.mkdir(exist_ok=True)
    for name in ("", *sorted({row.model for row in rows if not row.model.startswith("without")})):
        own = [row for row in rows if row.model == name]
        if name and len(own) < FEWEST:
            logging.info("%s: %d observations are too few, the general parameters serve it", name, len(own))
            continue
        mine = like(rows, name)
        different = len({row.group for row in mine})
        predictor = replace(fit(mine), fitted_on=f"{len(mine)} observations of {different} images")
        if name:
            predictor = replace(predictor, **looks(own))
        with atomic_path(FOLDER / f"{name or GENERAL}.json") as temporary:
            temporary.write_text(json.dumps(_short(predictor.to_dict())) + "\n", "utf-8")
        logging.info("%s: %s", name or GENERAL, predictor.fitted_on)


def _short(value: object) -> object:
    """Return plain values with five digits."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_short(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
