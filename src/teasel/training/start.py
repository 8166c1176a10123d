"""The network a run starts from: untrained, or with the weights of a model that there is."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch

from teasel.errors import ParameterError
from teasel.models import Package, find_model, read_package
from teasel.networks.exported import Activated
from teasel.networks.unet import UNet
from teasel.representations import Representation, build
from teasel.representations.star import Star
from teasel.training.config import TrainingConfig

__all__ = ["build_representation", "lineage", "make_network", "network_params", "starting_network"]


def build_representation(config: TrainingConfig) -> Representation:
    """Build the representation that a configuration names, for objects of the size it trains at.

    In whole stacks rays are predicted on a grid half as fine: they need an eighth of the memory, and end as exactly.
    """
    if config.ndim == 3 and not config.by_voxel:
        return build(config.representation, {"stride": 2})
    plain = build(config.representation, {})
    known = "object_diameter_px" in {field.name for field in fields(plain)}
    return build(config.representation, {"object_diameter_px": config.object_diameter_px}) if known else plain


def network_params(config: TrainingConfig, representation: Representation, ndim: int) -> dict[str, Any]:
    """Return the arguments of `UNet` as plain values, as a model folder keeps them."""
    heads = [{"name": h.name, "channels": h.channels, "stride": h.stride} for h in representation.heads(ndim)]
    params = {"in_channels": config.in_channels, "heads": heads, "ndim": ndim}
    return params | {"widths": list(config.widths), "blocks": list(config.blocks)}


def make_network(config: TrainingConfig, representation: Representation, ndim: int) -> UNet:
    """Build the untrained network that a configuration describes, seeded.

    Rays in pixels begin as long as the typical object's: finding that out first would take hundreds of steps.
    """
    torch.manual_seed(config.seed)
    network = UNet(**network_params(config, representation, ndim))
    if isinstance(representation, Star):
        torch.nn.init.constant_(network.get_parameter("heads.rays.bias"), config.object_diameter_px / 2)
    return network


def starting_network(config: TrainingConfig, representation: Representation, ndim: int) -> UNet:
    """Build the network of step 0: untrained, or with the weights of the model ``config.start_from``.

    Raises
    ------
    ModelNotFound, ModelError
        If there is no such model, or its PyTorch weights are missing or broken.
    ParameterError
        If its network is another one than the configuration describes.
    """
    network = make_network(config, representation, ndim)
    if config.start_from is None:
        return network
    package = _package(config.start_from)
    wanted, held = network_params(config, representation, ndim), package.spec.network["params"]
    unlike = [f"{key} is {held.get(key)}, not {value}" for key, value in wanted.items() if held.get(key) != value]
    if unlike:
        raise ParameterError(
            f"cannot start from model {package.spec.name!r}: its {'; its '.join(unlike)}; give the settings it has"
        )
    path, _ = package.verified("weights.pt")
    Activated(network, {}).load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network


def lineage(config: TrainingConfig) -> list[dict[str, Any]]:
    """Say what was trained before step 0: name, digest of the weights and settings of each model, newest first."""
    if config.start_from is None:
        return []
    package = _package(config.start_from)
    training = package.spec.training
    row = {"name": package.spec.name, "sha256": package.digests["weights.pt"], "settings": training["settings"]}
    return [row, *training.get("lineage", [])]


def _package(model: str) -> Package:
    """Read the description of a model."""
    return read_package(find_model(model))
