"""How good is a trained model, and how far can its object scores be trusted? Measured on validation images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.images import open_image
from teasel.inference import Plane, Stack
from teasel.inference.part import Part, find_diameter, segment_part
from teasel.inference.scale import network_scale
from teasel.labels.metrics.matching import average_precision, match_each
from teasel.models import Model
from teasel.representations.calibration import Calibration
from teasel.training.data import Item
from teasel.training.loop import Trained
from teasel.training.validation import forward, middle, rescale

__all__ = ["fit_logistic", "fit_merging", "fit_score", "fit_stars", "pipeline_scores", "volume_scores"]

Pairs = dict[str, list[tuple[NDArray[Any], NDArray[Any]]]]
"""By set: truth and prediction of each image."""

THRESHOLDS = (0.5, 0.75, 0.9)
MERGE_THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
STAR_THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)


def fit_score(trained: Trained, items: Sequence[Item]) -> tuple[float, ...]:
    """Fit the logistic model that turns a hybrid's consistency into the probability of IoU >= 0.5.

    Parameters
    ----------
    trained : Trained
        With a representation that measures consistency (`Hybrid`).
    items : sequence of Item
        Validation images; each is also seen a little too large and too small, as a wrong size estimate would show it.

    Returns
    -------
    tuple of float
        Intercept and weights.

    Raises
    ------
    DataError
        If the network finds no object at all.
    """
    representation: Any = trained.representation
    features, matched = [], []
    for item in items:
        if not np.isfinite(item.diameter_px):
            continue
        for factor in (0.8, 1.0, 1.25):
            scale = factor * trained.config.object_diameter_px / item.diameter_px
            image, labels = rescale(item.image, item.labels, scale)
            fields = forward(trained.network, representation, image, trained.config)
            found, agreement = representation.find_objects(fields)
            ids, partners, _ = match_each(labels, found)
            features.append(representation.consistency(found, agreement, fields)[ids - 1])
            matched.append(partners > 0)
    if not sum(map(len, matched)):
        raise DataError(
            f"after {trained.config.steps} steps the network finds no object in {len(items)} validation images, so "
            "nothing can be said about its scores; train for more steps, or see whether labels and images fit"
        )
    return fit_logistic(np.concatenate(features), np.concatenate(matched))


def fit_stars(trained: Trained, items: Sequence[Item]) -> dict[str, Any]:
    """Choose how probable a centre must be, and fit what its probability says about the object.

    Parameters
    ----------
    trained : Trained
        With the representation `Star`.
    items : sequence of Item
        Validation images.

    Returns
    -------
    dict
        ``prob_threshold``, of a few that with the highest mean average precision at IoU 0.5 and 0.75;
        ``calibration``, if anything is found at it.

    References
    ----------
    Weigert et al. 2020, doi:10.1109/WACV45572.2020.9093435 (thresholds chosen on validation images)
    """
    representation: Any = trained.representation
    star = replace(representation, prob_threshold=min(STAR_THRESHOLDS))
    truths, drawn, scores = [], [], []
    for item in items:
        if np.isfinite(item.diameter_px):
            scale = trained.config.object_diameter_px / item.diameter_px
            image, labels = middle(*rescale(item.image, item.labels, item.scales(scale)))
            stars = star.choose(star.find_stars(forward(trained.network, star, image, trained.config)))
            truths.append(labels)
            drawn.append(star.render(stars, labels.shape))
            scores.append(stars.scores)
    if not sum(map(len, scores)):
        return {}

    def above(threshold: float) -> list[NDArray[Any]]:
        """Leave out the less probable: they had no say in which others stay, nor in how these are drawn."""
        counts = [int((found >= threshold).sum()) for found in scores]
        return [np.where(labels <= n, labels, 0) for labels, n in zip(drawn, counts, strict=True)]

    def quality(threshold: float) -> float:
        return float(np.mean(average_precision(truths, above(threshold), THRESHOLDS[:2])))

    chosen = max(STAR_THRESHOLDS, key=quality)
    raw, matched = [], []
    for truth, labels, found in zip(truths, above(chosen), scores, strict=True):
        ids, partners, _ = match_each(truth, labels)
        raw.append(found[ids - 1])
        matched.append(partners > 0)
    calibration = Calibration.fit(np.concatenate(raw), np.concatenate(matched)) if sum(map(len, raw)) else None
    return {"prob_threshold": chosen} | ({} if calibration is None else {"calibration": calibration})


def fit_logistic(features: NDArray[np.float64], matched: NDArray[np.bool_], ridge: float = 1.0) -> tuple[float, ...]:
    """Fit a logistic regression with a small ridge by Newton's method.

    Parameters
    ----------
    features : ndarray of float, shape (n, k)
    matched : ndarray of bool, shape (n,)
    ridge : float
        Strength of the pull of the standardised weights towards 0.

    Returns
    -------
    tuple of float
        Intercept, then k weights, for the features as given.

    Examples
    --------
    >>> x = np.linspace(-2, 2, 400)[:, None]
    >>> intercept, weight = fit_logistic(x, x[:, 0] > 0)
    >>> bool(weight > 1 and abs(intercept) < 0.1)
    True
    """
    mean, spread = features.mean(0), features.std(0) + 1e-9
    x = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    penalty = ridge * np.eye(x.shape[1])
    penalty[0, 0] = 1e-6
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (p - matched) + penalty @ weights
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + penalty, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    slopes = weights[1:] / spread
    return (float(weights[0] - slopes @ mean), *(float(s) for s in slopes))


def pipeline_scores(model: Model, items: Sequence[Item]) -> dict[str, Any]:
    """Score a model on validation images as a user would run it: nothing set but what it must be told.

    The size of objects is estimated; a model that predicts no sizes is given the median diameter of each image.

    Parameters
    ----------
    model : Model
        The exported model.
    items : sequence of Item
        Validation images, never trained on.

    Returns
    -------
    dict
        Per set of images: ``images``, ``objects``, pooled ``ap50``, ``ap75``, ``ap90``; and ``score_error``, the
        expected calibration error of the scores over the images that did not fit them (every other one).
    """
    sets: Pairs = {}
    confidence, hits = [], []
    sized = model.spec.predicts_sizes
    for number, item in enumerate(items):
        part = _part(item, model)
        known = item.diameter_px if np.isfinite(item.diameter_px) else None
        diameter = (find_diameter(model, part) if sized else known) or model.spec.object_diameter_px
        found = segment_part(model, part, network_scale(diameter, model))
        sets.setdefault(item.name.split("/")[0], []).append((item.labels, found.labels))
        if number % 2:
            ids, partners, _ = match_each(item.labels, found.labels)
            confidence.append(found.scores[ids - 1])
            hits.append(partners > 0)
    result = _precision(sets)
    if confidence:
        from teasel.labels.metrics.calibration import expected_calibration_error

        error = expected_calibration_error(np.concatenate(confidence), np.concatenate(hits))
        result["score_error"] = round(float(error), 4)
    return result


def volume_scores(folder: Path, items: Sequence[Item]) -> dict[str, Any]:
    """Score a model of volumes on validation volumes, block by block as a user would run it.

    Parameters
    ----------
    folder : Path
        The exported model, with the representation affinity or semantic.
    items : sequence of Item
        Validation volumes, never trained on; where labels are -1 (unknown), what is found does not count.

    Returns
    -------
    dict
        Per set of volumes: ``images``, ``objects``, pooled ``ap50``, ``ap75``, ``ap90``.
    """
    sets: Pairs = {}
    for item in items:
        with _segmented(folder, item) as result:
            found = np.asarray(result["0"][...]).astype(np.int64)
        known = item.labels >= 0
        sets.setdefault(item.name.split("/")[0], []).append((item.labels * known, found * known))
    return _precision(sets)


def fit_merging(folder: Path, items: Sequence[Item]) -> dict[str, Any]:
    """Choose the affinity below which nothing is merged.

    Parameters
    ----------
    folder : Path
        The exported model, with the representation affinity.
    items : sequence of Item
        Validation volumes.

    Returns
    -------
    dict
        ``merge_threshold``: of a few, the one with the lowest variation of information, mean over the volumes.
    """
    from teasel.agglomeration import MergeTree
    from teasel.labels.metrics import variation_of_information

    totals = np.zeros(len(MERGE_THRESHOLDS))
    for item in items:
        with _segmented(folder, item) as result:
            kept = result["agglomeration"]
            tree = MergeTree(*(np.asarray(kept[name][...]) for name in ("ids", "pairs", "scores")))
            places = np.searchsorted(tree.ids, np.asarray(kept["supervoxels"][...]))
        truth = np.maximum(item.labels, 0)
        totals += [variation_of_information(truth, tree.cut(t)[places]).total for t in MERGE_THRESHOLDS]
    return {"merge_threshold": MERGE_THRESHOLDS[int(totals.argmin())]}


@contextmanager
def _segmented(folder: Path, item: Item) -> Iterator[Any]:
    """Segment a volume in memory as a file would be, and open the result."""
    import zarr

    from teasel.inference.volume import segment_volume

    with TemporaryDirectory() as name:
        np.save(Path(name) / "volume.npy", item.image[0])
        out = segment_volume(Path(name) / "volume.npy", Path(name) / "out.ome.zarr", folder.resolve(), axes="zyx")
        yield zarr.open_group(out, mode="r")


def _precision(sets: Pairs) -> dict[str, Any]:
    """Return counts and average precision of pairs of truth and prediction, per set."""
    result: dict[str, Any] = {}
    for name, pairs in sets.items():
        truth, prediction = zip(*pairs, strict=True)
        values = average_precision(truth, prediction, THRESHOLDS)
        result[name] = {"images": len(pairs), "objects": int(sum(len(np.unique(t[t > 0])) for t in truth))}
        result[name] |= {f"ap{round(100 * t)}": round(float(v), 4) for t, v in zip(THRESHOLDS, values, strict=True)}
    return result


def _part(item: Item, model: Model) -> Part:
    """Open an image in memory as a model wants it."""
    spec = model.spec
    if item.labels.ndim == 2:
        return Plane.of_array(item.image, spec.normalisation, apart=bool(spec.roles))
    image = open_image(item.image, axes="czyx")
    channels = tuple(range(len(item.image))) if "c" in image.axes else ()
    return Stack.of(image, {}, channels, spec.normalisation, item.anisotropy, apart=bool(spec.roles))
