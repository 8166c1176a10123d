"""Local shape descriptors against sums over all pixels."""

import numpy as np
import pytest

from teasel.errors import ParameterError
from teasel.training.descriptors import local_shape_descriptors, n_descriptors


def _by_sums(labels, sigma, place):
    """Describe the object at a place by weighing each of its pixels."""
    away = np.argwhere(labels == labels[place]) - np.array(place)
    weight = np.exp(-0.5 * ((away / sigma) ** 2).sum(1))
    centre = (weight[:, None] * away).sum(0) / weight.sum()
    rest = away - centre
    spread = np.einsum("n,na,nb->ab", weight, rest, rest) / weight.sum()
    pairs = [(a, b) for a in range(labels.ndim) for b in range(a + 1, labels.ndim)]
    return [
        *(0.5 + centre / sigma / 4),
        *(np.diag(spread) / sigma**2),
        *(0.5 + 0.5 * spread[a, b] / np.sqrt(spread[a, a] * spread[b, b]) for a, b in pairs),
        weight.sum() / np.prod(sigma * np.sqrt(2 * np.pi)),
    ]


@pytest.mark.parametrize("sigma", [(2.0, 3.0), (1.0, 2.0, 4.0)])
def test_they_equal_sums_over_all_pixels(sigma):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (4,) * len(sigma)).repeat(3, 0).repeat(4, 1)
    sigma = np.array(sigma)
    found = local_shape_descriptors(labels, sigma)
    assert len(found) == n_descriptors(labels.ndim)
    for place in map(tuple, rng.choice(np.argwhere(labels > 0), 20)):
        expected = np.clip(_by_sums(labels, sigma, place), 0, 1)
        np.testing.assert_allclose(found[(slice(None), *place)], expected, atol=1e-4)


def test_outside_objects_nothing_is_told():
    labels = np.array([[0, 1, 1, -1]] * 4)
    found = local_shape_descriptors(labels, 2.0)
    assert np.isnan(found[:, labels <= 0]).all()
    assert np.isfinite(found[:, labels > 0]).all()
    assert np.isnan(local_shape_descriptors(np.zeros((4, 4), int), 2.0)).all()


def test_a_stride_changes_little_where_objects_are_large():
    labels = np.ones((25, 31), int)
    labels[:, 14:] = 2
    fine, coarse = (local_shape_descriptors(labels, 6.0, stride=n) for n in (1, 2))
    assert coarse.shape == fine.shape
    assert np.abs(fine - coarse).max() < 0.15
    assert np.abs(fine - coarse).mean() < 0.03


@pytest.mark.parametrize(("sigma", "stride"), [(0.0, 1), (2.0, 0)])
def test_numbers_must_be_above_zero(sigma, stride):
    with pytest.raises(ParameterError, match="expected numbers above 0"):
        local_shape_descriptors(np.ones((4, 4), int), sigma, stride=stride)
