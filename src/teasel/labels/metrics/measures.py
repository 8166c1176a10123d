"""The table of all scores: what each image adds, and how each score is read off the sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teasel.labels.metrics.aji import Jaccard
from teasel.labels.metrics.boundary import boundary_f, boundary_iou
from teasel.labels.metrics.counts import Counts
from teasel.labels.metrics.information import Information
from teasel.labels.metrics.matching import Matching
from teasel.labels.metrics.overlap import overlap
from teasel.labels.metrics.rand import Rand
from teasel.labels.metrics.seg import Detection, SegmentationAccuracy
from teasel.labels.metrics.tally import Tally

__all__ = ["Measure", "list_measures", "tally_image"]

Tallies = dict[str, Tally]


class Measure(NamedTuple):
    """A score: its name, and how it is read off the tallies of one image or of many."""

    name: str
    read: Callable[[Mapping[str, Any]], Any]


def tally_image(truth: NDArray, prediction: NDArray, thresholds: Sequence[float], boundary_px: float) -> Tallies:
    """Compute everything that one image adds to any score."""
    table = overlap(truth, prediction)
    tallies: Tallies = {_at(t): Matching.of(table, t) for t in thresholds}
    tallies["aji"] = Jaccard.of(table)
    tallies["aji_plus"] = Jaccard.one_to_one(table)
    tallies["seg"] = SegmentationAccuracy.of(table)
    tallies["det"] = Detection.of(table)
    tallies["voi"] = Information.of(table)
    tallies["rand"] = Rand.of(table)
    tallies["boundary"] = boundary_f(truth, prediction, boundary_px)
    tallies["boundary_iou"] = boundary_iou(truth, prediction, max(boundary_px, 1))
    tallies["counts"] = Counts.of(table)
    return tallies


def list_measures(thresholds: Sequence[float]) -> list[Measure]:
    """Return all scores, in the order in which they are reported."""
    measures = [Measure("ap_mean", lambda t: np.mean([t[_at(x)].accuracy for x in thresholds], axis=0))]
    for threshold in thresholds:
        measures += _at_threshold(threshold)
    return [
        *measures,
        Measure("aji", lambda t: t["aji"].index),
        Measure("aji_plus", lambda t: t["aji_plus"].index),
        Measure("seg", lambda t: t["seg"].seg),
        Measure("det", lambda t: t["det"].det),
        Measure("voi_split", lambda t: t["voi"].split),
        Measure("voi_merge", lambda t: t["voi"].merge),
        Measure("rand_error", lambda t: t["rand"].error),
        Measure("rand_precision", lambda t: t["rand"].precision),
        Measure("rand_recall", lambda t: t["rand"].recall),
        Measure("boundary_f", lambda t: t["boundary"].f),
        Measure("boundary_iou", lambda t: t["boundary_iou"].mean),
        Measure("n_truth", lambda t: t["counts"].truth),
        Measure("n_prediction", lambda t: t["counts"].prediction),
        Measure("count_error", lambda t: t["counts"].relative_error),
        Measure("count_error_absolute", lambda t: t["counts"].absolute_error),
    ]


def _at_threshold(threshold: float) -> list[Measure]:
    """Return the scores of matching at one IoU threshold."""
    key, end = _at(threshold), f"@{threshold:g}"
    return [
        Measure("ap" + end, lambda t: t[key].accuracy),
        Measure("f1" + end, lambda t: t[key].f1),
        Measure("precision" + end, lambda t: t[key].precision),
        Measure("recall" + end, lambda t: t[key].recall),
        Measure("pq" + end, lambda t: t[key].panoptic),
        Measure("mean_iou" + end, lambda t: t[key].mean_iou),
    ]


def _at(threshold: float) -> str:
    """Return the key of the matching at a threshold."""
    return f"matching@{threshold:g}"
