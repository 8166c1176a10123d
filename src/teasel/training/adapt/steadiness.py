"""Is a model that learned without labels better? All that can be seen is whether it finds the same objects again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from teasel.inference.consistency import consistency, look
from teasel.inference.resample import resize
from teasel.labels.metrics.matching import match
from teasel.models import Model
from teasel.training.adapt.doubt import Counts, sure_change, sure_precision_change
from teasel.training.adapt.target import Target
from teasel.training.adapt.verdict import Scores, find_objects
from teasel.training.data import Item

__all__ = ["Steadiness", "SteadyVerdict", "find_sure_again", "judge_steadiness", "measure_steadiness"]

IOU = 0.5
VIEWS = ("turned", "smaller", "larger", "noisy")
LEAST_GAIN = 0.02
"""How much more consistent a model must surely be; kinds of images got worse at gains below that."""
FEWEST_LEFT = 0.6
"""What share of the number of objects found before must still be found."""
SURE_LEFT = 0.9
"""What share of the objects that the old model was sure of must still be found, with nothing set."""


class Steadiness(NamedTuple):
    """How a model does on bare images.

    `steady`: how consistent it is, image by image; `found`: how many objects it finds; `sure`: which share of those
    that the old model was sure of is among them; `replay`: matches on replayed scenes.
    """

    steady: Sequence[float]
    found: int
    sure: float
    replay: Counts

    def plain(self) -> dict[str, float]:
        """Return one number each: mean consistency, objects, sure ones found, AP at IoU 0.5 on replayed scenes."""
        numbers = (float(np.mean(self.steady)), float(self.found), self.sure, Scores.of(self.replay).ap50)
        return dict(zip(("steady", "found", "sure", "replay"), numbers, strict=True))


class SteadyVerdict(NamedTuple):
    """Whether a model that learned without labels is handed over, how far it went, and why."""

    accepted: bool
    share: float
    reason: str


def judge_steadiness(rows: dict[float, Steadiness], tolerance: float) -> SteadyVerdict:
    """Choose the most consistent model that neither forgets nor loses objects, and say whether it may be handed over.

    Surely more consistent, and surely not forgetting: in nine of ten draws of the images or scenes.

    Parameters
    ----------
    rows : dict of float to Steadiness
        For each share of the way from the old weights to the new; 0 is the old model.
    tolerance : float
        How much average precision at IoU 0.5 may fall on replayed scenes.

    Examples
    --------
    >>> scenes = np.tile([[9, 1, 0]], (6, 6, 1))
    >>> old, new = Steadiness([0.6, 0.6], 50, 1.0, scenes), Steadiness([0.7, 0.68], 48, 0.97, scenes)
    >>> judge_steadiness({0.0: old, 1.0: new}, 0.01).accepted
    True
    """
    old = rows[0.0]
    gain = {share: sure_change(old.steady, row.steady) for share, row in rows.items() if share}
    safe = [
        share
        for share in gain
        if sure_precision_change(old.replay, rows[share].replay, [0]) >= -tolerance
        and rows[share].found >= FEWEST_LEFT * old.found
        and rows[share].sure >= SURE_LEFT * old.sure
    ]
    best = max(safe or gain, key=lambda share: gain[share])
    accepted = bool(safe) and gain[best] >= LEAST_GAIN
    before, after = old.plain(), rows[best].plain()
    numbers = (
        f"consistency on {len(old.steady)} images {before['steady']:.3f} -> {after['steady']:.3f} "
        f"(surely {gain[best]:+.3f}), objects {before['found']:.0f} -> {after['found']:.0f}, "
        f"of the sure ones {before['sure']:.2f} -> {after['sure']:.2f}, "
        f"AP@0.5 on the replayed scenes {before['replay']:.3f} -> {after['replay']:.3f}"
    )
    reason = f"more consistent: {numbers}" if accepted else f"not handed over, it is no more consistent: {numbers}"
    if not safe:
        reason = f"not handed over, it may forget or misses what it found before: {numbers}"
    return SteadyVerdict(accepted, best, reason)


def measure_steadiness(model: Model, target: Target, tick: Callable[[], None]) -> tuple[list[float], int]:
    """Return the consistency on each image, and how many objects are found in all."""
    values, count = [], 0
    for view in target.views:
        height, width = (max(16, round(n * view.scale)) for n in view.labels.shape)
        piece = resize(view.image, (height, width))
        labels = look(model, piece).labels
        values.append(float(np.mean(list(consistency(model, piece, labels, VIEWS).values()))))
        count += int(labels.max(initial=0))
        tick()
    return values, count


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
