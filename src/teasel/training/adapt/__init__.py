"""Adapting a shipped model to somebody's images, with corrected labels or without any.

Takes a model and `Correction` objects (`read_corrections` reads them from a folder) or bare images; gives a model
folder like any other, but only if it is better on corrected crops that were held out and no worse on replayed scenes
of many styles, which the simulator makes. `adapt` and `adapt_unlabelled` run for minutes, report progress, can be
cancelled and go on where they stopped. Needs the extra ``teasel[train]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teasel.training.adapt.config import AdaptConfig

if TYPE_CHECKING:
    from teasel.training.adapt.corrections import Correction, read_corrections
    from teasel.training.adapt.labelled import adapt
    from teasel.training.adapt.result import Adapted
    from teasel.training.adapt.unlabelled import adapt_unlabelled

__all__ = ["AdaptConfig", "Adapted", "Correction", "adapt", "adapt_unlabelled", "read_corrections"]

_HOMES = {
    "Adapted": "result",
    "Correction": "corrections",
    "adapt": "labelled",
    "adapt_unlabelled": "unlabelled",
    "read_corrections": "corrections",
}


def __getattr__(name: str) -> Any:
    """Import what needs torch or NumPy when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        from teasel.errors import MissingDependency

        raise MissingDependency(
            f'adapting needs the package {error.name}; install it with: pip install "teasel[train]"'
        ) from error
    globals()[name] = value
    return value
