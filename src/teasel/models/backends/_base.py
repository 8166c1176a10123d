"""The contract of a backend: open the weights in a model folder, give a function from batch to fields."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel import settings
from teasel.errors import ModelError, ParameterError
from teasel.models.spec import ModelSpec
from teasel.representations._base import Fields

__all__ = ["Backend", "Run", "check_outputs", "thread_count"]

Run = Callable[[NDArray[np.float32]], Fields]
"""From ``(n, channel, [z,] y, x)`` to one such array per head; may be called from any thread."""


class Backend(ABC):
    """A program that runs networks. One subclass per file in this folder; the room finds it by itself.

    A backend does nothing about shapes, tiles or normalisation, and never runs in another precision than
    asked for.
    """

    name: ClassVar[str]
    weights: ClassVar[Mapping[str, str]]
    """For each precision on offer, the file of the model folder that is read."""

    @abstractmethod
    def open(self, path: Path, spec: ModelSpec, *, precision: str, threads: int) -> Run:
        """Open weights.

        Parameters
        ----------
        path : Path
            The file named in `weights` for this precision; its digest has been checked.
        spec : ModelSpec
            The model's description.
        precision : str
            A key of `weights`.
        threads : int
            CPU threads to use, 1 or more.

        Raises
        ------
        MissingDependency
            If the package that runs the network is not installed.
        ModelError
            If the file cannot be read, or does not predict what the specification says.
        """


def check_outputs(names: Iterable[str], spec: ModelSpec, path: Path) -> None:
    """Raise ModelError if the outputs of the weights are not the heads of the representation."""
    found, expected = list(names), [head.name for head in spec.heads]
    if found != expected:
        raise ModelError(
            f"{path.name} of model {spec.name!r} predicts {', '.join(found)}; "
            f"{spec.representation.name!r} needs {', '.join(expected)}: export the model again"
        )


def thread_count(threads: int | None = None) -> int:
    """Return how many CPU threads to use: those asked for, else the setting's, else all of this process.

    Raises
    ------
    ParameterError
        If `threads` or the setting is not a whole number of 1 or more.

    Examples
    --------
    >>> thread_count(2)
    2
    """
    asked = settings.get("threads") if threads is None else str(threads)
    if not asked:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not asked.isdecimal() or int(asked) < 1:
        raise ParameterError(f"threads is {asked!r}; expected a whole number of 1 or more")
    return int(asked)
