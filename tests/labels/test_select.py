import numpy as np
import pytest

from teasel.labels import keep_objects


@pytest.mark.parametrize("start", [1, 7])
def test_kept_objects_are_numbered_in_their_order_and_the_input_stays(start):
    labels = np.array([[0, 3, 3], [1, 2, 0]], np.uint32)
    before = labels.copy()
    found = keep_objects(labels, np.array([True, False, True]), start)
    assert found.tolist() == [[0, start + 1, start + 1], [start, 0, 0]]
    assert found.dtype == np.uint32
    assert np.array_equal(labels, before)


def test_none_kept_is_background():
    assert not keep_objects(np.ones((2, 2), np.uint32), np.array([False])).any()
