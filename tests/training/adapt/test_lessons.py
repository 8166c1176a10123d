import numpy as np
import pytest

from teasel.errors import DataError
from teasel.training.adapt.lessons import Lesson, count_objects, deal, part_lessons
from tests.synthetic import discs, render


def lesson(seed, shape=(128, 128), n=6, source=""):
    labels = discs(shape, n, 8, seed)
    image = render(labels, seed)[None].astype(np.float32)
    return Lesson(f"l/{seed}", image, labels, 16.0, hint=np.zeros(shape, np.float32), source=source or f"l/{seed}")


def test_each_part_judges_once_and_folds_hold_about_as_many_objects():
    parts = part_lessons([lesson(seed) for seed in range(12)])
    folds = deal(parts, 3, 0)
    assert sorted(k for fold in folds for k in fold) == list(range(12))
    sizes = [sum(count_objects(parts[k].labels) for k in fold) for fold in folds]
    assert max(sizes) <= 1.3 * min(sizes)
    assert folds != deal(parts, 3, 1)


def test_what_is_learned_from_an_image_is_not_judged_by_it():
    parts = [lesson(seed, source=f"image {seed // 3}") for seed in range(12)]
    folds = deal(parts, 3, 0)
    assert len(folds) == 3
    for fold in folds:
        others = {parts[k].source for k in range(12) if k not in fold}
        assert not others & {parts[k].source for k in fold}


def test_of_two_images_parts_judge():
    folds = deal(part_lessons([lesson(0, n=12), lesson(1, n=12)]), 3, 0)
    assert len(folds) == 3


def test_one_image_is_shared_out_and_keeps_its_surroundings():
    whole = lesson(0, (256, 256), 20)
    parts = part_lessons([whole])
    assert len(parts) == 6
    assert all(part.image is whole.image for part in parts)
    known = np.stack([part.labels >= 0 for part in parts]).sum(0)
    assert (known <= 1).all()
    joined = np.max([part.labels for part in parts], axis=0)
    assert np.array_equal(np.maximum(joined, 0), whole.labels)  # each object is in one part, whole
    assert (known[whole.labels == 0] == 1).all()


def test_too_little_to_judge_by_is_an_error():
    with pytest.raises(DataError, match="too few"):
        part_lessons([lesson(0, (64, 64), 1)])
