"""How well is AP@0.5 predicted without labels? Over images, corruptions, and a kind of image that was left out.

Images are split in halves (all versions of an image are in one); a predictor is fitted on one and tried on the other,
both ways round. Then observations of the model that has never seen BitDepth are predicted by parameters fitted on all
other observations but those of BitDepth. Beside it stands what a user could do without it: the mean score of the
objects. Observations are kept, so that the command can be stopped and typed again.
"""

from __future__ import annotations

import logging
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record
from benchmarks.observations import Row, collect, fit, like
from teasel.appraisal.observation import FEATURES
from teasel.labels.metrics.calibration import auroc

Values = NDArray[np.float64]
LOW = 0.5
ENOUGH = 10
"""Objects from which a score is more than chance."""


def main() -> None:
    """Observe, predict across halves and for the kind left out, and score."""
    arguments = record.parser(__doc__ or "").parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    rows = collect(arguments.data)
    expected, interval = across_halves(rows)
    truth = np.array([row.ap for row in rows])
    naive = np.array([row.features[FEATURES.index("score_mean")] for row in rows])
    result: dict[str, Any] = {"all": scores(truth, expected, interval), "mean object score alone": scores(truth, naive)}
    for name in sorted({row.model for row in rows}):
        mine = np.array([row.model == name for row in rows])
        result[name] = scores(truth[mine], expected[mine], interval[mine])
    enough = np.array([row.objects >= ENOUGH for row in rows])
    result[f"images of {ENOUGH} objects or more"] = scores(truth[enough], expected[enough], interval[enough])
    whole = np.array([row.corruption == "none" for row in rows])
    result["not corrupted"] = scores(truth[whole], expected[whole], interval[whole])
    left = np.array(["left out" in row.set for row in rows])
    if left.any():
        others = [row for row in rows if "bitdepth" not in row.set]
        predictor = fit(like(others, ""))
        unseen = predictor.expect(np.array([row.features for row in rows])[left])
        ranges = np.array([predictor.interval(one) for one in unseen])
        result["kind left out of the network and of the fit"] = scores(truth[left], unseen, ranges)
    path = record.save(arguments.results, "trust", arguments, {"observations": len(rows), "scores": result})
    header = ("observations", "n", "AP<0.5", "Spearman", "AUROC AP<0.5", "mean |error|", "in interval")
    table = [
        [name, *(one[key] for key in ("n", "low", "spearman", "auroc", "error", "covered"))]
        for name, one in result.items()
    ]
    print(record.table(table, header), f"\n{path}")


def across_halves(rows: list[Row]) -> tuple[Values, Values]:
    """Predict each half of the images as a user's would be, by parameters fitted on the other half.

    Shipped models have their own parameters, the network that has never seen BitDepth the general ones.
    """
    half = np.array([zlib.crc32(row.group.encode()) % 2 for row in rows])
    models = np.array([row.model for row in rows])
    expected, ranges = np.empty(len(rows)), np.empty((len(rows), 2))
    for part in (0, 1):
        others = [row for row, where in zip(rows, half, strict=True) if where != part]
        for name in sorted(set(models)):
            mine = np.flatnonzero((half == part) & (models == name))
            left_out = name.startswith("without")
            predictor = fit(like(others, "" if left_out else name))
            expected[mine] = predictor.expect(np.array([rows[k].features for k in mine]))
            ranges[mine] = [predictor.interval(one) for one in expected[mine]]
    return expected, ranges


def scores(truth: Values, expected: Values, ranges: Values | None = None) -> dict[str, float]:
    """Score predictions of AP."""
    from scipy.stats import spearmanr

    low = truth < LOW
    covered = float("nan") if ranges is None else float(np.mean((truth >= ranges[:, 0]) & (truth <= ranges[:, 1])))
    return {
        "n": len(truth),
        "low": int(low.sum()),
        "spearman": float(spearmanr(truth, expected).statistic),
        "auroc": float(auroc(1 - expected, low)) if low.any() and not low.all() else float("nan"),
        "error": float(np.abs(truth - expected).mean()),
        "covered": covered,
    }


if __name__ == "__main__":
    main()
