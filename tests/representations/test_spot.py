"""Points in, fields out, points back."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import ParameterError, ShapeError
from teasel.representations import PointRepresentation, Representation, build, find, names
from teasel.representations.spot import Spot

SHAPES = {2: (90, 120), 3: (14, 40, 50)}


def scattered(ndim: int, n: int = 60, seed: int = 0, apart: float = 3.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    points: list[np.ndarray] = []
    while len(points) < n:
        point = random.uniform(-0.49, np.array(SHAPES[ndim]) - 0.51)
        if all(np.linalg.norm(point - other) > apart for other in points):
            points.append(point)
    return np.array(points)


def by_place(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(points.round(3).T)]


@pytest.mark.parametrize("ndim", [2, 3])
def test_decoding_what_was_encoded_gives_the_points_back(ndim):
    points = scattered(ndim)
    kept = points.copy()
    fields = Spot().encode(points, SHAPES[ndim])
    found = Spot().decode(fields)
    np.testing.assert_array_equal(points, kept)
    np.testing.assert_allclose(by_place(found.positions_px), by_place(points), atol=1e-5)
    assert [fields[h.name].shape for h in Spot().heads(ndim)] == [(1, *SHAPES[ndim]), (ndim, *SHAPES[ndim])]
    assert all(field.dtype == np.float32 for field in fields.values())


@pytest.mark.parametrize("ndim", [2, 3])
def test_no_points_and_one_point(ndim):
    none = Spot().encode(np.zeros((0, ndim)), SHAPES[ndim])
    assert none["heat"].max() == 0
    assert len(Spot().decode(none).scores) == 0
    one = Spot().decode(Spot().encode(np.full((1, ndim), 5.3), SHAPES[ndim]))
    np.testing.assert_allclose(one.positions_px, np.full((1, ndim), 5.3), atol=1e-6)


def test_weights_scale_heat_and_unknown_points_are_left_out():
    points = np.array([[10.0, 10.0], [10.0, 40.0], [10.0, 70.0]])
    fields = Spot().encode(points, (20, 90), np.array([1.0, 0.4, np.nan]))
    assert fields["heat"][0, 10, 10] == 1
    assert fields["heat"][0, 10, 40] == pytest.approx(0.4)
    assert np.isnan(fields["heat"][0, 10, 70])
    assert not np.isnan(fields["heat"][0, 10, 80])
    assert not np.isnan(fields["offset"][0, 10, 10])
    assert np.isnan(fields["offset"][0, 10, 70])


def test_of_two_close_spots_the_more_probable_stays():
    positions = np.array([[5.0, 5.0], [5.0, 5.6], [20.0, 20.0]])
    found = Spot().resolve(positions, np.array([0.6, 0.9, 0.7]))
    np.testing.assert_array_equal(found.positions_px, positions[[1, 2]])


def test_renumbering_points_changes_nothing():
    points = scattered(2, seed=3, apart=1.5)
    fields = [Spot().encode(order, SHAPES[2]) for order in (points, points[::-1])]
    np.testing.assert_array_equal(fields[0]["heat"], fields[1]["heat"])


def test_scores_follow_the_fitted_weights():
    spot = Spot(score_weights=(1.0, 2.0), score_threshold=0.3)
    heat = np.array([0.2, 0.5, 0.9])
    scores = spot.score_of(heat)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-(1 + 2 * np.log(heat / (1 - heat))))))
    assert spot.score_of(np.array([spot.lowest_heat]))[0] == pytest.approx(0.3)


def test_it_is_found_by_name_but_not_listed_among_those_of_labels():
    assert find("spot") is Spot
    assert issubclass(Spot, PointRepresentation)
    assert build("spot", {"score_weights": [0.5, 1.5]}).score_weights == (0.5, 1.5)
    assert "spot" not in names()
    assert all(issubclass(find(name), Representation) for name in names())


def test_wrong_values_are_refused():
    with pytest.raises(ShapeError):
        Spot().encode(np.zeros((3, 3)), (10, 10))
    with pytest.raises(ShapeError):
        Spot().encode(np.zeros((3, 2)), (10, 10), np.ones(2))
    with pytest.raises(ParameterError):
        Spot().encode(np.full((1, 2), np.nan), (10, 10))
    with pytest.raises(ParameterError):
        Spot(heat_sigma_px=0)
    with pytest.raises(ParameterError):
        Spot(score_threshold=1.5)
