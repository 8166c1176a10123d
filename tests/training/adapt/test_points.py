import numpy as np

from teasel.training.adapt.points import place_points


def test_a_point_accepts_the_object_under_it():
    predicted = np.zeros((20, 20), int)
    predicted[2:8, 2:8] = 5
    known = np.full((20, 20), -1, np.int32)
    labels, hint = place_points(known, np.array([[4.0, 4.0]]), predicted, 6.0)
    assert np.array_equal(labels > 0, predicted == 5)
    assert not hint.any()
    assert (known == -1).all()


def test_two_points_share_an_object_out():
    predicted = np.zeros((20, 20), int)
    predicted[5:15, 2:18] = 1
    labels, _ = place_points(np.full((20, 20), -1, np.int32), np.array([[10.0, 5], [10, 15]]), predicted, 8.0)
    assert (labels[5:15, 2:10] == 1).all()
    assert (labels[5:15, 11:18] == 2).all()


def test_a_point_on_nothing_is_a_hint():
    known = np.zeros((30, 30), np.int32)
    labels, hint = place_points(known, np.array([[15.0, 15.0]]), np.zeros((30, 30), int), 12.0)
    assert hint[15, 15] == 1
    assert hint.astype(bool).sum() < np.pi * 4**2  # well inside an object of 12 px
    assert (labels[hint > 0] == -1).all()
    assert (labels[hint == 0] == 0).all()


def test_a_point_in_an_outlined_object_changes_nothing():
    known = np.full((10, 10), -1, np.int32)
    known[2:6, 2:6] = 3
    labels, hint = place_points(known, np.array([[3.0, 3.0]]), np.zeros((10, 10), int), 4.0)
    assert np.array_equal(labels, known)
    assert not hint.any()
