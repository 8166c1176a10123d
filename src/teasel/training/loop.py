"""The training loop: crops in, a network out; it can be killed at any moment and goes on where it stopped."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from teasel.errors import ModelError, ParameterError
from teasel.images.atomic import atomic_path
from teasel.networks.unet import UNet
from teasel.representations import Fields, Representation
from teasel.training.augment import standard
from teasel.training.config import TrainingConfig
from teasel.training.crops import CropSampler
from teasel.training.data import Item
from teasel.training.losses import LOSSES
from teasel.training.start import build_representation, make_network, starting_network
from teasel.training.validation import validate

__all__ = ["Trained", "fit", "fit_sampler"]

logger = logging.getLogger(__name__)
CHECKPOINT = "checkpoint.pt"
HISTORY = "history.json"
REFERENCES = 64
CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


@dataclass(frozen=True)
class Trained:
    """What a finished run leaves: the averaged network, its representation, and the learning curve."""

    network: Any
    representation: Representation
    config: TrainingConfig
    history: list[dict[str, float]]


@dataclass
class _State:
    """Everything that changes from step to step."""

    step: int
    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.AdamW
    history: list[dict[str, float]]


def fit(
    items: Sequence[Item],
    validation: Sequence[Item],
    folder: str | Path,
    config: TrainingConfig,
    *,
    chances: NDArray[np.float64] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train a network on images in memory.

    Parameters
    ----------
    items : sequence of Item
        Training images.
    validation : sequence of Item
        Images that are never trained on; their scores go into the learning curve.
    folder : path
        Holds the checkpoint and the learning curve. If a checkpoint of the same configuration is there, the run
        goes on from it, with the very crops it would have seen.
    config : TrainingConfig
        Settings.
    chances : ndarray of float, shape (n,), optional
        How often each training image is drawn; balanced over kinds of images if not given.
    progress : callable, optional
        Called as ``progress(step, steps)`` after each step; an exception raised in it stops the run.

    Returns
    -------
    Trained
        The network with averaged weights, in evaluation mode on the CPU.

    Raises
    ------
    ParameterError
        If there are no training images.
    ModelError
        If the folder holds a checkpoint of another configuration, or the loss is no number any more.
    TeaselError
        Whatever `starting_network` raises.
    """
    if not items:
        raise ParameterError("no training images; give at least one folder with images and labels")
    representation = build_representation(config)
    sampler = CropSampler(
        items,
        representation,
        crop_px=config.crop_px,
        diameter_px=config.object_diameter_px,
        channels=config.in_channels,
        augmentation=standard(
            [item.image for item in items[:: max(1, len(items) // REFERENCES)]], roles=bool(config.roles)
        ),
        seed=config.seed,
        roles=config.roles,
        chances=chances,
    )
    shown = validation[: config.validation_images]

    def judge(network: UNet) -> dict[str, float]:
        return validate(network, representation, shown, config)

    return fit_sampler(sampler, representation, items[0].labels.ndim, folder, config, judge=judge, progress=progress)


def fit_sampler(
    sampler: Callable[[int], tuple[NDArray[np.float32], Fields]],
    representation: Any,
    ndim: int,
    folder: str | Path,
    config: TrainingConfig,
    *,
    judge: Callable[[Any], dict[str, float]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    build: Callable[[], nn.Module] | None = None,
) -> Trained:
    """Train a network on whatever a sampler gives; `fit` is this with crops of labelled images.

    Parameters
    ----------
    sampler : callable
        Gives crop number 0, 1, 2, ...: image ``(c, [z,] y, x)`` and one target array per head, the same for the same
        number. Worker processes call it.
    representation : Representation or PointRepresentation
        What the network predicts.
    ndim : int
        2 or 3 spatial dimensions.
    folder, config, progress
        As in `fit`.
    judge : callable, optional
        Takes the averaged network and gives scores for the learning curve.
    build : callable, optional
        Makes the untrained network, seeded, if it is another one than the `UNet` that `config` describes.

    Returns
    -------
    Trained

    Raises
    ------
    ModelError
        If the folder holds a checkpoint of another configuration, or the loss is no number any more.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if config.threads:
        torch.set_num_threads(config.threads)
    state = _start(ndim, representation, folder, config, build)
    heads = representation.heads(ndim)
    losses: list[float] = []
    began = time.monotonic()
    for image, targets in _batches(sampler, state.step, config):
        losses.append(_advance(state, image, targets, heads, config))
        if not np.isfinite(losses[-1]):
            raise ModelError(f"the loss is not finite at step {state.step}; lower the learning rate and train again")
        last = state.step == config.steps
        if last or (config.validate_every and state.step % config.validate_every == 0):
            row = {"step": state.step, "loss": float(np.mean(losses)), "seconds": time.monotonic() - began}
            losses.clear()
            row |= {} if judge is None else judge(state.average)
            state.history.append(row)
            logger.info("step %d: %s", state.step, {k: round(v, 4) for k, v in row.items()})
        if last or state.step % config.checkpoint_every == 0:
            _save(state, folder, config)
        if progress is not None:
            progress(state.step, config.steps)
    return Trained(state.average.eval().cpu(), representation, config, state.history)


def _advance(
    state: _State, image: Tensor, targets: dict[str, Tensor], heads: Sequence[Any], config: TrainingConfig
) -> float:
    """Take one optimiser step; return the loss."""
    for group in state.optimizer.param_groups:
        group["lr"] = config.learning_rate * _schedule(state.step, config)
    state.network.train()
    image = image.to(config.device)
    image = image.to(memory_format=CHANNELS_LAST[image.ndim - 2])
    with torch.autocast(config.device.split(":")[0], torch.bfloat16, enabled=config.precision == "bf16"):
        outputs = state.network(image)
    loss = sum(h.weight * LOSSES[h.loss](outputs[h.name], targets[h.name].to(config.device)) for h in heads)
    assert isinstance(loss, Tensor)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), config.clip_norm)
    state.optimizer.step()
    state.step += 1
    decay = min(config.ema_decay, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for mean, now in zip(state.average.state_dict().values(), state.network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)
    return float(loss.detach())


def _schedule(step: int, config: TrainingConfig) -> float:
    """Rise linearly over the warm-up, then fall along a cosine to a hundredth."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(done, 1.0))))


class _Crops(torch.utils.data.Dataset[Any]):
    """Crops by number, for torch's loader."""

    def __init__(self, sampler: Callable[[int], tuple[NDArray[np.float32], Fields]]) -> None:
        self.sampler = sampler

    def __getitem__(self, number: int) -> Any:
        image, targets = self.sampler(number)
        return torch.from_numpy(image), {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in targets.items()}


def _batches(
    sampler: Callable[[int], tuple[NDArray[np.float32], Fields]], start: int, config: TrainingConfig
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Yield the batches of steps `start` .. the last, made by worker processes ahead of time."""
    size = config.batch_size
    numbers = [list(range(step * size, (step + 1) * size)) for step in range(start, config.steps)]
    loader = torch.utils.data.DataLoader(
        _Crops(sampler),
        batch_sampler=numbers,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
    )
    yield from loader


def _start(
    ndim: int, representation: Any, folder: Path, config: TrainingConfig, build: Callable[[], nn.Module] | None
) -> _State:
    """Build the state of step 0, or read it from the checkpoint."""
    network = starting_network(config, representation, ndim) if build is None else build()
    average = make_network(config, representation, ndim) if build is None else build()
    average.load_state_dict(network.state_dict())
    for module in (network, average):
        module.to(config.device)
        module.to(memory_format=CHANNELS_LAST[ndim])  # type: ignore[call-overload]
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config.weight_decay}, {"params": free, "weight_decay": 0.0}],
        lr=config.learning_rate,
    )
    state = _State(0, network, average, optimizer, [])
    path = folder / CHECKPOINT
    if path.exists():
        saved = torch.load(path, map_location=config.device, weights_only=True)
        if _plain(TrainingConfig()) | saved["config"] != _plain(config):  # settings younger than it have defaults
            raise ModelError(f"{path} belongs to a run with other settings; give another folder, or remove it")
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        state.step, state.history = saved["step"], saved["history"]
        logger.info("going on from step %d in %s", state.step, path)
    return state


def _save(state: _State, folder: Path, config: TrainingConfig) -> None:
    """Write the checkpoint and the learning curve, whole or not at all."""
    saved = {
        "config": _plain(config),
        "step": state.step,
        "network": state.network.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "history": state.history,
    }
    with atomic_path(folder / CHECKPOINT) as temporary:
        torch.save(saved, temporary)
    with atomic_path(folder / HISTORY) as temporary:
        temporary.write_text(json.dumps(state.history, indent=1), encoding="utf-8")


def _plain(config: TrainingConfig) -> dict[str, Any]:
    """Return the settings that decide the result, as JSON values."""
    free = {"workers", "threads", "device", "checkpoint_every", "validate_every", "validation_images"}
    values = {k: v for k, v in dataclasses.asdict(config).items() if k not in free}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
