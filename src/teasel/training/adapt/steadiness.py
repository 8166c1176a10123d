"""Is a model that learned without labels better? All that can be seen is whether it finds the same objects again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from teasel.inference.consistency import consistency, look
from teasel.inference.resample import resize
from teasel.labels.metrics.matching import match
from teasel.models import Model
from teasel.training.adapt.target import Target
from teasel.training.adapt.verdict import find_objects
from teasel.training.data import Item

__all__ = ["Steadiness", "SteadyVerdict", "find_sure_again", "judge_steadiness", "measure_steadiness"]

IOU = 0.5
VIEWS = ("turned", "smaller", "larger", "noisy")
LEAST_GAIN = 0.02
"""How much more consistent a model must be; kinds of images got worse at gains below that."""
FEWEST_LEFT = 0.6
"""What share of the number of objects found before must still be found."""
SURE_LEFT = 0.9
"""What share of the objects that the old model was sure of must still be found, with nothing set."""


class Steadiness(NamedTuple):
    """How a model does on bare images: how consistent it is, how many objects it finds, which share of those that the
    old model was sure of are among them; and AP at IoU 0.5 on replayed scenes.
    """

    steady: float
    found: int
    sure: float
    replay: float


class SteadyVerdict(NamedTuple):
    """Whether a model that learned without labels is handed over, how far it went, and why."""

    accepted: bool
    share: float
    reason: str


def judge_steadiness(rows: dict[float, Steadiness], tolerance: float, images: int) -> SteadyVerdict:
    """Choose the most consistent model that neither forgets nor loses objects, and say whether it may be handed over.

    Parameters
    ----------
    rows : dict of float to Steadiness
        For each share of the way from the old weights to the new; 0 is the old model.
    tolerance : float
        How much average precision at IoU 0.5 may fall on replayed scenes.
    images : int
        Images that were looked at, for the reason.

    Examples
    --------
    >>> old, new = Steadiness(0.6, 50, 1.0, 0.9), Steadiness(0.7, 48, 0.97, 0.9)
    >>> judge_steadiness({0.0: old, 1.0: new}, 0.01, 3).accepted
    True
    """
    old = rows[0.0]
    safe = {
        share: row
        for share, row in rows.items()
        if share
        and row.replay >= old.replay - tolerance
        and row.found >= FEWEST_LEFT * old.found
        and row.sure >= SURE_LEFT * old.sure
    }
    among = safe or {share: row for share, row in rows.items() if share}
    best = max(among, key=lambda share: among[share].steady)
    new = rows[best]
    accepted = bool(safe) and new.steady >= old.steady + LEAST_GAIN
    numbers = (
        f"consistency on {images} images {old.steady:.3f} -> {new.steady:.3f}, objects {old.found} -> {new.found}, "
        f"of the sure ones {old.sure:.2f} -> {new.sure:.2f}, "
        f"AP@0.5 on the replayed scenes {old.replay:.3f} -> {new.replay:.3f}"
    )
    reason = f"more consistent: {numbers}" if accepted else f"not handed over, it is no more consistent: {numbers}"
    if not safe:
        reason = f"not handed over, it forgets or misses what it found before: {numbers}"
    return SteadyVerdict(accepted, best, reason)


def measure_steadiness(model: Model, target: Target, tick: Callable[[], None]) -> tuple[float, int]:
    """Return the mean consistency over the images, and how many objects are found in all."""
    values, count = [], 0
    for view in target.views:
        height, width = (max(16, round(n * view.scale)) for n in view.labels.shape)
        piece = resize(view.image, (height, width))
        labels = look(model, piece).labels
        values.append(float(np.mean(list(consistency(model, piece, labels, VIEWS).values()))))
        count += int(labels.max(initial=0))
        tick()
    return float(np.mean(values)), count


def find_sure_again(model: Model, target: Target, tick: Callable[[], None]) -> float:
    """Return which share of the objects that the old model was sure of is found, run as a user would: nothing set.

    A model whose sense of size went astray is as consistent as before at the old size, and useless.
    """
    again = sure = 0
    for view in target.views:
        kept = np.concatenate([[False], view.scores >= target.threshold])[view.labels]
        item = Item(view.name, view.image, np.where(kept, view.labels, 0).astype(np.int32), float("nan"))
        matching = match(item.labels, find_objects(model, item), IOU)
        again, sure = again + matching.tp, sure + matching.tp + matching.fn
        tick()
    return again / max(sure, 1)
