import pytest
import torch

from teasel.errors import ParameterError
from teasel.networks.unet import UNet

HEADS = [
    {"name": "a", "channels": 1, "stride": 1},
    {"name": "b", "channels": 2, "stride": 2},
    {"name": "c", "channels": 5, "stride": 4},
]


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("channels", [1, 4])
def test_each_head_has_its_grid(ndim, channels):
    network = UNet(channels, HEADS, widths=(4, 6, 8), blocks=(1, 1, 2), ndim=ndim).eval()
    assert network.divisor == 8
    out = network(torch.zeros(2, channels, *(32, 16, 24)[:ndim]))
    shape = (32, 16, 24)[:ndim]
    assert out["a"].shape == (2, 1, *shape)
    assert out["b"].shape == (2, 2, *(n // 2 for n in shape))
    assert out["c"].shape == (2, 5, *(n // 4 for n in shape))


def test_a_stride_that_the_network_lacks_is_refused():
    with pytest.raises(ParameterError, match=r"stride 16; this network has \[1, 2, 4\]"):
        UNet(1, [{"name": "a", "channels": 1, "stride": 16}], widths=(4, 6), blocks=(1, 1))
    with pytest.raises(ParameterError, match="one count per width"):
        UNet(1, HEADS, widths=(4, 6), blocks=(1,))
