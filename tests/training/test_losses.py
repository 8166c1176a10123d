import pytest
import torch

from teasel.training.losses import LOSSES


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_unknown_targets_do_not_count(name):
    torch.manual_seed(0)
    prediction, target = torch.randn(2, 1, 8, 8), torch.rand(2, 1, 8, 8).round()
    known = LOSSES[name](prediction[..., :4], target[..., :4])
    target[..., 4:] = torch.nan
    prediction.requires_grad_()
    loss = LOSSES[name](prediction, target)
    assert loss.item() == pytest.approx(known.item(), rel=1e-5)
    loss.backward()
    assert torch.isfinite(prediction.grad).all()
    assert not prediction.grad[..., 4:].any()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_truth_costs_less_than_anything_else(name):
    target = (torch.arange(64).reshape(1, 1, 8, 8) % 3 == 0).float()
    truth = 20 * (2 * target - 1) if name.startswith("bce") else target
    assert LOSSES[name](truth, target) < 0.05 < LOSSES[name](torch.zeros_like(target) + 0.5, target)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_nothing_known_is_no_error(name):
    assert torch.isfinite(LOSSES[name](torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), torch.nan)))
