"""Rates of simulated detectors, recovered without truth, and the time for a million detections.

    python -m benchmarks.consensus

Spots and spurious candidates are scattered over a plane; each detector sees each with its own probability, displaced
by 0.3 px. Detections are clustered and the rates estimated. No peer can be installed to compare with.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks import record
from teasel.labels.metrics.calibration import expected_calibration_error
from teasel.spatial.consensus import cluster_detections, estimate_rates
from teasel.spatial.matching import match_spots

TRUE = np.array([0.95, 0.9, 0.8, 0.7, 0.85])
FALSE = np.array([0.1, 0.3, 0.2, 0.15, 0.25])
DETECTIONS = 1_000_000
DENSITY = 0.004


def main() -> None:
    """Simulate, cluster, estimate, and say how far off it is."""
    chosen = record.parser(__doc__.splitlines()[0]).parse_args()
    random = np.random.default_rng(0)
    share = 0.6
    n = round(DETECTIONS / (share * TRUE.sum() + (1 - share) * FALSE.sum()))
    places = random.random((n, 2)) * np.sqrt(n / DENSITY)
    truth = random.random(n) < share
    seen = random.random((n, len(TRUE))) < np.where(truth[:, None], TRUE, FALSE)
    sets = [places[s] + random.normal(0, 0.3, (s.sum(), 2)) for s in seen.T]
    began = time.perf_counter()
    positions, votes = cluster_detections(sets)
    rates = estimate_rates(votes)
    seconds = time.perf_counter() - began
    right = match_spots(places[truth], positions, distance_px=1.5).right
    result = {
        "detections": sum(map(len, sets)),
        "clusters": len(votes),
        "seconds": seconds,
        "true_positive_error": float(np.abs(rates.true_positive - TRUE).max()),
        "false_positive_error": float(np.abs(rates.false_positive - FALSE).max()),
        "posterior_calibration_error": expected_calibration_error(rates.posterior, right),
    }
    print(record.table([[key, value] for key, value in result.items()], ["what", "value"]))
    record.save(chosen.results, "consensus", chosen, result)


if __name__ == "__main__":
    main()
