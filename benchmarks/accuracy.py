"""Objects found: Teasel beside StarDist on the same validation images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import record, scores
from benchmarks.datasets import Case, load_sets
from benchmarks.methods import ACCURATE, Method, load_methods
from benchmarks.peers.stardist_process import predict_cached

PEER = "StarDist"
COLUMNS = ("AP@0.5", "AP@0.75", "AP@0.9", "mean AP", "F1@0.5", "F1@0.75", "F1@0.9")


def main() -> None:
    """Score every method on every set."""
    options = record.peer_options(record.parser(__doc__ or ""))
    options.add_argument("--cache", type=Path, default=record.CHECKOUT / ".runs" / "stardist", help="StarDist labels")
    arguments = options.parse_args()
    methods = load_methods(arguments.methods, ACCURATE, arguments.threads)
    result, rows = {}, []
    for name, cases in load_sets(arguments.data, arguments.sets).items():
        counts = {method.name: score(method, cases) for method in methods}
        if arguments.stardist_python:
            labels = predict_cached(
                arguments.stardist_python, arguments.stardist_model, cases, arguments.cache, arguments.threads
            )
            counts[PEER] = scores.count((c.truth(), one) for c, one in zip(cases, labels, strict=True))
        result[name] = summarise(counts)
        for method, summary in result[name]["methods"].items():
            rows.append([name, len(cases), method, *(summary[column] for column in COLUMNS)])
    path = record.save(arguments.results, "accuracy", arguments, {"sets": result})
    print(record.table(rows, ("set", "n", "method", *COLUMNS)), f"\n{path}")


def score(method: Method, cases: list[Case]) -> scores.Counts:
    """Count what a method finds in each image."""
    return scores.count((case.truth(), method(*case.read()).labels) for case in cases)


def summarise(counts: dict[str, scores.Counts]) -> dict[str, Any]:
    """Return scores with intervals, and differences to the peer on the same draws of images."""
    some = next(iter(counts.values()))
    result: dict[str, Any] = {
        "images": len(some),
        "objects": int(some[:, 0, [0, 2]].sum()),
        "methods": {name: scores.summary(one) for name, one in counts.items()},
    }
    if PEER in counts:
        others = {name: one for name, one in counts.items() if name != PEER}
        result["minus StarDist"] = {name: scores.difference(one, counts[PEER]) for name, one in others.items()}
    return result


if __name__ == "__main__":
    main()
