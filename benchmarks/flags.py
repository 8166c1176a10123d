"""How often the report flags real images as they are, and the same images blurred, saturated, or lit unevenly.

    python -m benchmarks.flags

Labels are the sets' own, so that the rules are judged apart from the network. There is no peer to run beside: the
measures of CellProfiler's MeasureImageQuality have no limits of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.datasets import Case, load_sets
from benchmarks.record import parser, save, table
from teasel.apps.report.options import ReportOptions
from teasel.apps.report.quality import Quality, judge_quality

KINDS = ("out of focus", "saturated", "uneven illumination")


def diameter(labels: NDArray) -> float:
    """Median diameter of objects, in pixels."""
    sizes = np.bincount(labels.clip(0).ravel())[1:]
    return float(np.median(2 * np.sqrt(sizes[sizes > 0] / np.pi)))


def degraded(pixels: NDArray, labels: NDArray, kind: str) -> NDArray:
    """Blur by a fifth of the diameter; cut off a third of the object pixels; leave a quarter of the light."""
    values = pixels.astype(np.float32)
    if kind == "out of focus":
        spread = 0.2 * diameter(labels)
        changed = ndimage.gaussian_filter(values, (spread, spread, 0))
    elif kind == "saturated":
        bright = np.median(values[labels > 0]) > np.median(values[labels == 0])
        limit = np.percentile(values[labels > 0], 67 if bright else 33)
        changed = np.minimum(values, limit) if bright else np.maximum(values, limit)
    else:
        changed = values * np.linspace(1, 0.25, values.shape[1])[None, :, None]
    return changed.astype(pixels.dtype)


def exceeded(quality: Quality) -> set[str]:
    """Return the limits that an image exceeds."""
    limits = ReportOptions()
    found = {
        "out of focus": (quality.blur, limits.max_blur),
        "saturated": (quality.saturated, limits.max_saturated_percent / 100),
        "uneven illumination": (quality.shading, limits.max_shading_percent / 100),
    }
    return {kind for kind, (value, limit) in found.items() if value is not None and value > limit}


def count(cases: Sequence[Case]) -> dict[str, float]:
    """Return shares of a set's images with 5 objects or more: flagged as they are, and flagged when degraded."""
    n, as_is, caught = 0, dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for case in cases:
        pixels, axes = case.read()
        pixels, labels = pixels if axes == "yxc" else pixels[..., None], case.truth()
        if len(np.unique(labels[labels > 0])) < ReportOptions().min_objects:
            continue
        size = diameter(labels)
        n += 1
        for kind in exceeded(judge_quality(pixels, labels, size)):
            as_is[kind] += 1
        for kind in KINDS:
            caught[kind] += kind in exceeded(judge_quality(degraded(pixels, labels, kind), labels, size))
    shares = {f"{kind}, as is": as_is[kind] / n for kind in KINDS}
    return {"images": n, **shares, **{f"{kind}, degraded": caught[kind] / n for kind in KINDS}}


def main() -> None:
    """Print the table and write the results."""
    arguments = parser(__doc__ or "").parse_args()
    sets = {name: count(cases) for name, cases in load_sets(arguments.data, arguments.sets).items()}
    header = list(next(iter(sets.values())))
    print(table([[name, *row.values()] for name, row in sets.items()], ["set", *header]))
    save(arguments.results, "flags", arguments, {"sets": sets})


if __name__ == "__main__":
    main()
