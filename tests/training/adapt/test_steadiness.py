import pytest

from teasel.training.adapt.steadiness import Steadiness, judge_steadiness
from tests.training.adapt.test_verdict import counts

SCENES, WORSE = counts(9), counts(8)
OLD = Steadiness([0.6] * 8, 50, 0.95, SCENES)


def test_the_steadiest_of_those_that_forget_nothing_is_chosen():
    rows = {0.0: OLD, 0.5: Steadiness([0.7] * 8, 50, 0.95, SCENES), 1.0: Steadiness([0.8] * 8, 50, 0.95, WORSE)}
    verdict = judge_steadiness(rows, 0.01)
    assert (verdict.accepted, verdict.share) == (True, 0.5)
    assert "0.600 -> 0.700" in verdict.reason


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (Steadiness([0.6] * 8, 50, 0.95, SCENES), "no more consistent"),
        (Steadiness([0.8] * 8, 20, 0.95, SCENES), "misses what it found"),
        (Steadiness([0.61] * 8, 50, 0.95, SCENES), "no more consistent"),
        (Steadiness([0.9] + [0.59] * 7, 50, 0.95, SCENES), "no more consistent"),  # one lucky image
        (Steadiness([0.8] * 8, 50, 0.95, WORSE), "may forget"),
        (Steadiness([0.8] * 8, 50, 0.7, SCENES), "misses what it found"),
    ],
)
def test_what_is_no_better_stays(new, why):
    verdict = judge_steadiness({0.0: OLD, 1.0: new}, 0.01)
    assert not verdict.accepted
    assert why in verdict.reason
