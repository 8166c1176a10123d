import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teasel.errors import ParameterError, ShapeError
from teasel.labels import is_connected, pair_nuclei
from teasel.training.simulation import simulate
from tests.synthetic import touching


def consistent(found):
    """Every pixel of a nucleus lies in its cell, or outside of all."""
    owner = np.r_[0, found.cell_of][found.nuclei]
    inside = found.nuclei > 0
    return np.array_equal(owner[inside], found.cells[inside])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.integers(-9, 9), ndim=st.sampled_from([2, 3]))
def test_nuclei_and_cells_agree_whatever_is_given(seed, shift, ndim):
    shape = (48, 52) if ndim == 2 else (12, 24, 26)
    cells = touching(shape, seed, n=9)
    nuclei = np.roll(touching(shape, seed + 1, n=14), shift, axis=-1)
    nuclei = np.where(np.random.default_rng(seed).random(15)[nuclei] < 0.6, nuclei, 0)
    from teasel.representations.cleaning import clean

    nuclei, cells = clean(nuclei), clean(cells)
    before = nuclei.copy(), cells.copy()
    found = pair_nuclei(nuclei, cells)
    assert consistent(found)
    assert is_connected(found.nuclei)
    assert is_connected(found.cells)
    n, m = len(found.cell_of), int(cells.max())
    np.testing.assert_array_equal(np.unique(found.nuclei[found.nuclei > 0]), np.arange(1, n + 1))
    assert set(np.unique(found.cells)) - {0} == set(range(1, m + 1))
    np.testing.assert_array_equal(found.n_nuclei, np.bincount(found.cell_of, minlength=m + 1)[1:])
    for cell in found.cells_without_nucleus:
        assert not np.any(found.nuclei[found.cells == cell])
    for nucleus in found.nuclei_without_cell:
        assert not np.any(found.cells[found.nuclei == nucleus])
    np.testing.assert_array_equal(before[0], nuclei)
    np.testing.assert_array_equal(before[1], cells)


def test_simulated_truth_is_left_as_it_is():
    scene = simulate("tissue", size_px=160, seed=2)
    ids = np.unique(scene.nuclei[scene.nuclei > 0])
    number = np.zeros(scene.labels.max() + 1, np.int32)
    number[ids] = np.arange(1, len(ids) + 1)
    found = pair_nuclei(number[scene.nuclei], scene.labels)
    np.testing.assert_array_equal(found.cells, scene.labels)
    np.testing.assert_array_equal(found.cell_of, ids)
    np.testing.assert_array_equal(found.cells_without_nucleus, np.setdiff1d(np.arange(1, scene.labels.max() + 1), ids))


def test_a_cell_with_two_nuclei_names_the_larger():
    cells = np.ones((6, 9), int)
    nuclei = np.zeros((6, 9), int)
    nuclei[1, 1], nuclei[3:5, 5:8] = 1, 2
    found = pair_nuclei(nuclei, cells)
    assert (found.nucleus_of.tolist(), found.n_nuclei.tolist(), found.nuclear_area_px.tolist()) == ([2], [2], [7])


def test_a_nucleus_mostly_outside_has_no_cell():
    cells = np.array([[1, 1, 0, 0, 0]])
    nuclei = np.array([[0, 1, 1, 1, 0]])
    found = pair_nuclei(nuclei, cells)
    assert found.nuclei_without_cell.tolist() == [1]
    assert found.nuclei.tolist() == [[0, 0, 1, 1, 0]]
    assert pair_nuclei(nuclei, cells, least_share=0.3).cells.tolist() == [[1, 1, 1, 1, 0]]


def test_no_nuclei_and_no_cells():
    nothing = np.zeros((4, 5), np.uint32)
    found = pair_nuclei(nothing, nothing)
    assert len(found.cell_of) == len(found.n_nuclei) == 0
    assert pair_nuclei(nothing + 1, nothing).nuclei_without_cell.tolist() == [1]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="same field"):
        pair_nuclei(np.zeros((3, 3), int), np.zeros((3, 4), int))
    with pytest.raises(ParameterError, match="least_share"):
        pair_nuclei(np.zeros((3, 3), int), np.zeros((3, 3), int), least_share=0)
