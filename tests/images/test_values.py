from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import DataError
from teasel.images import finite


def test_finite_values_are_left_alone():
    for array in (np.zeros((3, 3)), np.zeros((3, 3), np.uint8), np.zeros((2, 2), bool)):
        values, note = finite(array)
        assert values is array
        assert note is None


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_others_become_the_smallest(dtype):
    array = np.array([[np.nan, 2], [np.inf, 5], [-np.inf, 3]], dtype)
    before = array.copy()
    values, note = finite(array)
    np.testing.assert_array_equal(values, [[2, 2], [2, 5], [2, 3]])
    assert values.dtype == np.dtype(dtype)
    assert note is not None
    assert note.startswith("3 of 6 values")
    np.testing.assert_array_equal(array, before)


def test_nothing_finite():
    with pytest.raises(DataError, match="all 4 values"):
        finite(np.full((2, 2), np.nan))
