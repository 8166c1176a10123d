"""The shipped model `neurites` on a drawn volume: bright bodies, dark membranes, nothing it was trained on."""

import numpy as np
import pytest

from teasel.agglomeration import Agglomeration, Height, quantise, region_graph, supervoxels
from teasel.labels.metrics import variation_of_information
from teasel.models import load_model


def test_it_tells_bodies_apart():
    pytest.importorskip("numba")
    pytest.importorskip("torch")
    from scripts.build_neurites import synthetic_tissue

    image, truth = synthetic_tissue(64, 20)
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
