import numpy as np
import pytest

from teasel.errors import DataError
from teasel.training.adapt.lessons import Lesson, count_objects, split_lessons
from tests.synthetic import discs, render


def lesson(seed, shape=(128, 128), n=6):
    labels = discs(shape, n, 8, seed)
    return Lesson(f"l/{seed}", render(labels, seed)[None].astype(np.float32), labels, 16.0, np.zeros(shape, np.float32))


def test_about_the_wanted_share_is_held_out():
    lessons = [lesson(seed) for seed in range(12)]
    learned, held = split_lessons(lessons, 0.25, 0)
    assert len(learned) + len(held) == 12
    total = sum(count_objects(one.labels) for one in lessons)
    assert 0.15 < sum(count_objects(one.labels) for one in held) / total < 0.35
    assert not {one.name for one in learned} & {one.name for one in held}


def test_one_image_is_cut_so_that_a_part_is_held_out():
    whole = lesson(0, (256, 256), 20)
    learned, held = split_lessons([whole], 0.25, 0)
    assert learned
    assert held
    assert sum(one.labels.size for one in [*learned, *held]) <= whole.labels.size


def test_the_cut_spares_objects():
    labels = np.zeros((64, 256), np.int32)
    labels[10:50, 118:140] = 1  # in the way of a cut in the middle
    labels[10:50, 10:40] = 2
    labels[10:50, 200:240] = 3
    image = np.zeros((1, 64, 256), np.float32)
    learned, held = split_lessons([Lesson("a", image, labels, 30.0, np.zeros((64, 256), np.float32))], 0.3, 0)
    sizes = sorted(int((one.labels == k).sum()) for one in [*learned, *held] for k in np.unique(one.labels) if k)
    assert sizes == sorted(int((labels == k).sum()) for k in (1, 2, 3))


def test_too_little_to_judge_by_is_an_error():
    with pytest.raises(DataError, match="too few"):
        split_lessons([lesson(0, (64, 64), 1)], 0.25, 0)
