"""Is the adapted model better? Scores as a user would see them, on what was held out and on what is replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.inference import Plane, estimate_diameter, segment_plane
from teasel.inference.scale import network_scale
from teasel.labels.metrics.matching import Matching
from teasel.labels.metrics.overlap import overlap
from teasel.models import Model
from teasel.training.adapt.doubt import Counts, precision, sure_precision_change
from teasel.training.data import Item

__all__ = ["SHARES", "Scores", "Trial", "Verdict", "count_matches", "find_objects", "judge", "score"]

SHARES = (0.25, 0.5, 0.75, 1.0)
"""How far between the weights before and after adaptation a model is looked for."""
HALF_TOLERANCE = 0.01
"""How much average precision at IoU 0.5 may surely fall on what was held out, whatever may be forgotten."""
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

    @classmethod
    def of(cls, counts: Counts) -> Scores:
        """Pool the matches of images."""
        values = precision(counts.sum(0))
        return cls(float(values[0]), float(values[1]), float(values[AVERAGED].mean()))


@dataclass(frozen=True)
class Trial:
    """How one model did: matches on what was held out, image by image, and on what is replayed, scene by scene.

    Parameters
    ----------
    held_out : ndarray of int, shape (image, threshold, 3)
    replay : ndarray of int, shape (scene, threshold, 3)
    """

    held_out: Counts
    replay: Counts


@dataclass(frozen=True)
class Verdict:
    """Whether the adapted model is handed over, and why.

    Parameters
    ----------
    accepted : bool
        True if it is surely better on what was held out and surely not worse on what is replayed.
    share : float
        How far between the weights before (0) and after (1) the best model lies.
    reason : str
        The verdict in a sentence, with both numbers.
    least_gain : float
        What the mean over IoU gains on what was held out in nine of ten draws of its images.
    most_forgotten : float
        What AP at IoU 0.5 changes on what is replayed in nine of ten draws of its scenes, at worst.
    held_out_before, held_out_after, replay_before, replay_after : Scores
        Of the old model and of the best adapted one.
    """

    accepted: bool
    share: float
    reason: str
    least_gain: float
    most_forgotten: float
    held_out_before: Scores
    held_out_after: Scores
    replay_before: Scores
    replay_after: Scores

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, numbers with four digits."""
        return {
            key: {k: round(v, 4) for k, v in value.items()}
            if isinstance(value, dict)
            else round(value, 4)
            if isinstance(value, float)
            else value
            for key, value in asdict(self).items()
        }


def find_objects(model: Model, item: Item) -> NDArray[np.uint32]:
    """Segment one image with nothing set, as a user would."""
    plane = Plane.of_array(item.image, model.spec.normalisation, apart=bool(model.spec.roles))
    diameter = estimate_diameter(model, plane) or model.spec.object_diameter_px
    return segment_plane(model, plane, network_scale(diameter, model)).labels


def count_matches(labels: NDArray[np.integer], found: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count TP, FP and FN at each IoU threshold, shape (threshold, 3); pixels that are not known (-1) do not count."""
    table = overlap(labels, found)
    matchings = [Matching.of(table, threshold) for threshold in THRESHOLDS]
    return np.array([(one.tp, one.fp, one.fn) for one in matchings])


def score(model: Model, items: Sequence[Item], tick: Callable[[], None] = lambda: None) -> Counts:
    """Count the matches of a model on labelled images."""
    counts = []
    for item in items:
        counts.append(count_matches(item.labels, find_objects(model, item)))
        tick()
    return np.array(counts)


def judge(candidates: dict[float, Trial], tolerance: float, objects: int) -> Verdict:
    """Choose among models between the old weights and the new, and say whether the best may be handed over.

    A model is safe if its average precision at IoU 0.5 on replayed scenes surely falls by no more than `tolerance`;
    it is better if on what was held out the mean over IoU surely rises, and average precision at IoU 0.5 does not fall
    and surely falls by no more than 0.01. Surely means: in nine of ten draws, with replacement, of the scenes or
    images. Of the safe models the one whose rise is surest wins.

    Parameters
    ----------
    candidates : dict of float to Trial
        For each share of the way; share 0 is the old model.
    tolerance : float
        How much average precision at IoU 0.5 may fall on replayed scenes.
    objects : int
        Objects that were held out, for the reason.

    Examples
    --------
    >>> counts = np.tile([[5, 5, 5]], (6, 6, 1))
    >>> old, new = Trial(counts, counts), Trial(counts + [2, -2, -2], counts)
    >>> judge({0.0: old, 1.0: new}, 0.01, 60).accepted
    True
    """
    old = candidates[0.0]
    held_before, replay_before = Scores.of(old.held_out), Scores.of(old.replay)
    held = {share: Scores.of(one.held_out) for share, one in candidates.items() if share}
    gain = {share: sure_precision_change(old.held_out, candidates[share].held_out, AVERAGED) for share in held}
    at_half = {share: sure_precision_change(old.held_out, candidates[share].held_out, [0]) for share in held}
    change = {share: sure_precision_change(old.replay, candidates[share].replay, [0]) for share in held}
    safe = [share for share in held if change[share] >= -tolerance]

    def keeps(share: float) -> bool:
        return held[share].ap50 >= held_before.ap50 and at_half[share] >= -HALF_TOLERANCE

    best = max(safe or held, key=lambda share: (keeps(share), round(gain[share], 6), -share))
    better = keeps(best) and gain[best] > 0
    replay_after = Scores.of(candidates[best].replay)
    numbers = (
        f"AP@0.5 on {objects} objects of the held-out crops {held_before.ap50:.3f} -> {held[best].ap50:.3f} "
        f"(surely {at_half[best]:+.3f}; mean over IoU {held_before.mean:.3f} -> {held[best].mean:.3f}, "
        f"surely {gain[best]:+.3f}), "
        f"on the replayed scenes {replay_before.ap50:.3f} -> {replay_after.ap50:.3f} (surely {change[best]:+.3f})"
    )
    if not better:
        reason = f"not handed over, it is not surely better: {numbers}"
    elif not safe:
        reason = (
            f"not handed over, it may forget what it knew: {numbers}; if only images like these matter, allow more "
            "with --replay-tolerance (replay_tolerance): what was trained is then judged again, not trained again"
        )
    else:
        reason = f"better: {numbers}"
    return Verdict(
        accepted=bool(safe) and better,
        share=best,
        reason=reason,
        least_gain=gain[best],
        most_forgotten=change[best],
        held_out_before=held_before,
        held_out_after=held[best],
        replay_before=replay_before,
        replay_after=replay_after,
    )
