"""PyTorch on the CPU: the network as it was trained, for comparison and for networks still in training."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import MissingDependency, ModelError
from teasel.models.backends._base import Backend, Run
from teasel.models.spec import ModelSpec
from teasel.representations._base import Fields

__all__ = ["TorchBackend"]


class TorchBackend(Backend):
    """Run networks with PyTorch, in single precision.

    Notes
    -----
    PyTorch has one thread count for the whole process; opening a model sets it.
    """

    name: ClassVar[str] = "torch"
    weights: ClassVar = {"f32": "weights.pt"}

    def open(self, path: Path, spec: ModelSpec, *, precision: str, threads: int) -> Run:
        """Build the network, load its weights (tensors only, never code) and lay it out channels last."""
        if find_spec("torch") is None:
            raise MissingDependency(
                'the torch backend needs the package torch; install it with: pip install "teasel[train]"'
            )
        import torch

        from teasel.networks.exported import Activated

        activations = {head.name: head.activation for head in spec.heads}
        layout = torch.channels_last if spec.ndim == 2 else torch.channels_last_3d
        try:
            network = Activated(spec.network, activations)
            network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except (RuntimeError, UnpicklingError, EOFError, TypeError) as error:
            raise ModelError(f"PyTorch cannot open {path}: {error}") from error
        network = network.eval().to(memory_format=layout)  # type: ignore[call-overload]
        torch.set_num_threads(threads)

        def run(batch: NDArray[np.float32]) -> Fields:
            with torch.inference_mode():
                outputs = network(torch.from_numpy(batch).contiguous(memory_format=layout))
            fields = (output.contiguous().numpy() for output in outputs)
            return dict(zip(activations, fields, strict=True))

        return run
