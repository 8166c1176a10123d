import numpy as np
import pytest

from teasel.training.adapt.verdict import Scores, Trial, judge


def counts(hits, of=10, images=8, thresholds=6):
    """Each image holds `of` objects; `hits` are found, no more, no less: AP is hits / of."""
    hits = np.broadcast_to(hits, (images,))
    rows = np.stack([hits, 0 * hits, of - hits], 1)
    return np.repeat(rows[:, None], thresholds, 1)


OLD = Trial(counts(5), counts(6))


@pytest.mark.parametrize(
    ("held", "replay", "accepted", "words"),
    [
        (6, 6, True, "better: "),
        (6, 5, False, "not handed over, it may forget"),
        (5, 7, False, "not handed over, it is not surely better"),
        (4, 6, False, "not handed over, it is not surely better"),
        (4, 5, False, "not handed over, it is not surely better"),  # to allow more forgetting would be no help
        ([5, 5, 5, 5, 5, 5, 5, 9], 6, False, "not handed over, it is not surely better"),  # one lucky image
        ([6, 6, 6, 6, 6, 6, 6, 5], 6, True, "better: "),
        (6, [6, 6, 6, 6, 6, 6, 7, 5], False, "not handed over, it may forget"),  # no loss, but nobody can be sure
    ],
)
def test_surely_better_on_what_was_held_out_and_surely_no_worse_on_what_is_replayed(held, replay, accepted, words):
    new = Trial(counts(held), counts(replay))
    verdict = judge({0.0: OLD, 1.0: new}, 0.01, 80)
    assert verdict.accepted is accepted
    assert verdict.reason.startswith(words)
    assert f"0.500 -> {Scores.of(new.held_out).ap50:.3f}" in verdict.reason
    assert f"0.600 -> {Scores.of(new.replay).ap50:.3f}" in verdict.reason
    assert "80 objects" in verdict.reason
    assert ("--replay-tolerance" in verdict.reason) is ("may forget" in verdict.reason)


def test_a_rise_at_other_thresholds_is_not_enough_if_fewer_objects_are_found():
    new = counts(8)
    new[:, 0] = counts(4)[:, 0]
    assert not judge({0.0: OLD, 1.0: Trial(new, counts(6))}, 0.01, 80).accepted


def test_where_a_fall_at_half_overlap_cannot_be_ruled_out_nothing_is_handed_over():
    new = counts(8)
    new[:, 0] = counts([9, 9, 9, 9, 3, 3, 3, 3])[:, 0]  # no fewer found in all, but half of the images lose
    for forgotten in (0.01, 1.0):  # to allow more forgetting is not to allow that
        verdict = judge({0.0: Trial(counts(6), counts(6)), 1.0: Trial(new, counts(6))}, forgotten, 80)
        assert verdict.least_gain > 0
        assert not verdict.accepted


def test_of_several_the_surest_that_does_not_forget_is_chosen():
    candidates = {
        0.0: OLD,
        0.5: Trial(counts(6), counts(6)),
        0.75: Trial(counts(7), counts(6)),
        1.0: Trial(counts(9), counts(5)),
    }
    verdict = judge(candidates, 0.01, 80)
    assert verdict.share == 0.75
    assert verdict.accepted
    assert verdict.to_dict()["held_out_after"] == {"ap50": 0.7, "ap75": 0.7, "mean": 0.7}
    assert verdict.least_gain == pytest.approx(0.2)


def test_of_equals_the_one_nearest_to_the_old_model_wins():
    new = Trial(counts(7), counts(6))
    assert judge({0.0: OLD, 0.25: new, 0.5: new, 1.0: new}, 0.01, 80).share == 0.25
