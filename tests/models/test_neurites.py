"""The shipped model `neurites` on a drawn volume: bright bodies, dark membranes, nothing it was trained on."""

import numpy as np
import pytest

from teasel.agglomeration import Agglomeration, Height, quantise, region_graph, supervoxels
from teasel.labels.metrics import variation_of_information
from teasel.models import load_model


def _tissue(edge=64, bodies=20, seed=0):
    """Draw bodies that fill a cube, and its image."""
    from scipy import ndimage
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), -1).astype(float)
    bend = np.stack([ndimage.gaussian_filter(rng.normal(size=(edge,) * 3), 6) for _ in range(3)], -1)
    near, which = cKDTree(rng.uniform(-4, edge + 4, (bodies, 3))).query(grid + 120 * bend, k=2)
    membrane = np.exp(-(((near[..., 1] - near[..., 0]) / 2.2) ** 2))
    texture = ndimage.gaussian_filter(rng.normal(size=(edge,) * 3), 1)
    return (160 - 90 * membrane + 40 * texture).astype(np.float32), which[..., 0] + 1


def test_it_tells_bodies_apart():
    pytest.importorskip("numba")
    image, truth = _tissue()
    model = load_model("neurites", threads=1)
    low, high = np.percentile(image, model.spec.normalisation)
    affinity = model.run(((image - low) / (high - low))[None, None].astype(np.float32))["affinity"][0]
    small = supervoxels(quantise(affinity[:3]), Height())
    graph = region_graph(small, quantise(affinity), model.spec.representation.offsets_volume)
    method = Agglomeration()
    found = method.segments(graph, method.build(graph), model.spec.representation.merge_threshold)
    labels = found[np.searchsorted(graph.ids, small)]
    assert (
        variation_of_information(truth, labels).total < 0.6 * variation_of_information(truth, np.ones_like(truth)).total
    )
