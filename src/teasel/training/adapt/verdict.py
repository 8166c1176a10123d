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
THRESHOLDS = (0.5, 0.75, 0.6, 0.7, 0.8, 0.9)
AVERAGED = [0, 2, 3, 4, 5]


@dataclass(frozen=True)
class Scores:
    """Average precision (TP / (TP + FP + FN), pooled), in [0, 1].

    Parameters
    ----------
    ap50, ap75 : float
        At IoU 0.5 and 0.75.
    mean : float
        Mean over IoU 0.5, 0.6, 0.7, 0.8 and 0.9: what models are compared by, as it moves with few objects too.
    """

    ap50: float
    ap75: float
    mean: float


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


def find_objects(model: Model, item: Item, *, sized: bool = False) -> NDArray[np.uint32]:
    """Segment one image with nothing set, as a user would; `sized`, with the diameter of its labelled objects given.

    A crop with a handful of objects is too small to estimate their size from, while the images that it was cut from
    are not: it should be judged at the size it has.
    """
    plane = Plane.of_array(item.image, model.spec.normalisation, apart=bool(model.spec.roles))
    known = item.diameter_px if sized and np.isfinite(item.diameter_px) else None
    diameter = known or estimate_diameter(model, plane) or model.spec.object_diameter_px
    return segment_plane(model, plane, network_scale(diameter, model)).labels


def score(
    model: Model, items: Sequence[Item], tick: Callable[[], None] = lambda: None, *, sized: bool = False
) -> Scores:
    """Score a model on labelled images; pixels that are not known (-1) do not count."""
    found = []
    for item in items:
        found.append(find_objects(model, item, sized=sized))
        tick()
    values = average_precision([item.labels for item in items], found, THRESHOLDS)
    return Scores(float(values[0]), float(values[1]), float(values[AVERAGED].mean()))


def judge(
    candidates: dict[float, tuple[Scores, Scores]], tolerance: float, held_out_objects: int, names: tuple[str, str]
) -> Verdict:
    """Choose among models between the old weights and the new, and say whether the best may be handed over.

    Better is a higher mean over IoU on what was held out, with no lower average precision at IoU 0.5.

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
    >>> old, new = Scores(0.5, 0.3, 0.25), Scores(0.6, 0.4, 0.35)
    >>> judge({0.0: (old, old), 1.0: (new, old)}, 0.01, 25, ("held-out crops", "replayed scenes")).accepted
    True
    """
    held_before, replay_before = candidates[0.0]
    safe = [
        share for share, (_, replay) in candidates.items() if share and replay.ap50 >= replay_before.ap50 - tolerance
    ]
    shares = safe or [share for share in candidates if share]

    def merit(share: float) -> tuple[bool, float, float]:
        mine = candidates[share][0]
        return mine.ap50 >= held_before.ap50, round(mine.mean, 6), -share

    best = max(shares, key=merit)
    held, replay = candidates[best]
    better = held.ap50 >= held_before.ap50 and held.mean > held_before.mean
    numbers = (
        f"AP@0.5 on {held_out_objects} objects of the {names[0]} {held_before.ap50:.3f} -> {held.ap50:.3f} "
        f"(mean over IoU {held_before.mean:.3f} -> {held.mean:.3f}), "
        f"on the {names[1]} {replay_before.ap50:.3f} -> {replay.ap50:.3f}"
    )
    if not safe:
        reason = f"not handed over, it forgets what it knew: {numbers}"
    elif not better:
        reason = f"not handed over, it is not better: {numbers}"
    else:
        reason = f"better: {numbers}"
    return Verdict(bool(safe) and better, best, reason, held_before, held, replay_before, replay)
