"""A small exported model with random weights, made once, and copies of it to break."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from teasel.models import ModelSpec
from teasel.networks.unet import UNet
from teasel.representations import build
from teasel.training.export import export_model
from teasel.training.quantise import quantise

CARD = "# Tiny\n\nRandom weights.\n\n## Validation\n\nNone.\n"


def tiny_spec(**changes: object) -> ModelSpec:
    representation = build("hybrid", {"n_rays": 8})
    heads = [{"name": h.name, "channels": h.channels, "stride": h.stride} for h in representation.heads(2)]
    params = {"in_channels": 3, "heads": heads, "widths": (8, 16), "blocks": (1, 1)}
    values = {
        "name": "tiny",
        "description": "Random weights, for tests.",
        "representation": representation,
        "network": {"name": "unet", "params": params},
        "divisor": 4,
        "halo_px": 8,
        "scores": {"ap50": 0.25},
        "training": {"data": [{"name": "Drawn discs", "licence": "CC0"}]},
    }
    return ModelSpec(**values | changes)


def tiny_network(spec: ModelSpec) -> UNet:
    torch.manual_seed(0)
    network = UNet(**spec.network["params"])
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, 3, 32, 32))  # running statistics that differ from 0 and 1
    return network.eval()


def drawn_image() -> np.ndarray:
    return (np.random.default_rng(0).random((3, 32, 40)) * 4000).astype(np.uint16)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model, 8-bit weights included; not to be changed."""
    spec = tiny_spec()
    folder = tmp_path_factory.mktemp("models") / "tiny"
    export_model(folder, tiny_network(spec), spec, test_image=drawn_image(), card=CARD)
    random = np.random.default_rng(1)
    quantise(folder, [random.random((3, 32, 32), np.float32) for _ in range(8)])
    return folder


@pytest.fixture
def copied(exported: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model's folder that may be broken."""
    return Path(shutil.copytree(exported, tmp_path / "tiny"))
