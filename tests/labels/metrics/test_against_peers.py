"""Scores equal those of the public implementations, or the numbers they gave.

``stardist`` is compared directly where it is installed; the golden numbers below were computed with stardist 0.9.2 and
scikit-image 0.26.0 on the same seeded arrays and hold without it.
"""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import pytest
from skimage.metrics import adapted_rand_error
from skimage.metrics import variation_of_information as skimage_voi

from teasel.labels.metrics import (
    adapted_rand,
    aggregated_jaccard,
    aggregated_jaccard_plus,
    average_precision,
    match,
    variation_of_information,
)
from tests.synthetic import random_labels, touching

LEVELS = (0.05, 0.1, 0.3, 0.4, 0.5, 0.55, 0.7, 0.75, 0.9, 1.0)


def _pairs() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Pairs of label images: unrelated, related, with gaps in the ids, empty, and covering everything."""
    rng = np.random.default_rng(0)
    pairs = []
    for seed in range(12):
        truth = random_labels((40, 50), 5 + 3 * seed, seed)
        pairs.append((f"unrelated {seed}", truth, random_labels((40, 50), 4 + 2 * seed, seed + 100)))
        moved = np.roll(truth, int(rng.integers(0, 4)), axis=int(rng.integers(2)))
        pairs.append((f"moved {seed}", truth, np.where(rng.random(truth.shape) < 0.1, 0, moved) * 3))
    full = np.repeat(np.repeat(np.arange(1, 26).reshape(5, 5), 8, axis=0), 8, axis=1)
    empty = np.zeros_like(full)
    pairs += [("full", full, np.roll(full, 3, axis=0)), ("halves", full, full * 2 + (np.arange(40) % 8 < 4))]
    pairs += [("no truth", empty, full), ("no prediction", full, empty)]
    volume = random_labels((10, 20, 22), 12, 7)
    return [*pairs, ("volume", volume, np.roll(volume, 2, axis=2))]


PAIRS = _pairs()


@pytest.mark.skipif(importlib.util.find_spec("stardist") is None, reason="stardist is not installed")
@pytest.mark.parametrize(("truth", "prediction"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_matching_equals_stardist(truth, prediction) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from stardist.matching import matching
    for level in LEVELS:
        ours, theirs = match(truth, prediction, level), matching(truth, prediction, level)
        assert (ours.tp, ours.fp, ours.fn) == (theirs.tp, theirs.fp, theirs.fn)
        assert ours.iou_sum == pytest.approx(theirs.mean_matched_score * theirs.tp, abs=1e-5)  # theirs is float32
        for name in ("precision", "recall", "accuracy", "f1"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name))
        assert ours.panoptic == pytest.approx(theirs.panoptic_quality, abs=1e-6)


@pytest.mark.skipif(importlib.util.find_spec("stardist") is None, reason="stardist is not installed")
def test_pooled_and_mean_equal_stardist() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from stardist.matching import matching_dataset
    truth, prediction = zip(*(p[1:] for p in PAIRS), strict=True)
    for pooled in (True, False):
        theirs = matching_dataset(truth, prediction, LEVELS, by_image=not pooled, show_progress=False)
        ours = average_precision(truth, prediction, LEVELS, pooled=pooled)
        assert ours == pytest.approx([row.accuracy for row in theirs])


GOLDEN = {  # tp, fp, fn and sum of IoU at 0.3, from stardist.matching.matching
    "moved 3": (0, 12, 12, 0.00000),
    "unrelated 5": (2, 10, 17, 0.63397),
    "moved 8": (22, 0, 0, 19.87841),
    "unrelated 11": (9, 14, 21, 3.94646),
    "full": (25, 0, 0, 11.36364),
    "halves": (25, 25, 0, 12.50000),
    "no truth": (0, 25, 0, 0.00000),
    "no prediction": (0, 0, 25, 0.00000),
    "volume": (0, 11, 11, 0.00000),
}


@pytest.mark.parametrize("name", list(GOLDEN))
def test_matching_equals_golden_numbers(name) -> None:
    truth, prediction = {p[0]: p[1:] for p in PAIRS}[name]
    ours = match(truth, prediction, 0.3)
    assert (ours.tp, ours.fp, ours.fn) == GOLDEN[name][:3]
    assert ours.iou_sum == pytest.approx(GOLDEN[name][3], abs=1e-4)


@pytest.mark.parametrize(("truth", "prediction"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
@pytest.mark.parametrize("background", [False, True])
def test_information_and_rand_equal_scikit_image(truth, prediction, background) -> None:
    ignored = () if background else (0,)
    if not background and not truth.any():
        assert variation_of_information(truth, prediction).total == 0
        assert adapted_rand(truth, prediction).error == 0
        return
    merge, split = skimage_voi(prediction, truth) if background else _skimage_voi_of_objects(truth, prediction)
    ours = variation_of_information(truth, prediction, background=background)
    assert (ours.split, ours.merge) == pytest.approx((split, merge), abs=1e-9)
    error, *swapped = adapted_rand_error(truth, prediction, ignore_labels=ignored)
    rand = adapted_rand(truth, prediction, background=background)
    assert (rand.error, rand.recall, rand.precision) == pytest.approx((error, *swapped))


def _skimage_voi_of_objects(truth: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    inside = truth > 0
    merge, split = skimage_voi(prediction[inside], truth[inside])
    return merge, split


def _jaccard_reference(truth: np.ndarray, prediction: np.ndarray, one_to_one: bool) -> float:
    """The definition, with dense matrices, as HoVer-Net computes it."""
    from scipy.optimize import linear_sum_assignment

    ids = [np.unique(side[side > 0]) for side in (truth, prediction)]
    inter = np.array([[np.sum((truth == i) & (prediction == j)) for j in ids[1]] for i in ids[0]], float)
    inter = inter.reshape(len(ids[0]), len(ids[1]))
    areas = [np.array([np.sum(side == i) for i in own]) for side, own in zip((truth, prediction), ids, strict=True)]
    union = areas[0][:, None] + areas[1][None, :] - inter
    iou = inter / union
    if one_to_one:
        rows, columns = linear_sum_assignment(-iou)
    else:
        rows = np.arange(len(ids[0]) if len(ids[1]) else 0)
        columns = iou.argmax(axis=1) if len(rows) else rows
    paired = iou[rows, columns] > 0
    rows, columns = rows[paired], columns[paired]
    alone = np.delete(areas[0], rows).sum() + np.delete(areas[1], columns).sum()
    return inter[rows, columns].sum() / (union[rows, columns].sum() + alone)


@pytest.mark.parametrize(("truth", "prediction"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_aji_equals_the_dense_definition(truth, prediction) -> None:
    assert aggregated_jaccard(truth, prediction) == pytest.approx(_jaccard_reference(truth, prediction, False))
    assert aggregated_jaccard_plus(truth, prediction) == pytest.approx(_jaccard_reference(truth, prediction, True))


def test_more_than_65535_objects() -> None:
    truth = np.zeros((600, 600), np.int32)
    truth[::2, ::2] = np.arange(1, 90_001).reshape(300, 300)
    shifted = np.where(truth > 0, truth + 10_000_000, 0)
    for level in (0.3, 0.5):
        assert match(truth, shifted, level).tp == 90_000


def test_speed_stays_near_linear() -> None:
    import time

    truth = touching((1000, 1000), 0, n=1300)
    prediction = np.roll(truth, 3, axis=1)
    start = time.perf_counter()
    average_precision([truth], [prediction])
    assert time.perf_counter() - start < 2  # 0.02 s where it was written
