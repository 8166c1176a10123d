"""Is a model that learned without labels better? All that can be seen is whether it finds the same objects again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from teasel.inference.consistency import consistency, look
from teasel.inference.resample import resize
from teasel.models import Model
from teasel.training.adapt.target import Target

__all__ = ["Steadiness", "SteadyVerdict", "judge_steadiness", "measure_steadiness"]

VIEWS = ("turned", "smaller", "larger", "noisy")
LEAST_GAIN = 0.002
"""How much more consistent a model must be."""
FEWEST_LEFT = 0.6
"""What share of the objects found before must still be found."""


class Steadiness(NamedTuple):
    """How consistent a model is on bare images, how many objects it finds, and AP at IoU 0.5 on replayed scenes."""

    steady: float
    found: int
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
    >>> judge_steadiness({0.0: Steadiness(0.6, 50, 0.9), 1.0: Steadiness(0.7, 48, 0.9)}, 0.01, 3).accepted
    True
    """
    old = rows[0.0]
    safe = {
        share: row
        for share, row in rows.items()
        if share and row.replay >= old.replay - tolerance and row.found >= FEWEST_LEFT * old.found
    }
    among = safe or {share: row for share, row in rows.items() if share}
    best = max(among, key=lambda share: among[share].steady)
    new = rows[best]
    accepted = bool(safe) and new.steady >= old.steady + LEAST_GAIN
    numbers = (
        f"consistency on {images} images {old.steady:.3f} -> {new.steady:.3f}, objects {old.found} -> "
        f"{new.found}, AP@0.5 on the replayed scenes {old.replay:.3f} -> {new.replay:.3f}"
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
