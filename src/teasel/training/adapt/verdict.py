"""Is the adapted model better? Scores as a user would see them, on what was held out and on what is replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.inference import Plane, estimate_diameter, segment_plane
from teasel.inference.scale import network_scale
from teasel.labels.metrics.matching import average_precision
from teasel.models import Model
from teasel.training.data import Item

__all__ = ["SHARES", "Scores", "Verdict", "find_objects", "judge", "score"]

SHARES = (0.25, 0.5, 0.75, 1.0)
"""How far between the weights before and after adaptation a model is looked for."""
THRESHOLDS = (0.5, 0.75)


@dataclass(frozen=True)
class Scores:
    """Average precision (TP / (TP + FP + FN), pooled) at IoU 0.5 and 0.75, in [0, 1]."""

    ap50: float
    ap75: float

    @property
    def mean(self) -> float:
        """Mean of both: what models in between are compared by."""
        return (self.ap50 + self.ap75) / 2


@dataclass(frozen=True)
class Verdict:
    """Whether the adapted model is handed over, and why.

    Parameters
    ----------
    accepted : bool
        True if it is better on what was held out and not worse on what is replayed.
    share : float
        How far between the weights before (0) and after (1) the best model lies.
    reason : str
        The verdict in a sentence, with both numbers.
    held_out_before, held_out_after, replay_before, replay_after : Scores
        Of the old model and of the best adapted one.
    """

    accepted: bool
    share: float
    reason: str
    held_out_before: Scores
    held_out_after: Scores
    replay_before: Scores
    replay_after: Scores

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, numbers with four digits."""
        return {
            key: {k: round(v, 4) for k, v in value.items()} if isinstance(value, dict) else value
            for key, value in asdict(self).items()
        }


def find_objects(model: Model, item: Item) -> NDArray[np.uint32]:
    """Segment one image with nothing set, as a user would."""
    plane = Plane.of_array(item.image, model.spec.normalisation)
    diameter = estimate_diameter(model, plane) or model.spec.object_diameter_px
    return segment_plane(model, plane, network_scale(diameter, model)).labels


def score(model: Model, items: Sequence[Item], tick: Callable[[], None] = lambda: None) -> Scores:
    """Score a model on labelled images; pixels that are not known (-1) do not count."""
    found = []
    for item in items:
        found.append(find_objects(model, item))
        tick()
    values = average_precision([item.labels for item in items], found, THRESHOLDS)
    return Scores(*(float(value) for value in values))


def judge(
    candidates: dict[float, tuple[Scores, Scores]], tolerance: float, held_out_objects: int, names: tuple[str, str]
) -> Verdict:
    """Choose among models between the old weights and the new, and say whether the best may be handed over.

    Parameters
    ----------
    candidates : dict of float to (Scores, Scores)
        For each share of the way, scores on what was held out and on what is replayed; share 0 is the old model.
    tolerance : float
        How much average precision at IoU 0.5 may fall on what is replayed.
    held_out_objects : int
        Objects that were held out, for the reason.
    names : tuple of str
        What the two sets are called in the reason.

    Examples
    --------
    >>> old, new = Scores(0.5, 0.3), Scores(0.6, 0.4)
    >>> judge({0.0: (old, old), 1.0: (new, old)}, 0.01, 25, ("held-out crops", "replayed scenes")).accepted
    True
    """
    held_before, replay_before = candidates[0.0]
    safe = [
        share for share, (_, replay) in candidates.items() if share and replay.ap50 >= replay_before.ap50 - tolerance
    ]
    shares = safe or [share for share in candidates if share]
    best = max(shares, key=lambda share: (round(candidates[share][0].mean, 6), -share))
    held, replay = candidates[best]
    better = (held.ap50, held.ap75) > (held_before.ap50, held_before.ap75)
    numbers = (
        f"AP@0.5 on {held_out_objects} objects of the {names[0]} {held_before.ap50:.3f} -> {held.ap50:.3f}, "
        f"on the {names[1]} {replay_before.ap50:.3f} -> {replay.ap50:.3f}"
    )
    if not safe:
        reason = f"not handed over, it forgets what it knew: {numbers}"
    elif not better:
        reason = f"not handed over, it is not better: {numbers}"
    else:
        reason = f"better: {numbers}"
    return Verdict(bool(safe) and better, best, reason, held_before, held, replay_before, replay)
