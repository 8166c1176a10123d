"""Losses by name. Each takes a network's value before activation and a target, and skips targets that are NaN."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["LOSSES"]


def _known(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split off what is unknown: prediction, target with NaN replaced by 0, weight 1 where known and 0 elsewhere."""
    unknown = torch.isnan(target)
    return prediction.float(), torch.where(unknown, 0.0, target), (~unknown).float()


def bce(prediction: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy, mean over known cells; soft targets in [0, 1] are allowed."""
    logit, target, known = _known(prediction, target)
    loss = functional.binary_cross_entropy_with_logits(logit, target, reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


def bce_dice(prediction: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy plus one minus the soft Dice overlap of the batch."""
    logit, filled, known = _known(prediction, target)
    probability = torch.sigmoid(logit) * known
    overlap = 2 * (probability * filled).sum() + 1
    return bce(prediction, target) + 1 - overlap / (probability.sum() + (filled * known).sum() + 1)


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared error, mean over known values."""
    value, target, known = _known(prediction, target)
    return ((value - target).square() * known).sum() / known.sum().clamp(min=1)


def smooth_l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Absolute error, quadratic below 0.1, mean over known values."""
    value, target, known = _known(prediction, target)
    loss = functional.smooth_l1_loss(value, target, beta=0.1, reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "bce": bce,
    "bce_dice": bce_dice,
    "mse": mse,
    "smooth_l1": smooth_l1,
}
"""Every loss that a `teasel.representations.Head` may name."""
