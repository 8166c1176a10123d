"""A model ready to run: a specification, opened weights, and the checks between them and the caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ShapeError
from teasel.models import backends
from teasel.models.backends import Run
from teasel.models.package import read_package
from teasel.models.spec import ModelSpec
from teasel.models.zoo import find_model
from teasel.representations._base import Fields

__all__ = ["Model", "load_model"]


@dataclass(frozen=True)
class Model:
    """A network with everything needed to use it. Made by `load_model`; may be used from several threads.

    Parameters
    ----------
    name : str
        Name of the model.
    spec : ModelSpec
        What it takes and predicts.
    digest : str
        SHA-256 of the weights file that runs, in hexadecimal.
    backend : str
        The program that runs the network.
    precision : str
        The numbers it computes with.
    threads : int
        CPU threads it uses.
    """

    name: str
    spec: ModelSpec
    digest: str
    backend: str
    precision: str
    threads: int
    opened: Run = field(repr=False, compare=False)

    def run(self, batch: NDArray[np.float32]) -> Fields:
        """Predict the fields of a batch of normalised images.

        Parameters
        ----------
        batch : ndarray of float32, shape (n, in_channels, [z,] y, x)
            Spatial sizes are multiples of ``spec.divisor``; 0 and 1 are the percentiles
            ``spec.normalisation``.

        Returns
        -------
        dict of str to ndarray of float32
            One ``(n, channels, [z/s,] y/s, x/s)`` array per head of stride ``s``, activations applied.

        Raises
        ------
        ShapeError
            If the batch does not have that shape or type; the message says what to change.
        """
        self._check(batch)
        return self.opened(np.ascontiguousarray(batch))

    def _check(self, batch: NDArray[np.float32]) -> None:
        """Raise ShapeError unless the batch is what the network takes."""
        spec = self.spec
        axes = "(n, channel, y, x)" if spec.ndim == 2 else "(n, channel, z, y, x)"
        if batch.ndim != 2 + spec.ndim:
            raise ShapeError(f"model {self.name!r} takes batches {axes}, got shape {batch.shape}")
        if batch.dtype != np.float32:
            raise ShapeError(f"model {self.name!r} takes float32, got {batch.dtype}: normalise and convert first")
        if batch.shape[1] != spec.in_channels:
            raise ShapeError(f"model {self.name!r} takes {spec.in_channels} channels, got {batch.shape[1]}")
        if not all(batch.shape):
            raise ShapeError(f"the batch is empty: shape {batch.shape}")
        if any(size % spec.divisor for size in batch.shape[2:]):
            raise ShapeError(
                f"model {self.name!r} takes spatial sizes that are multiples of {spec.divisor}, got "
                f"{batch.shape[2:]}: pad the image first"
            )


def load_model(name: str | Path, *, backend: str = "onnx", precision: str = "f32", threads: int | None = None) -> Model:
    """Open a model by its name, or from a folder.

    Parameters
    ----------
    name : str or Path
        Name of a shipped or installed model (`list_models` lists them), or the path of a model folder; a
        string is a path if it holds a separator or starts with a dot.
    backend : str
        ``"onnx"`` (ONNX Runtime), ``"openvino"`` or ``"torch"``.
    precision : str
        ``"f32"``; ``"int8"`` with onnx and openvino if the model has 8-bit weights; ``"bf16"`` with openvino.
    threads : int, optional
        CPU threads; if not given, the setting TEASEL_THREADS, else all cores this process may use.

    Returns
    -------
    Model
        With its network opened.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    ModelError
        If the folder is broken: the message names the file.
    ParameterError
        If the backend does not exist or does not offer the precision.
    MissingDependency
        If the backend's package is not installed.
    """
    chosen = backends.find(backend)
    file = backends.weights_file(chosen, precision)
    count = backends.thread_count(threads)
    package = read_package(find_model(name))
    path, digest = package.verified(file)
    opened = chosen.open(path, package.spec, precision=precision, threads=count)
    return Model(package.spec.name, package.spec, digest, backend, precision, count, opened)
