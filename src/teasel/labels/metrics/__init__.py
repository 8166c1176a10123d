"""Scores that compare a predicted label image with the truth.

Each takes two integer arrays of one shape; each has its exact definition, reference and rule for empty images
in its docstring. One file is one family of scores. Scores are sums first (`Tally`), so that images add up.
`evaluate` computes them all, for arrays, files and folders.
"""

from __future__ import annotations

from teasel.labels.metrics.aji import Jaccard, aggregated_jaccard, aggregated_jaccard_plus
from teasel.labels.metrics.bootstrap import Interval, bootstrap_difference, bootstrap_interval
from teasel.labels.metrics.boundary import Boundary, BoundaryIou, boundary_f, boundary_iou
from teasel.labels.metrics.calibration import auroc, brier_score, expected_calibration_error, reliability
from teasel.labels.metrics.counts import Counts, area_bias, count_objects, recall_by_size
from teasel.labels.metrics.edits import Edits, edits_to_truth
from teasel.labels.metrics.evaluate import evaluate
from teasel.labels.metrics.evaluation import Evaluation, ImageScores
from teasel.labels.metrics.information import Information, variation_of_information
from teasel.labels.metrics.matching import THRESHOLDS, Matching, average_precision, match, match_each
from teasel.labels.metrics.overlap import Overlap, overlap
from teasel.labels.metrics.panoptic import PanopticQuality, panoptic_quality
from teasel.labels.metrics.rand import Rand, adapted_rand
from teasel.labels.metrics.run_length import RunLength, run_length
from teasel.labels.metrics.seg import Detection, SegmentationAccuracy, ctc_det, ctc_seg
from teasel.labels.metrics.tally import Tally

__all__ = [
    "THRESHOLDS",
    "Boundary",
    "BoundaryIou",
    "Counts",
    "Detection",
    "Edits",
    "Evaluation",
    "ImageScores",
    "Information",
    "Interval",
    "Jaccard",
    "Matching",
    "Overlap",
    "PanopticQuality",
    "Rand",
    "RunLength",
    "SegmentationAccuracy",
    "Tally",
    "adapted_rand",
    "aggregated_jaccard",
    "aggregated_jaccard_plus",
    "area_bias",
    "auroc",
    "average_precision",
    "bootstrap_difference",
    "bootstrap_interval",
    "boundary_f",
    "boundary_iou",
    "brier_score",
    "count_objects",
    "ctc_det",
    "ctc_seg",
    "edits_to_truth",
    "evaluate",
    "expected_calibration_error",
    "match",
    "match_each",
    "overlap",
    "panoptic_quality",
    "recall_by_size",
    "reliability",
    "run_length",
    "variation_of_information",
]
