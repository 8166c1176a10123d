"""Pairs of true and found spots: as many as possible, then as near as possible."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from teasel.errors import ParameterError, ShapeError
from teasel.spatial.matching import match_spots


def slow(true, found, distance):
    """One assignment problem over everything."""
    away = cdist(true, found)
    cost = np.where(away <= distance, away / distance - (min(len(true), len(found)) + 1), 0.0)
    rows, columns = linear_sum_assignment(cost)
    real = away[rows, columns] <= distance
    return real.sum(), away[rows, columns][real].sum()


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_groups_of_neighbours_give_what_the_whole_problem_gives(ndim, seed):
    random = np.random.default_rng(seed)
    true = random.random((80, ndim)) * 30
    found = np.concatenate([true[:60] + random.normal(0, 1.2, (60, ndim)), random.random((30, ndim)) * 30])
    agreement = match_spots(true, found)
    n, total = slow(true, found, 3.0)
    assert len(agreement.pairs) == n
    assert agreement.distances_px.sum() == pytest.approx(total)
    assert agreement.f1 == pytest.approx(2 * n / 170)
    assert agreement.right.sum() == n


def test_a_near_pair_gives_way_where_that_makes_two():
    true, found = np.array([[0.0, 0.0], [0.0, 2.0]]), np.array([[0.0, 1.9], [0.0, 4.5]])
    assert match_spots(true, found).pairs.tolist() == [[0, 0], [1, 1]]


def test_nothing_to_pair():
    empty = np.zeros((0, 2))
    assert np.isnan(match_spots(empty, empty).f1)
    assert match_spots(empty, np.ones((3, 2))).f1 == 0
    with pytest.raises(ShapeError):
        match_spots(empty, np.zeros((1, 3)))
    with pytest.raises(ParameterError):
        match_spots(empty, empty, distance_px=0)
