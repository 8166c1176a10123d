"""Whether an object's score is the probability that it is right (IoU with the truth >= 0.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record, scores
from benchmarks.datasets import Case, load_sets
from benchmarks.methods import ACCURATE, Method, load_methods
from teasel.labels.metrics.calibration import auroc, brier_score, expected_calibration_error, reliability
from teasel.labels.metrics.matching import match_each

THRESHOLD = 0.5
BINS = 10
DRAWS = 500

Judged = tuple[NDArray[np.float64], NDArray[np.bool_]]


def main() -> None:
    """Score every method on every set, and on all sets together."""
    arguments = record.parser(__doc__ or "").parse_args()
    result, rows = {}, []
    sets = load_sets(arguments.data, arguments.sets)
    for method in load_methods(arguments.methods, ACCURATE, arguments.threads):
        judged = {name: [judge(method, case) for case in cases] for name, cases in sets.items()}
        judged["all"] = [one for images in list(judged.values()) for one in images]
        for name, images in judged.items():
            one = summarise(images)
            result[f"{method.name} {name}"] = one
            rows.append([method.name, name, *(one[key] for key in ("images", "objects", "ECE", "Brier", "AUROC"))])
    path = record.save(arguments.results, "calibration", arguments, {"threshold": THRESHOLD, "methods": result})
    print(record.table(rows, ("method", "set", "n", "objects", "ECE", "Brier", "AUROC")), f"\n{path}")


def judge(method: Method, case: Case) -> Judged:
    """Return the score of each predicted object, and whether it matches a true one."""
    found = method(*case.read())
    ids, partners, _ = match_each(case.truth(), found.labels, THRESHOLD)
    return np.asarray(found.scores, float)[ids - 1], partners > 0


def summarise(images: list[Judged]) -> dict[str, Any]:
    """Return the errors of all objects; that of ECE with its interval over draws of images."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(len(images), size=len(images)) for _ in range(DRAWS)]
    values = [_ece(images), *(_ece([images[i] for i in chosen]) for chosen in drawn)]
    claimed, right = _join(images)
    bins = reliability(claimed, right, BINS)
    return {
        "images": len(images),
        "objects": len(claimed),
        "ECE": scores.interval(np.array(values)),
        "Brier": brier_score(claimed, right),
        "AUROC": auroc(claimed, right),
        "bins": [list(row) for row in zip(*(part.tolist() for part in bins), strict=True)],
    }


def _ece(images: list[Judged]) -> float:
    return expected_calibration_error(*_join(images), BINS)


def _join(images: list[Judged]) -> Judged:
    return np.concatenate([one[0] for one in images]), np.concatenate([one[1] for one in images])


if __name__ == "__main__":
    main()
