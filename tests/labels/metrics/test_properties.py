"""What every score must obey, on random labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.labels.metrics import (
    THRESHOLDS,
    adapted_rand,
    aggregated_jaccard,
    aggregated_jaccard_plus,
    area_bias,
    average_precision,
    boundary_f,
    boundary_iou,
    count_objects,
    ctc_det,
    ctc_seg,
    evaluate,
    match,
    match_each,
    overlap,
    panoptic_quality,
    recall_by_size,
    variation_of_information,
)
from teasel.labels.metrics.measures import list_measures
from tests.synthetic import discs, random_labels, touching

pairs = st.builds(
    lambda seed, n, m, shape: (random_labels(shape, n, seed), random_labels(shape, m, seed + 1)),
    st.integers(0, 10_000),
    st.integers(0, 12),
    st.integers(0, 12),
    st.sampled_from([(60,), (14, 17), (5, 8, 9)]),
)
some = settings(max_examples=40, deadline=None)
BEST_IS_ZERO = ("voi_split", "voi_merge", "rand_error", "count_error", "count_error_absolute")


def _scores(truth, prediction) -> dict[str, float]:
    return evaluate(truth, prediction, thresholds=(0.1, 0.5, 0.75)).pooled


def _has_halves(truth, prediction) -> bool:
    return bool(np.any(overlap(truth, prediction).iou == 0.5))


@some
@given(pairs, st.integers(0, 1000))
def test_names_and_order_of_objects_do_not_matter(pair, seed) -> None:
    truth, prediction = pair
    rng = np.random.default_rng(seed)
    renamed = [np.concatenate([[0], rng.permutation(10_000)[: x.max()] + 1])[x] for x in pair]
    mirrored = [x[..., ::-1] for x in renamed]
    first, second, third = (_scores(*p) for p in ((truth, prediction), renamed, mirrored))
    for name, value in first.items():
        if name == "aji" or (name == "boundary_iou" and _has_halves(truth, prediction)):
            continue  # the lowest label among equals decides
        assert second[name] == pytest.approx(value, nan_ok=True), name
        assert third[name] == pytest.approx(value, nan_ok=True), name


@some
@given(pairs)
def test_truth_and_prediction_change_places(pair) -> None:
    there, back = _scores(*pair), _scores(*pair[::-1])
    same = ("ap_mean", "ap@0.1", "ap@0.5", "f1@0.5", "pq@0.5", "aji_plus", "boundary_f", "boundary_iou")
    for name in same:
        if name == "boundary_iou" and _has_halves(*pair):
            continue
        assert there[name] == pytest.approx(back[name], nan_ok=True), name
    assert there["precision@0.1"] == pytest.approx(back["recall@0.1"])
    whole = [variation_of_information(*p, background=True) for p in (pair, pair[::-1])]
    assert whole[0].split == pytest.approx(whole[1].merge, abs=1e-9)
    rand = [adapted_rand(*p, background=True) for p in (pair, pair[::-1])]
    assert rand[0].precision == pytest.approx(rand[1].recall)


@some
@given(pairs)
def test_an_image_equals_itself(pair) -> None:
    scores = _scores(pair[0], pair[0])
    for name, value in scores.items():
        if not name.startswith("n_") and not np.isnan(value):
            assert value == pytest.approx(0 if name in BEST_IS_ZERO else 1, abs=1e-9), name


@some
@given(pairs)
def test_stricter_thresholds_never_find_more(pair) -> None:
    found = [match(*pair, threshold).tp for threshold in (0.01, 0.1, 0.2, 0.3, 0.4, *THRESHOLDS, 1.0)]
    assert found == sorted(found, reverse=True)
    precision = average_precision([pair[0]], [pair[1]])
    assert list(precision) == sorted(precision, reverse=True)


@some
@given(pairs)
def test_scores_stay_in_their_range(pair) -> None:
    for name, value in _scores(*pair).items():
        if not name.startswith(("n_", "voi", "count")) and not np.isnan(value):
            assert 0 <= value <= 1 + 1e-12, name


@some
@given(pairs, st.sampled_from([0.05, 0.2, 0.35, 0.5, 0.6]))
def test_matching_equals_the_dense_assignment(pair, threshold) -> None:
    table = overlap(*pair)
    n, m = len(table.truth_ids), len(table.prediction_ids)
    iou = np.zeros((n, m))
    iou[table.rows, table.columns] = table.iou
    rows, columns = linear_sum_assignment((iou >= threshold) + iou / (2 * max(1, min(n, m))), maximize=True)
    matched = iou[rows, columns][iou[rows, columns] >= threshold]
    ours = match(*pair, threshold)
    assert ours.tp == len(matched)
    assert ours.iou_sum == pytest.approx(matched.sum())


@some
@given(pairs)
def test_overlap_equals_counting(pair) -> None:
    table = overlap(*pair)
    for k in range(len(table.rows)):
        i, j = table.truth_ids[table.rows[k]], table.prediction_ids[table.columns[k]]
        assert table.pixels[k] == np.sum((pair[0] == i) & (pair[1] == j))
    assert table.pixels.sum() == np.sum((pair[0] > 0) & (pair[1] > 0))
    assert table.truth_area.tolist() == [np.sum(pair[0] == i) for i in table.truth_ids]
    rows, columns, pixels = table.joint(background=True)
    assert pixels.sum() == pair[0].size
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == len(rows)


def test_empty_images() -> None:
    empty, full = np.zeros((6, 7), int), np.ones((6, 7), int)
    both, made_up, missed = _scores(empty, empty), _scores(empty, full), _scores(full, empty)
    undefined = ("boundary_iou",)
    for name in ("ap_mean", "ap@0.5", "f1@0.5", "precision@0.5", "recall@0.5", "pq@0.5", "aji", "seg", "det"):
        assert (both[name], made_up[name], missed[name]) == (1, 0, 0), name
    for name in undefined:
        assert np.isnan([both[name], made_up[name], missed[name]]).all()
    assert both["voi_split"] == both["rand_error"] == both["count_error"] == 0
    assert np.isnan(made_up["count_error"])
    assert missed["count_error"] == -1
    assert average_precision([empty, full], [empty, full], [0.5]).tolist() == [1]
    assert average_precision([empty, full], [empty, empty], [0.5]).tolist() == [0]
    assert average_precision([empty, full], [empty, empty], [0.5], pooled=False).tolist() == [0.5]


def test_ignored_pixels_leave_both_images() -> None:
    truth = touching((40, 40), 0)
    prediction = np.roll(truth, 2, axis=1)
    unjudged = np.zeros(truth.shape, bool)
    unjudged[:, 25:] = True
    marked = np.where(unjudged, -1, truth)
    ids, areas = np.unique(prediction, return_counts=True)
    outside = [np.sum((prediction == i) & unjudged) for i in ids]
    dropped = [i for i, a, o in zip(ids, areas, outside, strict=True) if o > 0.5 * a]
    assert dropped
    cut = np.where(unjudged | np.isin(prediction, dropped), 0, prediction)
    rest = np.where(unjudged, 0, truth)
    for level in (0.2, 0.5, 0.75):
        assert match(marked, prediction, level) == match(rest, cut, level)
    assert variation_of_information(marked, prediction) == variation_of_information(rest, cut)
    kept = (~unjudged).ravel()
    assert adapted_rand(marked, prediction, background=True) == adapted_rand(
        rest.ravel()[kept], cut.ravel()[kept], background=True
    )
    assert count_objects(marked, prediction).prediction == len(np.unique(cut)) - 1


def test_half_ignored_predictions_stay_and_border_no_outline() -> None:
    truth = np.array([[1, 1, -1, -1]] * 4)
    prediction = np.array([[1, 1, 1, 1]] * 4)
    assert match(truth, prediction) == match(np.ones(3, int), np.ones(3, int))  # exactly half: stays, cut to size
    assert boundary_f(truth, prediction).f == 1
    assert boundary_iou(truth, prediction).mean == 1


def test_inputs_stay_as_they_are() -> None:
    truth, prediction = random_labels((20, 20), 6, 0), random_labels((20, 20), 6, 1)
    for array in (truth, prediction):
        array.setflags(write=False)
    evaluate(truth, prediction, bootstrap=10)


def test_blocks_solved_dense_and_sparse_agree(monkeypatch) -> None:
    truth = touching((80, 80), 0, n=150)
    prediction = touching((80, 80), 1, n=170)
    dense = [match(truth, prediction, 0.2), aggregated_jaccard_plus(truth, prediction)]
    monkeypatch.setattr("teasel.labels.metrics.assignment._LARGEST_DENSE", 0)
    sparse = [match(truth, prediction, 0.2), aggregated_jaccard_plus(truth, prediction)]
    assert dense[0].tp == sparse[0].tp
    assert dense[0].iou_sum == pytest.approx(sparse[0].iou_sum)
    assert dense[1] == pytest.approx(sparse[1])


def test_ious_at_a_threshold_count_as_found() -> None:
    truth = np.array([1] * 5)
    prediction = np.array([1] * 3 + [0] * 2)
    assert match(truth, prediction, 0.6).tp == 1  # 3 / 5, which 0.6000000000000001 would refuse
    assert match(truth, prediction, THRESHOLDS[2]).tp == 1
    halves = match(np.array([1, 1, 2, 2]), np.array([3, 4, 4, 4]), 0.5)  # two ways to pair at exactly one half
    assert (halves.tp, halves.fp, halves.fn) == (2, 0, 0)


def test_which_prediction_is_right() -> None:
    truth = discs((60, 60), 6, 6, 0)
    prediction = np.where(truth == 2, 0, truth * 10)
    prediction[0, 0] = 999
    ids, partner, iou = match_each(truth, prediction)
    assert ids[-1] == 999
    assert partner.tolist() == [*(ids[:-1] // 10), 0]
    assert iou.tolist() == [1] * (len(ids) - 1) + [0]


def test_seg_and_det_of_a_worked_case() -> None:
    #           found  merged    split        missed
    truth = [1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5, 0]
    found = [1, 1, 1, 2, 2, 2, 2, 4, 4, 6, 6, 0, 7]
    # 1: 3/3; 2 and 3: 2/4 each; 4: neither half covers more than half of it; 5: none
    assert ctc_seg(truth, found) == pytest.approx((1 + 0.5 + 0.5) / 5)
    # one split (5), objects 4 and 5 missed (20), 4, 6 and 7 made up (3), of 50
    assert ctc_det(truth, found) == pytest.approx(1 - 28 / 50)


def test_jaccard_lets_one_prediction_serve_twice_only_in_aji() -> None:
    truth, merged = [1, 1, 1, 2, 2], [7, 7, 7, 7, 7]
    assert aggregated_jaccard(truth, merged) == pytest.approx(5 / 10)
    assert aggregated_jaccard_plus(truth, merged) == pytest.approx(3 / 7)


def test_quality_is_a_product() -> None:
    truth, prediction = touching((40, 40), 0), np.roll(touching((40, 40), 0), 2, axis=0)
    result = panoptic_quality(truth, prediction)
    assert result.pq == pytest.approx(result.dq * result.sq)


def test_boundaries_within_reach() -> None:
    truth = np.pad(discs((50, 50), 3, 8, 0), 4)
    moved = np.roll(truth, 2, axis=0)
    assert boundary_f(truth, moved, 2).f == 1
    assert boundary_f(truth, moved, 0).f < 0.4
    assert boundary_iou(truth, moved, 1).mean < boundary_iou(truth, moved, 4).mean
    assert boundary_iou(truth, moved, 50).mean == pytest.approx(match(truth, moved).mean_iou)


def test_sizes() -> None:
    truth = discs((80, 80), 10, 5, 0)
    larger = np.where(np.roll(truth, 1, axis=0) > truth, np.roll(truth, 1, axis=0), truth)
    assert area_bias(truth, larger) > 0.1
    assert np.isnan(area_bias(truth, np.zeros_like(truth)))
    recall, n = recall_by_size(truth, truth, [0, 10, 1000])
    assert n.tolist()[1] > 5
    assert recall[1] == 1


def test_errors_say_what_came() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 3\).*\(3, 2\)"):
        match(np.zeros((2, 3), int), np.zeros((3, 2), int))
    with pytest.raises(DataError, match="prediction has the label -1"):
        match([0, 1], [-1, 1])
    for threshold in (0, -0.1, 1.1, float("nan")):
        with pytest.raises(ParameterError, match="above 0"):
            match([0, 1], [0, 1], threshold)
    with pytest.raises(ShapeError, match="as many"):
        average_precision([[1]], [])
    with pytest.raises(ParameterError, match="1 or more"):
        boundary_iou([1], [1], 0)
    with pytest.raises(ParameterError, match="0 or more"):
        boundary_f([1], [1], -1)


def test_every_measure_has_its_own_name() -> None:
    names = [m.name for m in list_measures(THRESHOLDS)]
    assert len(set(names)) == len(names)
