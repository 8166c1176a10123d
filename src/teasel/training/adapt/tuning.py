"""The loop of an adaptation: few steps, most weights frozen, the others held near where they came from."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from teasel.errors import Cancelled, ModelError
from teasel.images.atomic import atomic_path
from teasel.models import ModelSpec
from teasel.networks.unet import UNet
from teasel.representations import Head
from teasel.training.adapt.config import AdaptConfig
from teasel.training.adapt.crops import AdaptCrops
from teasel.training.adapt.network import free_weights
from teasel.training.data import Item
from teasel.training.losses import LOSSES

__all__ = ["CHECKPOINT", "Tuned", "fingerprint", "tune"]

logger = logging.getLogger(__name__)
CHECKPOINT = "adapting-{}.pt"
"""Name of the checkpoint of each turn."""
CLIP_NORM = 1.0
WARMUP = 0.1
AVERAGED = 0.4
"""The weights that come out are the mean over this last share of the steps, taken at half the learning rate."""


@dataclass(frozen=True)
class Tuned:
    """Weights before and after, by name: those that were free."""

    network: UNet
    start: dict[str, Tensor]
    end: dict[str, Tensor]


def tune(
    network: UNet,
    crops: AdaptCrops,
    checkpoint: Path,
    mark: str,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Tuned:
    """Train the free weights of a network on crops.

    Parameters
    ----------
    network : UNet
        In evaluation mode; its weights are changed.
    crops : AdaptCrops
        Training crops by number.
    checkpoint : Path
        File to keep what is done in; a run with the same mark goes on from it.
    mark : str
        What tells this run from any other, see `fingerprint`.
    progress : callable, optional
        Called as ``progress(step, steps)``.
    cancelled : callable, optional
        Asked before each step whether to stop.

    Raises
    ------
    Cancelled
        If `cancelled` said so; what is done is kept.
    ModelError
        If the loss is no number any more.

    Notes
    -----
    On replayed scenes the network is held to what it said before, not to their labels: taught the labels, it would
    drift from the images that it knew to the simulator's.

    References
    ----------
    Li et al. 2018, arXiv:1802.01483 (the pull towards the start, L2-SP); Li and Hoiem 2016, arXiv:1606.09282
    (learning without forgetting); Izmailov et al. 2018, arXiv:1803.05407 (the mean of the last weights).
    """
    config, heads = crops.config, crops.spec.heads
    former = deepcopy(network).eval().requires_grad_(False)
    free = free_weights(network)
    start = {name: weight.detach().clone() for name, weight in free.items()}
    optimizer = torch.optim.AdamW(free.values(), lr=config.learning_rate, weight_decay=0.0)
    step, mean = _resume(checkpoint, mark, network, optimizer)
    first = int((1 - AVERAGED) * config.steps)
    for image, targets in _batches(crops, step):
        if cancelled is not None and cancelled():
            _keep(checkpoint, mark, step, free, mean, optimizer)
            raise Cancelled(f"stopped at step {step} of {config.steps}; started again, it goes on from there")
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _schedule(step / config.steps)
        image = image.contiguous(memory_format=torch.channels_last)
        targets = _recalled(former, image, targets, heads, crops.replayed)
        outputs = network(image)
        loss = sum(head.weight * LOSSES[head.loss](outputs[head.name], targets[head.name]) for head in heads)
        assert isinstance(loss, Tensor)
        pull = torch.stack([(weight - start[name]).square().sum() for name, weight in free.items()]).sum()
        loss = loss + config.pull / 2 * pull
        if not torch.isfinite(loss):
            raise ModelError(f"the loss is not finite at step {step}; lower the learning rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(free.values()), CLIP_NORM)
        optimizer.step()
        step += 1
        if step > first:
            for name, weight in free.items():
                mean[name] = torch.lerp(mean.get(name, start[name]), weight.detach(), 1 / (step - first))
        if step % config.checkpoint_every == 0 or step == config.steps:
            logger.info("step %d of %d: loss %.3f", step, config.steps, float(loss.detach()))
            _keep(checkpoint, mark, step, free, mean, optimizer)
        if progress is not None:
            progress(step, config.steps)
    with torch.no_grad():
        for name, weight in free.items():
            weight.copy_(mean[name])
    return Tuned(network.requires_grad_(False), start, mean)


def _recalled(
    former: UNet, image: Tensor, targets: dict[str, Tensor], heads: Sequence[Head], count: int
) -> dict[str, Tensor]:
    """Let the former network say what replayed scenes (the first of a batch) should give, where there is a truth."""
    if not count:
        return targets
    with torch.no_grad():
        outputs = former(image[:count])
    recalled = {}
    for head in heads:
        output = outputs[head.name].float()
        output = torch.sigmoid(output) if head.activation == "sigmoid" else output
        truth = targets[head.name]
        said = torch.where(torch.isnan(truth[:count]), truth[:count], output)
        recalled[head.name] = torch.cat([said, truth[count:]])
    return recalled


def fingerprint(spec: ModelSpec, digest: str, config: AdaptConfig, items: Sequence[Item]) -> str:
    """Return a digest of everything that decides how a run goes: model, settings, images and labels."""
    free = {"threads", "workers", "checkpoint_every", "replay_tolerance"}
    settings = {key: value for key, value in asdict(config).items() if key not in free}
    total = hashlib.sha256(json.dumps([spec.name, digest, settings], sort_keys=True).encode())
    for item in items:
        for array in (item.image, item.labels, getattr(item, "hint", np.zeros(0))):
            total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def _schedule(done: float) -> float:
    """Rise over the first tenth, stay, and fall to half where weights are averaged."""
    return min(1.0, done / WARMUP + 0.02) if done < 1 - AVERAGED else 0.5


def _batches(crops: AdaptCrops, start: int) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Yield the batches of steps `start` .. the last, made ahead of time by worker processes."""
    config = crops.config
    numbers = [
        list(range(step * config.batch_size, (step + 1) * config.batch_size)) for step in range(start, config.steps)
    ]
    yield from torch.utils.data.DataLoader(
        crops,
        batch_sampler=numbers,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
    )


def _resume(path: Path, mark: str, network: UNet, optimizer: torch.optim.Optimizer) -> tuple[int, dict[str, Tensor]]:
    """Take up the checkpoint of the same run, if there is one; return its step and the mean of weights so far."""
    if not path.exists():
        return 0, {}
    saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if saved["mark"] != mark:
        logger.info("%s belongs to other corrections or settings; starting anew", path)
        return 0, {}
    network.load_state_dict(saved["weights"], strict=False)
    optimizer.load_state_dict(saved["optimizer"])
    logger.info("going on from step %d in %s", saved["step"], path)
    return int(saved["step"]), saved["mean"]


def _keep(
    path: Path,
    mark: str,
    step: int,
    free: dict[str, Any],
    mean: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write the checkpoint, whole or not at all."""
    weights = {name: weight.detach() for name, weight in free.items()}
    kept = {"mark": mark, "step": step, "weights": weights, "mean": mean, "optimizer": optimizer.state_dict()}
    with atomic_path(path) as temporary:
        torch.save(kept, temporary)
