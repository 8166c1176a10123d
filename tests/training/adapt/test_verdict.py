import pytest

from teasel.training.adapt.verdict import Scores, judge

NAMES = ("held-out crops", "replayed scenes")
OLD = Scores(0.6, 0.4, 0.5)


@pytest.mark.parametrize(
    ("held", "replay", "accepted", "words"),
    [
        (Scores(0.7, 0.4, 0.55), Scores(0.6, 0.4, 0.5), True, "better: "),
        (Scores(0.7, 0.4, 0.55), Scores(0.595, 0.2, 0.3975), True, "better: "),
        (Scores(0.7, 0.4, 0.55), Scores(0.58, 0.4, 0.49), False, "not handed over, it forgets"),
        (Scores(0.59, 0.9, 0.745), Scores(0.6, 0.4, 0.5), False, "not handed over, it is not better"),
        (Scores(0.6, 0.4, 0.5), Scores(0.7, 0.4, 0.55), False, "not handed over, it is not better"),
        (Scores(0.6, 0.5, 0.55), Scores(0.6, 0.4, 0.5), True, "better: "),
    ],
)
def test_better_on_what_was_held_out_and_no_worse_on_what_is_replayed(held, replay, accepted, words):
    verdict = judge({0.0: (OLD, OLD), 1.0: (held, replay)}, 0.01, 25, NAMES)
    assert verdict.accepted is accepted
    assert verdict.reason.startswith(words)
    assert f"0.600 -> {held.ap50:.3f}" in verdict.reason
    assert f"0.600 -> {replay.ap50:.3f}" in verdict.reason
    assert "25 objects" in verdict.reason


def test_of_several_the_best_that_does_not_forget_is_chosen():
    candidates = {
        0.0: (OLD, OLD),
        0.5: (Scores(0.65, 0.45, 0.55), Scores(0.6, 0.4, 0.5)),
        0.75: (Scores(0.68, 0.45, 0.565), Scores(0.595, 0.4, 0.4975)),
        1.0: (Scores(0.8, 0.6, 0.7), Scores(0.5, 0.4, 0.45)),
    }
    verdict = judge(candidates, 0.01, 25, NAMES)
    assert verdict.share == 0.75
    assert verdict.accepted
    assert verdict.to_dict()["held_out_after"] == {"ap50": 0.68, "ap75": 0.45, "mean": 0.565}


def test_of_equals_the_one_nearest_to_the_old_model_wins():
    new = (Scores(0.7, 0.5, 0.6), OLD)
    assert judge({0.0: (OLD, OLD), 0.25: new, 0.5: new, 1.0: new}, 0.01, 25, NAMES).share == 0.25
