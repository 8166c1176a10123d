import pytest

from teasel.training.adapt.steadiness import Steadiness, judge_steadiness

OLD = Steadiness(0.6, 50, 0.95, 0.9)


def test_the_steadiest_of_those_that_forget_nothing_is_chosen():
    rows = {0.0: OLD, 0.5: Steadiness(0.7, 50, 0.95, 0.9), 1.0: Steadiness(0.8, 50, 0.95, 0.8)}
    verdict = judge_steadiness(rows, 0.01, 3)
    assert (verdict.accepted, verdict.share) == (True, 0.5)
    assert "0.600 -> 0.700" in verdict.reason


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (Steadiness(0.6, 50, 0.95, 0.9), "no more consistent"),
        (Steadiness(0.8, 20, 0.95, 0.9), "misses what it found"),
        (Steadiness(0.61, 50, 0.95, 0.9), "no more consistent"),
        (Steadiness(0.8, 50, 0.95, 0.88), "forgets"),
        (Steadiness(0.8, 50, 0.7, 0.9), "misses what it found"),
    ],
)
def test_what_is_no_better_stays(new, why):
    verdict = judge_steadiness({0.0: OLD, 1.0: new}, 0.01, 3)
    assert not verdict.accepted
    assert why in verdict.reason
