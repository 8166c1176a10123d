from dataclasses import replace

import numpy as np
import pytest

from teasel.errors import ParameterError
from teasel.models import read_package
from teasel.representations import build
from teasel.training.adapt import AdaptConfig
from teasel.training.adapt.crops import AdaptCrops, encode_sparse
from tests.training.adapt.test_lessons import lesson
from tests.training.test_crops import item

CONFIG = AdaptConfig(crop_px=64, batch_size=4, replay_share=0.5)


@pytest.fixture
def crops(tiny_model):
    return AdaptCrops.build([lesson(0), lesson(1)], [item(0), item(1)], read_package(tiny_model).spec, CONFIG)


def test_a_crop_depends_on_its_number_alone(crops):
    for number in range(4):
        (a, targets), (b, again) = crops[number], crops[number]
        assert np.array_equal(a, b)
        assert all(np.array_equal(targets[k], again[k], equal_nan=True) for k in targets)
        assert a.shape == (3, 64, 64)


def test_half_of_the_crops_are_replayed(crops):
    none = replace(crops, config=replace(CONFIG, replay_share=0.0))
    same = [np.array_equal(crops[number][0], none[number][0]) for number in range(8)]
    assert same == [False, False, True, True] * 2


def test_some_crops_show_objects_far_from_their_usual_size(crops):
    def octaves(number):
        size = crops.lesson_crop(number)[1]["size"]
        return float(np.nanmedian(size)) if np.isfinite(size).any() else 0.0

    seen = np.abs([octaves(number) for number in range(30)])
    assert 1 <= (seen > 0.8).sum() < 12


def test_unknown_pixels_are_not_taught(crops):
    unknown = replace(lesson(0), labels=np.where(lesson(0).labels > 0, lesson(0).labels, -1))
    _, targets = replace(crops, lessons=[unknown]).lesson_crop(3)
    assert np.isnan(targets["foreground"]).any()
    assert (targets["foreground"][~np.isnan(targets["foreground"])] == 1).all()


def test_a_hint_teaches_middle_and_inside_and_nothing_else():
    hint = np.zeros((64, 64), np.float32)
    y, x = np.indices(hint.shape)
    central = 1 - np.hypot(y - 30, x - 30) / 12
    hint[central > 0.5] = central[central > 0.5]
    labels = np.full((64, 64), -1, np.int32)
    labels[:4] = 0
    fields = encode_sparse(build("hybrid", {}), labels, hint)
    assert fields["foreground"][0, 30, 30] == 1
    assert 0.8 < fields["centre"][0, 15, 15] <= 1
    assert np.isnan(fields["foreground"][0, 50, 50])
    assert (fields["foreground"][0, :4] == 0).all()
    for head in ("flow", "rays", "size"):
        assert np.isnan(fields[head]).all()
    assert np.isnan(fields["boundary"][0, 4:]).all()


def test_a_representation_without_these_heads_takes_no_hints():
    with pytest.raises(ParameterError, match="centre points need"):
        encode_sparse(build("affinity", {}), np.zeros((32, 32), np.int32), np.ones((32, 32), np.float32))


def test_the_crop_must_fit_the_network(tiny_model):
    with pytest.raises(ParameterError, match="multiples of 4"):
        AdaptCrops.build([lesson(0)], [item(0)], read_package(tiny_model).spec, replace(CONFIG, crop_px=66))
