"""Every style keeps its promises: the contract of the room."""

import numpy as np
import pytest

from teasel.errors import ParameterError
from teasel.labels import is_connected
from teasel.training.simulation import simulate, styles

SIZE = 128


@pytest.mark.parametrize("style", styles())
def test_labels_are_whole_cells_and_nuclei_lie_in_their_cell(style):
    scene = simulate(style, size_px=SIZE, seed=4)
    assert scene.labels.shape == scene.nuclei.shape == scene.image.shape[1:] == (SIZE, SIZE)
    assert scene.labels.dtype == scene.nuclei.dtype == np.int32
    n = int(scene.labels.max())
    np.testing.assert_array_equal(np.unique(scene.labels[scene.labels > 0]), np.arange(1, n + 1))
    assert is_connected(scene.labels)
    assert is_connected(scene.nuclei)
    inside = scene.nuclei > 0
    np.testing.assert_array_equal(scene.nuclei[inside], scene.labels[inside])


@pytest.mark.parametrize("style", styles())
def test_images_are_in_range_and_depend_on_the_seed_alone(style):
    scene = simulate(style, size_px=SIZE, seed=11)
    assert scene.image.dtype == np.float32
    assert len(scene.image) == len(scene.channels)
    assert scene.channels[0] == "cell"
    low, high = np.percentile(scene.image, (1, 99.8), axis=(1, 2))
    np.testing.assert_allclose(low, 0, atol=1e-4)
    np.testing.assert_allclose(high, 1, atol=1e-4)
    np.random.default_rng().random()  # other chance in between changes nothing
    again = simulate(style, size_px=SIZE, seed=11)
    np.testing.assert_array_equal(scene.image, again.image)
    np.testing.assert_array_equal(scene.labels, again.labels)
    assert not np.array_equal(scene.image, simulate(style, size_px=SIZE, seed=12).image)


def test_most_scenes_hold_several_cells():
    counts = [simulate(style, size_px=160, seed=0).labels.max() for style in styles()]
    assert np.median(counts) > 8
    assert np.mean(np.array(counts) > 0) > 0.9


def test_what_cannot_be_simulated_is_refused():
    with pytest.raises(ParameterError, match="phase-spread"):
        simulate("phase")
    with pytest.raises(ParameterError, match="32 or more"):
        simulate("tissue", size_px=16)
    with pytest.raises(ParameterError, match="0 or more"):
        simulate("tissue", seed=-1)
