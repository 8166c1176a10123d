"""The network of a model in training: which weights may move, where they came from, and all in between."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from teasel.errors import ModelError
from teasel.models import Model, ModelSpec, Package, find_model, read_package
from teasel.networks.exported import Activated
from teasel.networks.unet import UNet
from teasel.representations import Fields

__all__ = ["blend", "free_weights", "open_network", "running"]

Weights = dict[str, Tensor]


def open_network(model: str | Path) -> tuple[UNet, Package]:
    """Read the network of a model folder, ready to be trained on.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    ModelError
        If it was adapted already, holds no PyTorch weights, or is of another architecture than ``unet`` in 2D.
    """
    package = read_package(find_model(model))
    spec = package.spec
    before = spec.training.get("adapted_from")
    if before:
        raise ModelError(
            f"model {spec.name!r} was adapted from {before!r} already; start from {before!r} again, with all "
            "corrections there are: then nothing is forgotten on the way"
        )
    if spec.network["name"] != "unet" or spec.ndim != 2:
        raise ModelError(f"model {spec.name!r} is a {spec.network['name']} in {spec.ndim}D; only unets in 2D adapt")
    path, _ = package.verified("weights.pt")
    activated = Activated(spec.network, {head.name: head.activation for head in spec.heads})
    activated.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network = activated.network
    assert isinstance(network, UNet)
    return network.eval().to(memory_format=torch.channels_last), package  # type: ignore[call-overload]


def free_weights(network: UNet) -> dict[str, nn.Parameter]:
    """Freeze a network but for what an adaptation may move; return that by name.

    Free are the decoder, the heads, the coarsest level of the encoder, and the scale and shift of every
    normalisation. Statistics of the normalisation never move: the network stays in evaluation mode.
    """
    network.requires_grad_(False)
    for part in (network.decoder, network.heads, network.encoder[-1], *list(network.down)[-1:]):
        part.requires_grad_(True)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.requires_grad_(True)
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}


def blend(network: UNet, start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float) -> UNet:
    """Return a network `share` of the way from the weights it had to those it has now.

    References
    ----------
    Wortsman et al. 2022, doi:10.1109/CVPR52688.2022.00780 (weights in between keep what was known and what is new).
    """
    between = deepcopy(network)
    with torch.no_grad():
        for name, weight in between.named_parameters():
            if name in start:
                weight.copy_(torch.lerp(start[name], end[name], share))
    return between.eval()


def running(network: UNet, spec: ModelSpec) -> Model:
    """Wrap a network in training as a model, so that it is run as any user's model is."""
    activations = {head.name: head.activation for head in spec.heads}
    activated = Activated(network, activations).eval()

    def run(batch: NDArray[np.float32]) -> Fields:
        image = torch.from_numpy(batch).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            outputs = activated(image)
        return {name: output.contiguous().numpy() for name, output in zip(activations, outputs, strict=True)}

    return Model(spec.name, spec, "in training", "torch", "f32", torch.get_num_threads(), run)
