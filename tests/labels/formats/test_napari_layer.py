"""Labels as napari's layer data: by the rules for such tuples, and by napari itself where it is installed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from teasel.errors import FormatError, ShapeError
from teasel.geometry import VoxelSize
from teasel.labels.formats.napari_layer import from_layer, to_layer
from tests.labels.formats.test_contract import many, nested
from tests.synthetic import random_labels

CASES = {
    "plane": (nested(), VoxelSize(y=0.5, x=0.25)),
    "stack": (random_labels((3, 20, 21), 5, 0), VoxelSize(z=2, y=0.5, x=0.5)),
    "series": (np.ones((2, 3, 8, 9), np.uint8), VoxelSize(z=2, y=0.5, x=0.5)),
    "many": (many(), VoxelSize()),
    "empty": (np.zeros((5, 6), np.uint8), VoxelSize()),
}


@pytest.mark.parametrize(("labels", "size"), CASES.values(), ids=CASES)
def test_round_trip_by_the_rules(labels, size):
    ids = np.unique(labels[labels > 0])
    layer = to_layer(labels, size, name="cells", objects={"label": ids, "score": np.ones(len(ids))})
    assert isinstance(layer, tuple)
    data, options, kind = layer
    assert kind == "labels"
    assert data.dtype.kind in "iu"
    assert len(options["scale"]) == labels.ndim
    assert set(options) <= {"name", "scale", "units", "features", "metadata"}
    assert ("units" in options) == (size != VoxelSize())
    np.testing.assert_array_equal(options["features"]["index"], ids)
    back, known = from_layer(layer)
    np.testing.assert_array_equal(back, labels)
    assert known == size


def test_layers_of_napari():
    labels, size = from_layer(([np.eye(4, dtype=np.int32), np.eye(2, dtype=np.int32)], {"scale": (3, 3)}, "labels"))
    assert labels.shape == (4, 4)
    assert size == VoxelSize()  # a scale without a unit is in pixels
    with pytest.raises(FormatError, match="'image'"):
        from_layer((np.zeros((2, 2)), {}, "image"))
    with pytest.raises(FormatError, match="'label'"):
        to_layer([[1]], objects={"score": [1.0]})
    with pytest.raises(ShapeError, match="lengths"):
        to_layer([[1]], objects={"label": [1], "score": [1.0, 2.0]})
    with pytest.raises(ShapeError, match="axes 'zyx'"):
        to_layer([[1]], axes="zyx")


def test_nothing_of_napari_is_imported():
    program = "import sys, teasel.labels.formats.napari_layer; print('napari' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(("labels", "size"), CASES.values(), ids=CASES)
def test_as_napari_itself_takes_it(labels, size):
    layers = pytest.importorskip("napari.layers", reason="needs napari, as a judge")
    ids = np.unique(labels[labels > 0])
    layer = layers.Layer.create(*to_layer(labels, size, objects={"label": ids, "score": np.ones(len(ids))}))
    assert isinstance(layer, layers.Labels)
    back, known = from_layer(layer.as_layer_data_tuple())
    np.testing.assert_array_equal(back, labels)
    assert known == size
