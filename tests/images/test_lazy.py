from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teasel.errors import AxesError
from teasel.images.lazy import InMemory, LazyArray, View

ARRAY = np.arange(4 * 5 * 6).reshape(4, 5, 6)


def entries(n: int):
    bound = st.none() | st.integers(-n - 2, n + 2)
    return st.integers(-n, n - 1) | st.builds(slice, bound, bound, st.none() | st.sampled_from([1, 2, 3, -1, -2]))


KEYS = st.tuples(*(entries(n) for n in ARRAY.shape))


class Strict(LazyArray):
    """Refuses blocks that a file reader need not understand."""

    def __init__(self, array):
        super().__init__(array.shape, array.dtype)
        self.array = array

    def read_block(self, block):
        assert len(block) == self.ndim
        assert all(0 <= s.start < s.stop <= n and s.step is None for s, n in zip(block, self.shape, strict=True))
        return self.array[block]


@given(KEYS)
def test_indexing_is_numpys(key):
    np.testing.assert_array_equal(Strict(ARRAY)[key], ARRAY[key])
    np.testing.assert_array_equal(Strict(ARRAY)[key[:2]], ARRAY[key[:2]])
    np.testing.assert_array_equal(Strict(ARRAY)[key[0], ..., key[2]], ARRAY[key[0], ..., key[2]])


@given(st.permutations(range(3)), st.data())
def test_views_are_transposes(order, data):
    expected = ARRAY.transpose(order)
    key = data.draw(st.tuples(*(entries(n) for n in expected.shape)))
    np.testing.assert_array_equal(View(Strict(ARRAY), order)[key], expected[key])


def test_view_fixes_cuts_and_converts():
    view = View(Strict(ARRAY), (2, 1), fixed={0: 3}, limits={2: 4}, convert=lambda v: v / 2, dtype=float)
    np.testing.assert_array_equal(view, ARRAY[3, :, :4].T / 2)
    assert view.dtype == float


def test_values_are_new_and_native():
    big_endian = ARRAY.astype(">i4")
    values = InMemory(big_endian)[0]
    values[:] = 7
    assert values.dtype == np.dtype("i4")
    assert values.dtype.isnative
    assert big_endian[0, 0, 1] == 1


@pytest.mark.parametrize("key", [4, -5, (0, 5)])
def test_integers_outside(key):
    with pytest.raises(IndexError, match="outside"):
        InMemory(ARRAY)[key]


@pytest.mark.parametrize("key", [(0, 0, 0, 0), [1, 2], ARRAY > 3, (..., ...)])
def test_other_indices_are_refused(key):
    with pytest.raises(AxesError):
        InMemory(ARRAY)[key]


def test_threads_read_the_same():
    lazy, wrong = InMemory(ARRAY), []

    def read():
        wrong.extend(i for i in range(200) if not np.array_equal(lazy[i % 4], ARRAY[i % 4]))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
