"""Judging models and images without labels: how good is this result, which model fits, what to label next.

Takes images and loaded models; gives a predicted score with an interval and reasons (`trust`), models ranked for a
set of images (`rank_models`), and crops worth annotating (`suggest`). It looks at how sure a model is, whether its
heads agree, whether it finds the same under changes that change no object, and how unlike its training data an image
looks. Nothing is trained here, and PyTorch is not needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from teasel.appraisal.suggestions import Suggestion, suggest, write_suggestions
    from teasel.appraisal.trusting import Trust, rank_models, trust

__all__ = ["Suggestion", "Trust", "rank_models", "suggest", "trust", "write_suggestions"]

_HOMES = {
    "Suggestion": "suggestions",
    "Trust": "trusting",
    "rank_models": "trusting",
    "suggest": "suggestions",
    "trust": "trusting",
    "write_suggestions": "suggestions",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
