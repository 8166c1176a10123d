"""Where spots lie: anywhere, in cells, in clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.simulation.scene import Scene
from teasel.spatial.spots import Spots

__all__ = ["draw_places", "merge_close"]

PER_CLUSTER = 12


def draw_places(
    shape: tuple[int, ...], scene: Scene, inside: NDArray[np.bool_] | None, random: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the positions of spots.

    Parameters
    ----------
    shape : tuple of int
        ([z,] y, x).
    scene : Scene
        Density and clustering.
    inside : ndarray of bool, shape ([z,] y, x), optional
        Where spots may lie if ``scene.in_cells``.
    random : numpy.random.Generator
        Where the numbers come from.

    Returns
    -------
    ndarray of float64, shape (n, ndim)
        Pixels; all within the image.
    """
    sizes = np.array(shape, float)
    n = random.poisson(scene.density * np.prod(sizes))
    n_clustered = random.binomial(n, scene.clustering)
    alone = random.random((n - n_clustered, len(shape))) * sizes
    centres = random.random((-(-n_clustered // PER_CLUSTER) or 1, len(shape))) * sizes
    radius = random.uniform(3, 10) * np.array(scene.sigmas(len(shape)))
    together = (
        centres[random.integers(0, len(centres), n_clustered)] + random.normal(0, 1, (n_clustered, len(shape))) * radius
    )
    positions = np.concatenate([alone, together]) - 0.5
    kept = ((positions >= -0.5) & (positions < sizes - 0.5)).all(1)
    positions = positions[kept]
    if scene.in_cells and inside is not None and len(positions):
        positions = positions[inside[tuple(np.clip(np.round(positions).astype(int), 0, np.array(shape) - 1).T)]]
    return positions


def merge_close(spots: Spots, distance_px: float) -> Spots:
    """Drop spots that lie closer to a brighter one than could be told apart; brightest first.

    Parameters
    ----------
    spots : Spots
        With a column ``height``.
    distance_px : float
        Pixels.
    """
    from scipy.spatial import cKDTree

    order = np.argsort(-spots["height"], kind="stable")
    spots = spots.take(order)
    kept = np.ones(len(spots), bool)
    if len(spots):
        for brighter, dimmer in sorted(cKDTree(spots.positions_px).query_pairs(distance_px)):
            if kept[brighter]:
                kept[dimmer] = False
    return spots.take(kept)
