import numpy as np
import pytest
from skimage.measure import label

from teasel.training.simulation import simulate_stack


@pytest.mark.parametrize("seed", [1, 4])
def test_a_stack_follows_from_its_seed(seed):
    made = simulate_stack(seed, edge_px=56, depth_px=48)
    again = simulate_stack(seed, edge_px=56, depth_px=48)
    np.testing.assert_array_equal(made.image, again.image)
    np.testing.assert_array_equal(made.labels, again.labels)
    assert (made.image.dtype, made.labels.dtype) == (np.uint16, np.int32)
    assert made.image.shape == made.labels.shape == (-(-48 // int(made.anisotropy)), 56, 56)
    assert made.image[made.labels > 0].mean() > made.image[made.labels == 0].mean()


def test_every_nucleus_is_one_piece():
    from teasel.training.simulation import stacks

    rng = np.random.default_rng(0)
    labels, walls = stacks._tissue(rng, (48, 56, 56), 8.0)
    assert labels.max() > 3
    assert label(labels, connectivity=1).max() == labels.max() == len(np.unique(labels)) - 1
    assert walls[labels > 0].max() == 0
