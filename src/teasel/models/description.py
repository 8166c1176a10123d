"""Describe a model in the words of the BioImage Model Zoo, so that other programs can run its network.

The format: https://bioimage-io.github.io/spec-bioimage-io, model description 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.models.spec import ModelSpec
from teasel.representations._base import Fields, Head

__all__ = ["FORMAT_VERSION", "Contents", "describe", "smallest_size", "summarise"]

FORMAT_VERSION = "0.5.12"
COLOURS = ["red", "green", "blue"]
REFERENCES = [
    ("Ronneberger et al. 2015, U-Net", "10.1007/978-3-319-24574-4_28"),
    ("Schmidt et al. 2018, star-convex polygons", "10.1007/978-3-030-00934-2_30"),
    ("Stringer et al. 2021, flows", "10.1038/s41592-020-01018-x"),
]


@dataclass(frozen=True)
class Contents:
    """What goes into the files of a model folder, beside the specification.

    Parameters
    ----------
    onnx : bytes
        The network, activations included, as an ONNX file.
    opset : int
        Version of the ONNX operators it uses.
    test_input : ndarray of float32, shape (1, channel, [z,] y, x)
        A small image before normalisation.
    test_outputs : dict of str to ndarray of float32
        What the network predicts for it.
    card : str
        The model card, in Markdown; it has a section on validation.
    cover : ndarray of uint8, shape (y, x, 3)
        A picture of what the model does, as wide as high or twice as wide.
    state_dict : bytes, optional
        Weights of `teasel.networks.exported.Activated`, as PyTorch saves them.
    torch_version : str, optional
        Version of PyTorch that wrote them.
    """

    onnx: bytes
    opset: int
    test_input: NDArray[np.float32]
    test_outputs: Fields
    card: str
    cover: NDArray[np.uint8]
    state_dict: bytes | None = None
    torch_version: str | None = None


def describe(spec: ModelSpec, contents: Contents, digests: Mapping[str, str]) -> dict[str, Any]:
    """Compose the description of a model folder.

    Parameters
    ----------
    spec : ModelSpec
        Stored whole under ``config.teasel``.
    contents : Contents
        What the files hold.
    digests : mapping of str to str
        SHA-256 of each file.

    Returns
    -------
    dict
        Plain values, in the order in which they should be written.
    """

    def file(name: str) -> dict[str, str]:
        return {"source": name, "sha256": digests[name]}

    return {
        "format_version": FORMAT_VERSION,
        "type": "model",
        **summarise(spec),
        "authors": [{"name": "The Teasel developers"}],
        "license": "MIT",
        "documentation": file("README.md"),
        "covers": [file("cover.png")],
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": [_input(spec, file("test_input.npy"))],
        "outputs": [_output(spec, head, file(f"test_output_{head.name}.npy")) for head in spec.heads],
        "weights": _weights(spec, contents, file),
    }


def summarise(spec: ModelSpec) -> dict[str, Any]:
    """Return the part of a description that does not depend on the files: names, sources, ``config``."""
    tags = {"instance-segmentation", f"{spec.ndim}d", "teasel", spec.representation.name, *spec.tags}
    return {
        "name": f"Teasel {spec.name}",
        "version": spec.version,
        "description": spec.description,
        "cite": _cite(spec),
        "tags": sorted(tags),
        "config": {"bioimageio": {"architecture_type": spec.network["name"]}, "teasel": spec.to_dict()},
    }


def smallest_size(spec: ModelSpec) -> int:
    """Return the smallest image size, in pixels, that leaves something between the halos."""
    return (2 * spec.halo_px // spec.divisor + 1) * spec.divisor


def _cite(spec: ModelSpec) -> list[dict[str, str]]:
    """List the sources of the method, and of the training data where the training names their DOI."""
    data = [(entry["name"], entry["doi"]) for entry in spec.training.get("data", []) if entry.get("doi")]
    return [{"text": text, "doi": doi} for text, doi in REFERENCES + data]


def _input(spec: ModelSpec, test_tensor: dict[str, str]) -> dict[str, Any]:
    """Describe the image: axes, sizes that fit, normalisation of each sample by its own percentiles."""
    low, high = spec.normalisation
    size = {"min": smallest_size(spec), "step": spec.divisor}
    names = COLOURS if spec.in_channels == 3 else [f"channel{i}" for i in range(spec.in_channels)]
    description = "Image of any intensity range; grey images repeat their one channel."
    if spec.roles:
        names = [role if role not in spec.roles[:i] else f"{role}{i}" for i, role in enumerate(spec.roles)]
        description = f"Channels of any intensity range: {', '.join(spec.roles)}; a missing one repeats the first."
    return {
        "id": "image",
        "description": description,
        "axes": [
            {"type": "batch"},
            {"type": "channel", "channel_names": names},
            *({"type": "space", "id": axis, "size": dict(size)} for axis in "zyx"[-spec.ndim :]),
        ],
        "test_tensor": test_tensor,
        "data": {"type": "float32"},
        "preprocessing": [
            {
                "id": "scale_range",
                "kwargs": {
                    "axes": [*(() if spec.roles else ("channel",)), *"zyx"[-spec.ndim :]],
                    "min_percentile": float(low),
                    "max_percentile": float(high),
                },
            }
        ],
    }


def _output(spec: ModelSpec, head: Head, test_tensor: dict[str, str]) -> dict[str, Any]:
    """Describe one head: its grid, and the halo that is not to be trusted."""
    halo = {"halo": spec.halo_px // head.stride} if spec.halo_px // head.stride else {}
    return {
        "id": head.name,
        "axes": [
            {"type": "batch"},
            {"type": "channel", "channel_names": [f"{head.name}{i}" for i in range(head.channels)]},
            *(
                {
                    "type": "space",
                    "id": axis,
                    "size": {"tensor_id": "image", "axis_id": axis},
                    "scale": float(head.stride),
                    **halo,
                }
                for axis in "zyx"[-spec.ndim :]
            ),
        ],
        "test_tensor": test_tensor,
        "data": {"type": "float32"},
    }


def _weights(spec: ModelSpec, contents: Contents, file: Any) -> dict[str, Any]:
    """Name the weights: ONNX, and PyTorch's with the class that they belong to."""
    onnx = {**file("weights.onnx"), "opset_version": contents.opset}
    if contents.state_dict is None:
        return {"onnx": onnx}
    architecture = {
        "import_from": "teasel.networks.exported",
        "callable": "Activated",
        "kwargs": {
            "network": spec.to_dict()["network"],
            "activations": {head.name: head.activation for head in spec.heads},
        },
    }
    torch = {
        **file("weights.pt"),
        "architecture": architecture,
        "pytorch_version": contents.torch_version,
        "dependencies": file("environment.yaml"),
    }
    return {"pytorch_state_dict": torch, "onnx": {**onnx, "parent": "pytorch_state_dict"}}
