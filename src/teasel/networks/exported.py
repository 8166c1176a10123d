"""A network as it is released: built from plain values, activations applied, outputs in a fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import torch
from torch import Tensor, nn

import teasel.networks
from teasel.errors import ParameterError

__all__ = ["Activated", "build"]

ACTIVATIONS = {"sigmoid": torch.sigmoid, "linear": lambda logits: logits}


class Activated(nn.Module):
    """A network that gives the values of its heads after their activations.

    Parameters
    ----------
    network : mapping or nn.Module
        ``{"name": module of teasel.networks, "params": keyword arguments}``, or a network already built.
    activations : mapping of str to str
        Head names in the order of the outputs, each ``"sigmoid"`` or ``"linear"``. Heads of the network that
        are not named are left out.

    Raises
    ------
    ParameterError
        If the network or an activation is unknown.

    Examples
    --------
    >>> heads = [{"name": "foreground", "channels": 1, "stride": 1}]
    >>> params = {"in_channels": 1, "heads": heads, "widths": [8, 16], "blocks": [1, 1]}
    >>> network = Activated({"name": "unet", "params": params}, {"foreground": "sigmoid"})
    >>> network(torch.zeros(1, 1, 32, 32))[0].shape
    torch.Size([1, 1, 32, 32])
    """

    def __init__(self, network: Mapping[str, Any] | nn.Module, activations: Mapping[str, str]) -> None:
        super().__init__()
        unknown = sorted(set(activations.values()) - set(ACTIVATIONS))
        if unknown:
            raise ParameterError(f"no activation {', '.join(unknown)}; there are: {', '.join(ACTIVATIONS)}")
        self.network = network if isinstance(network, nn.Module) else build(network["name"], network["params"])
        self.activations = dict(activations)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Give one ``(n, channels, [z/s,] y/s, x/s)`` tensor per head for ``(n, channel, [z,] y, x)``."""
        logits = self.network(image)
        return tuple(ACTIVATIONS[kind](logits[head]) for head, kind in self.activations.items())


def build(name: str, params: Mapping[str, Any]) -> nn.Module:
    """Build a network from plain values.

    Parameters
    ----------
    name : str
        A module of `teasel.networks`; its network is the class of the same name, whatever the case of the
        letters.
    params : mapping
        Keyword arguments of that class.

    Raises
    ------
    ParameterError
        If there is no such network.
    """
    names = [module.name for module in iter_modules(teasel.networks.__path__) if module.name != "exported"]
    if name not in names:
        raise ParameterError(f"no network {name!r}; there are: {', '.join(names)}")
    members = vars(import_module(f"teasel.networks.{name}"))
    (found,) = (member for key, member in members.items() if key.lower() == name.replace("_", ""))
    network: nn.Module = found(**params)
    return network
