"""The result of an evaluation: scores per image, pooled, averaged, with intervals; as JSON and as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from teasel.labels.metrics.bootstrap import Interval

__all__ = ["Evaluation", "ImageScores"]

_SHOWN = (0.5, 0.75, 0.9)  # thresholds in the text, where they were computed
_FORMAT = "teasel.evaluation/1"


@dataclass(frozen=True)
class ImageScores:
    """The scores of one image, by name."""

    name: str
    scores: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """Scores of a set of images.

    Parameters
    ----------
    images : tuple of ImageScores
        One row per image. An image without objects and without predictions scores 1 where 1 is best.
    pooled : dict of str to float
        Scores of the sums over all images: every object counts the same.
    mean : dict of str to float
        Mean of the images' scores, those that are not defined (NaN) left out: every image counts the same.
    thresholds : tuple of float
        IoU thresholds.
    pooled_intervals, mean_intervals : dict of str to Interval
        Bootstrap intervals; empty unless asked for.
    n_resamples : int
        Draws of the bootstrap; 0 for none.
    seed : int
        Seed of the draws.
    boundary_px : float
        Tolerance of the boundary scores.
    """

    images: tuple[ImageScores, ...]
    pooled: dict[str, float]
    mean: dict[str, float]
    thresholds: tuple[float, ...]
    pooled_intervals: dict[str, Interval] = field(default_factory=dict)
    mean_intervals: dict[str, Interval] = field(default_factory=dict)
    n_resamples: int = 0
    seed: int = 0
    boundary_px: float = 2

    def to_json(self) -> str:
        """Return everything as JSON text; scores that are not defined are null."""
        content = {
            "format": _FORMAT,
            "thresholds": list(self.thresholds),
            "boundary_px": self.boundary_px,
            "n_images": len(self.images),
            "pooled": _finite(self.pooled),
            "mean": _finite(self.mean),
            "bootstrap": self._describe_bootstrap(),
            "images": [{"name": row.name, "scores": _finite(row.scores)} for row in self.images],
        }
        return json.dumps(content, indent=1, allow_nan=False)

    def to_table(self) -> str:
        """Return the pooled and mean scores, and one line per image, as text in columns."""
        return "\n".join([*self._summary(), "", *self._rows()])

    def _describe_bootstrap(self) -> dict | None:
        if not self.n_resamples:
            return None
        kinds = {"pooled": self.pooled_intervals, "mean": self.mean_intervals}
        bounds = {
            kind: {name: [_finite_or_none(i.low), _finite_or_none(i.high)] for name, i in intervals.items()}
            for kind, intervals in kinds.items()
        }
        return {"n_resamples": self.n_resamples, "seed": self.seed, "level": 0.95, **bounds}

    def _summary(self) -> Iterator[str]:
        n = len(self.images)
        yield f"{n} image{'s' * (n != 1)}, {self.pooled['n_truth']:.0f} true and {self.pooled['n_prediction']:.0f} " + (
            "predicted objects"
        )
        yield ""
        rows = [("", "pooled", "mean of images")]
        for name in self._shown():
            pooled = _with_interval(self.pooled[name], self.pooled_intervals.get(name))
            rows.append((name, pooled, _with_interval(self.mean[name], self.mean_intervals.get(name))))
        yield from _in_columns(rows)
        if self.n_resamples:
            yield f"in brackets: 95 % interval, {self.n_resamples} draws of images, seed {self.seed}"

    def _rows(self) -> Iterator[str]:
        names = [name for name in self._shown() if name.startswith(("ap", "f1@", "pq@", "aji"))]
        rows = [("image", "true", "predicted", *names)]
        for image in self.images:
            counts = (f"{image.scores['n_truth']:.0f}", f"{image.scores['n_prediction']:.0f}")
            rows.append((image.name, *counts, *(_three_digits(image.scores[name]) for name in names)))
        yield from _in_columns(rows)

    def _shown(self) -> list[str]:
        """Return the names of the scores that go into the text."""
        first = min(self.thresholds)
        ends = [f"@{t:g}" for t in self.thresholds if t in _SHOWN] or [f"@{first:g}"]
        names = ["ap_mean", *(f"ap{end}" for end in ends), *(f"f1{end}" for end in ends)]
        names += [f"{score}{ends[0]}" for score in ("precision", "recall", "pq", "mean_iou")]
        return names + [
            name for name in self.pooled if "@" not in name and name not in ("ap_mean", "n_truth", "n_prediction")
        ]


def _in_columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Align the cells: names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def _with_interval(value: float, interval: Interval | None) -> str:
    text = _three_digits(value)
    if interval is None:
        return text
    return f"{text} [{_three_digits(interval.low)}, {_three_digits(interval.high)}]"


def _three_digits(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _finite(scores: dict[str, float]) -> dict[str, float | None]:
    return {name: _finite_or_none(value) for name, value in scores.items()}


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
