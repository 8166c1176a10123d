from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import ParameterError
from teasel.representations.rays import spread_rays


@pytest.mark.parametrize(("n_rays", "ndim"), [(4, 2), (32, 2), (33, 2), (8, 3), (96, 3), (200, 3)])
def test_rays_are_unit_vectors_and_cones_cover_every_direction(n_rays, ndim):
    rays = spread_rays(n_rays, ndim)
    assert rays.directions.shape == (n_rays, ndim)
    assert np.allclose(np.linalg.norm(rays.directions, axis=1), 1)
    points = np.random.default_rng(0).normal(size=(500, ndim))
    inside = (np.einsum("pd,fdi->pfi", points, rays.inverse) >= -1e-9).all(2)
    assert inside.any(1).all()


@pytest.mark.parametrize("ndim", [2, 3])
def test_rays_are_spread_evenly(ndim):
    directions = spread_rays(96, ndim).directions
    assert np.abs(directions.mean(0)).max() < 0.01
    cosines = np.sort(directions @ directions.T - 2 * np.eye(96), axis=1)[:, -1]
    angles = np.arccos(np.clip(cosines, -1, 1))
    assert angles.max() < 2.1 * angles.min()


def test_the_face_across_is_shared():
    rays = spread_rays(96, 3)
    for facet, across in enumerate(rays.beside):
        for corner, other in enumerate(across):
            shared = set(rays.facets[facet]) & set(rays.facets[other])
            assert shared == set(np.delete(rays.facets[facet], corner))


def test_too_few_rays_are_refused():
    with pytest.raises(ParameterError, match="too few"):
        spread_rays(3, 2)
