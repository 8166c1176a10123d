"""Training: folders of images and labels in, a model folder out.

`train` does it all: `find_pairs` and `read_items` read the data, crops are cut with balance over kinds of images and
changed by `teasel.training.augment`, `fit` runs the loop with checkpoints, and the network is exported with a card
and its scores. Needs the extra ``teasel[train]`` (torch, numba).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teasel.training.config import TrainingConfig

if TYPE_CHECKING:
    from teasel.training.folders import train

__all__ = ["TrainingConfig", "train"]


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first used."""
    if name != "train":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from teasel.training.folders import train
    except ModuleNotFoundError as error:
        from teasel.errors import MissingDependency

        raise MissingDependency(
            f'training needs the package {error.name}; install it with: pip install "teasel[train]"'
        ) from error
    globals()["train"] = train
    return train
