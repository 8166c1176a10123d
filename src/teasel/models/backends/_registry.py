"""Finds the backends in this folder by name, and the weights they read."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from teasel.errors import ParameterError
from teasel.models.backends._base import Backend
from teasel.models.naming import suggest

__all__ = ["find", "names", "weights_file"]

PACKAGE = "teasel.models.backends"


def names() -> list[str]:
    """List the backends, sorted.

    Examples
    --------
    >>> names()
    ['onnx', 'openvino', 'torch']
    """
    found = iter_modules(import_module(PACKAGE).__path__)
    return sorted(module.name for module in found if not module.name.startswith("_"))


def find(name: str) -> Backend:
    """Return the backend of a name.

    Raises
    ------
    ParameterError
        If there is none of that name.
    """
    if name not in names():
        raise ParameterError(f"no backend {name!r}{suggest(name, names())}; there are: {', '.join(names())}")
    module = import_module(f"{PACKAGE}.{name}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Backend) and value.__module__ == module.__name__
    )
    backend: Backend = found()
    return backend


def weights_file(backend: Backend, precision: str) -> str:
    """Return the file of a model folder that a backend reads for a precision.

    Raises
    ------
    ParameterError
        If the backend does not offer that precision; the message lists every combination.
    """
    if precision not in backend.weights:
        offers = {name: ", ".join(find(name).weights) for name in names()}
        raise ParameterError(
            f"backend {backend.name!r} has no precision {precision!r}; possible are: "
            + "; ".join(f"{name} with {offer}" for name, offer in offers.items())
        )
    return backend.weights[precision]
