"""AP@0.5 when images are made smaller and larger and nothing is set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks import record, scores
from benchmarks.datasets import FLUORESCENCE, Case, load_sets
from benchmarks.methods import ACCURATE, Method, load_methods

FACTORS = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0)


def main() -> None:
    """Score every method on every set at every size."""
    options = record.parser(__doc__ or "")
    options.set_defaults(sets=list(FLUORESCENCE))
    arguments = options.parse_args()
    result, rows = {}, []
    sets = load_sets(arguments.data, arguments.sets)
    for method in load_methods(arguments.methods, ACCURATE, arguments.threads):
        for name, cases in sets.items():
            counts = {factor: score(method, cases, factor) for factor in FACTORS}
            one = summarise(counts)
            result[f"{method.name} {name}"] = {"images": len(cases), **one}
            rows += [
                [method.name, name, len(cases), f"x{f:g}", *values.values()] for f, values in one["factors"].items()
            ]
    path = record.save(arguments.results, "rescale", arguments, {"methods": result})
    print(record.table(rows, ("method", "set", "n", "factor", "AP@0.5", "lost against x1")), f"\n{path}")


def score(method: Method, cases: list[Case], factor: float) -> scores.Counts:
    """Count what a method finds in rescaled images."""
    return scores.count(
        ((resize_labels(case.truth(), factor), method(*_resized(case, factor)).labels) for case in cases),
        (0.5,),
    )


def summarise(counts: dict[float, scores.Counts]) -> dict[str, dict]:
    """Return AP@0.5 of each factor and what is lost against factor 1, on the same draws of images."""
    values = {factor: scores.average_precision(scores.draws(one))[:, 0] for factor, one in counts.items()}
    return {
        "factors": {
            factor: {"AP@0.5": scores.interval(one), "lost": scores.interval(values[1.0] - one)}
            for factor, one in values.items()
        }
    }


def _resized(case: Case, factor: float) -> tuple[NDArray[np.generic], str]:
    """Resize the pixels: linear, smoothed first where it shrinks; the type stays."""
    from skimage.transform import resize

    image, axes = case.read()
    if factor == 1:
        return image, axes
    shape = tuple(max(1, round(n * factor)) for n in image.shape[:2]) + image.shape[2:]
    resized = resize(image, shape, order=1, preserve_range=True, anti_aliasing=factor < 1)
    return np.rint(resized).astype(image.dtype), axes


def resize_labels(labels: NDArray[np.int32], factor: float) -> NDArray[np.int32]:
    """Resize labels by taking the pixel whose centre is nearest."""
    index = []
    for n in labels.shape:
        m = max(1, round(n * factor))
        index.append(np.minimum(((np.arange(m) + 0.5) * n / m).astype(int), n - 1))
    return labels[np.ix_(*index)]


if __name__ == "__main__":
    main()
