import pytest
import torch

from teasel.errors import ParameterError
from teasel.networks.anisotropic import Anisotropic

HEADS = [{"name": "a", "channels": 2, "stride": 1}, {"name": "b", "channels": 12, "stride": 1}]


@pytest.mark.parametrize("steps", [((1, 2, 2), (1, 2, 2), (2, 2, 2)), ((2, 2, 2), (2, 2, 2), (2, 2, 2))])
def test_heads_have_the_grid_of_the_image(steps):
    network = Anisotropic(1, HEADS, widths=(4, 6, 8), steps=steps).eval()
    assert network.divisor == 8
    out = network(torch.zeros(2, 1, 8, 16, 24))
    assert out["a"].shape == (2, 2, 8, 16, 24)
    assert out["b"].shape == (2, 12, 8, 16, 24)


def test_what_a_voxel_is_told_does_not_depend_on_the_window():
    torch.manual_seed(0)
    network = Anisotropic(1, HEADS, widths=(4, 6)).eval()
    image = torch.rand(1, 1, 32, 64, 64)
    with torch.inference_mode():
        whole, part = network(image)["a"], network(image[..., 32:])["a"]
    torch.testing.assert_close(part[..., 24:], whole[..., 56:], atol=1e-5, rtol=1e-5)


def test_steps_that_do_not_fit_are_refused():
    with pytest.raises(ParameterError, match="expected as many"):
        Anisotropic(1, HEADS, widths=(4, 6), steps=((1, 2, 2),))
    with pytest.raises(ParameterError, match="stride 1 only"):
        Anisotropic(1, [{"name": "a", "channels": 1, "stride": 2}], widths=(4,))
