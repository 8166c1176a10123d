"""Seconds per megapixel, array to labels: Teasel and StarDist in turns on the same images."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record, scores
from benchmarks.datasets import Case, load_sets
from benchmarks.methods import ALL, Method, load_methods
from benchmarks.peers.stardist_process import StarDist

Timed = Callable[[Case], float]


def main() -> None:
    """Time every method on every image, in an order that changes from round to round."""
    options = record.peer_options(record.parser(__doc__ or ""))
    options.add_argument("--rounds", type=int, default=3, help="times each image is done (default 3)")
    options.set_defaults(sets=["bbbc039"])
    arguments = options.parse_args()
    methods = load_methods(arguments.methods, ALL, arguments.threads)
    result, rows = {}, []
    with contextlib.ExitStack() as stack:
        runs: dict[str, Timed] = {method.name: _timed(method) for method in methods}
        if arguments.stardist_python:
            peer = StarDist(arguments.stardist_python, arguments.stardist_model, arguments.threads)
            stack.enter_context(peer)
            runs[peer.name] = _timed_peer(peer)
        for name, cases in load_sets(arguments.data, arguments.sets).items():
            megapixels = np.array([np.prod(case.truth().shape) / 1e6 for case in cases])
            seconds = measure(runs, cases, arguments.rounds)
            result[name] = summarise(seconds, megapixels)
            rows += [[name, len(cases), method, *one.values()] for method, one in result[name]["methods"].items()]
    path = record.save(arguments.results, "speed", arguments, {"rounds": arguments.rounds, "sets": result})
    print(record.table(rows, ("set", "n", "method", "s/MP", "times StarDist's speed")), f"\n{path}")


def measure(runs: dict[str, Timed], cases: list[Case], rounds: int) -> dict[str, NDArray[np.float64]]:
    """Return the median seconds of each method on each image, after one warm-up on the first image."""
    for run in runs.values():
        run(cases[0])
    seconds = {name: np.empty((rounds, len(cases))) for name in runs}
    rng = np.random.default_rng(0)
    for k in range(rounds):
        for i, case in enumerate(cases):
            for name in rng.permutation(list(runs)):
                seconds[name][k, i] = runs[name](case)
    return {name: np.median(values, axis=0) for name, values in seconds.items()}


def summarise(seconds: dict[str, NDArray[np.float64]], megapixels: NDArray[np.float64]) -> dict[str, Any]:
    """Return seconds per megapixel and the ratio to StarDist, [value, low, high] over draws of images."""
    drawn = {name: scores.draws(np.stack([s, megapixels], 1)[:, None])[:, 0] for name, s in seconds.items()}
    methods: dict[str, Any] = {}
    for name, sums in drawn.items():
        methods[name] = {"s/MP": scores.interval(sums[:, 0] / sums[:, 1])}
        peer = drawn.get(StarDist.name)
        methods[name]["speed-up"] = scores.interval(peer[:, 0] / sums[:, 0]) if peer is not None else "-"
    return {"images": len(megapixels), "megapixels": float(megapixels.sum()), "methods": methods}


def _timed(method: Method) -> Timed:
    def run(case: Case) -> float:
        image, axes = case.read()
        start = time.perf_counter()
        method(image, axes)
        return time.perf_counter() - start

    return run


def _timed_peer(peer: StarDist) -> Timed:
    return lambda case: peer(case.grey())[1]


if __name__ == "__main__":
    main()
