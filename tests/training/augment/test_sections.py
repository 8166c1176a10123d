"""Faults of sections: single planes change, labels go on through them."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.training.augment import BlurredSections, DarkSections, MissingSections, Sample, ShiftedSections


def volume(depth: int = 8) -> Sample:
    rng = np.random.default_rng(0)
    image = rng.random((1, depth, 24, 20)).astype(np.float32)
    return Sample(image, np.ones((depth, 24, 20), np.int32))


def changed_planes(before: Sample, after: Sample) -> np.ndarray:
    return np.flatnonzero((before.image != after.image).any((0, 2, 3)))


@pytest.mark.parametrize(
    "change",
    [
        MissingSections(probability=1, sections=2),
        ShiftedSections(probability=1, sections=2, shift_px=5),
        BlurredSections(probability=1, sections=2),
    ],
    ids=lambda c: type(c).__name__,
)
def test_at_most_so_many_planes_change(change):
    before, counts = volume(), []
    for seed in range(12):
        after = change(before, np.random.default_rng(seed))
        counts.append(len(changed_planes(before, after)))
        assert after.labels is before.labels
    assert max(counts) == 2
    assert min(counts) >= 0


def test_missing_planes_are_neighbours_of_one_grey():
    before = volume()
    after = MissingSections(probability=1, sections=3, partial=0)(before, np.random.default_rng(3))
    planes = changed_planes(before, after)
    assert (np.diff(planes) == 1).all()
    assert len(np.unique(after.image[:, planes])) == 1


def test_a_shifted_plane_holds_the_same_pixels_elsewhere():
    before = volume()
    after = ShiftedSections(probability=1, sections=1, shift_px=3)(before, np.random.default_rng(1))
    (z,) = changed_planes(before, after)
    plane, moved = before.image[0, z], after.image[0, z]
    shifts = [(dy, dx) for dy in range(-3, 4) for dx in range(-3, 4)]
    inner = [np.array_equal(moved[3:-3, 3:-3], plane[3 + dy : 21 + dy, 3 + dx : 17 + dx]) for dy, dx in shifts]
    assert sum(inner) == 1


def test_every_plane_may_darken():
    before = volume()
    after = DarkSections(probability=1, share=(1, 1), brightness=(-0.2, -0.2), contrast=(1, 1))(
        before, np.random.default_rng(0)
    )
    np.testing.assert_allclose(after.image, before.image - 0.2, atol=1e-6)
