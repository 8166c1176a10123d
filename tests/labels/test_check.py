"""What is accepted as a label image, and what is refused with which words."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import DataError, ShapeError
from teasel.labels import check_labels, smallest_dtype, to_smallest


def test_integers_come_back_uncopied() -> None:
    labels = np.array([[0, 3]], np.uint16)
    assert check_labels(labels) is labels


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_whole_floats_are_accepted(dtype) -> None:
    checked = check_labels(np.array([0, 2, -1], dtype))
    assert checked.dtype == np.int32
    assert checked.tolist() == [0, 2, -1]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([0.5]), "not whole"),
        (np.array([np.nan]), "NaN"),
        (np.array([2.0**24 + 2], np.float32), "exact only"),
        (np.array([True]), "bool mask"),
        (np.array([-2]), "-2"),
        (np.array([1j]), "complex"),
        (np.array(["a"]), "expected integers"),
        (np.array([2**63], np.uint64), "beyond int64"),
    ],
)
def test_others_are_refused_with_the_reason(values, words) -> None:
    with pytest.raises(DataError, match=words):
        check_labels(values)


def test_ignore_is_refused_where_it_means_nothing() -> None:
    with pytest.raises(DataError, match="prediction has the label -1"):
        check_labels([-1, 0], "prediction", ignore=False)


def test_a_number_is_no_image() -> None:
    with pytest.raises(ShapeError, match="single number"):
        check_labels(3)


@pytest.mark.parametrize(
    ("largest", "dtype"),
    [(0, "u1"), (255, "u1"), (256, "u2"), (65535, "u2"), (65536, "u4"), (2**32 - 1, "u4")],
)
def test_smallest_dtype_at_the_bounds(largest, dtype) -> None:
    assert smallest_dtype(largest) == np.dtype(dtype)
    assert to_smallest(np.array([largest])).tolist() == [largest]


@pytest.mark.parametrize("largest", [-1, 2**32])
def test_smallest_dtype_refuses_what_fits_nowhere(largest) -> None:
    with pytest.raises(DataError, match=str(largest)):
        smallest_dtype(largest)
