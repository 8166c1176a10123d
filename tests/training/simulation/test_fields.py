import numpy as np
import pytest
from scipy import ndimage

from teasel.training.simulation.fields import blur, rough_field, smooth_noise


@pytest.mark.parametrize("length", [4.0, 11.0, 30.0])
def test_smooth_noise_has_unit_deviation_and_its_length(length):
    field = np.concatenate([smooth_noise((300, 300), length, np.random.default_rng(s)) for s in range(4)])
    assert field.mean() == pytest.approx(0, abs=0.2)
    assert field.std() == pytest.approx(1, abs=0.25)
    apart = [np.corrcoef(field[:, :-d].ravel(), field[:, d:].ravel())[0, 1] for d in (1, int(2.5 * length))]
    assert apart[0] > 0.75
    assert abs(apart[1]) < 0.3


def test_rough_fields_vary_between_their_lengths():
    field = rough_field((256, 256), 1.0, 8.0, np.random.default_rng(0))
    assert field.std() == pytest.approx(1, abs=1e-3)
    assert ndimage.gaussian_filter(field, 16).std() < 0.1


@pytest.mark.parametrize("sigma", [1.0, 7.0, 9.0, 25.0])
def test_the_fast_blur_is_a_gaussian(sigma):
    image = np.random.default_rng(1).random((150, 190)).astype(np.float32)
    before = image.copy()
    slow = ndimage.gaussian_filter(image, sigma)
    assert np.abs(blur(image, sigma) - slow).max() < 0.15 * slow.std() + 0.003
    np.testing.assert_array_equal(image, before)
