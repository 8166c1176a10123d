"""Adapting with corrected labels: minutes, a hundred cells, never worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.models import Model
from teasel.training.adapt.config import AdaptConfig
from teasel.training.adapt.corrections import Correction
from teasel.training.adapt.course import begin, between
from teasel.training.adapt.lessons import Lesson, count_objects, deal, group, make_lessons, part_lessons
from teasel.training.adapt.network import running
from teasel.training.adapt.pictures import draw_comparison
from teasel.training.adapt.result import PICTURE, Adapted
from teasel.training.adapt.verdict import SHARES, Scores, Trial, count_matches, find_objects, judge, score

__all__ = ["adapt"]

Found = dict[float, dict[int, NDArray[np.uint32]]]
"""Share of the way -> number of the part -> objects found in its image."""


def adapt(
    corrections: Sequence[Correction],
    folder: str | Path,
    *,
    model: str | Path = "nuclei",
    name: str | None = None,
    config: AdaptConfig | None = None,
    replay: Sequence[str | Path] = (),
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Adapted:
    """Adapt a shipped model to corrected images.

    Parameters
    ----------
    corrections : sequence of Correction
        All corrections there are, from this round and from those before.
    folder : path
        Gets the checkpoint, ``report.json``, ``before_after.png`` and, if it is better, the model folder. Started
        again with the same corrections, the run goes on where it stopped.
    model : str or path
        The model to start from, always one that was not adapted itself.
    name : str, optional
        Name of the new model; the folder's name if not given.
    config : AdaptConfig, optional
        Settings.
    replay : sequence of path
        Folders of labelled images that must not be forgotten, as for `teasel.training.train`.
    progress : callable, optional
        Called as ``progress(done, total)`` in thousandths of the whole; an exception raised in it stops the run.
    cancelled : callable, optional
        Asked often whether to stop; may be set from another thread.

    Returns
    -------
    Adapted
        The verdict, and the model folder if the new model is surely better on corrections that it has not seen and
        surely not worse on replayed scenes.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    DataError
        If the corrections are too few to learn from one part and judge by another.
    ModelError
        If the model was adapted already or cannot be trained.

    Notes
    -----
    Every correction both teaches and judges (cross-validation): one network is trained without each fold of them and
    judged by it, run on the whole image as a user would. What is handed over is one more network, trained in the same
    way on all corrections, as far from the old weights as was best for the others, and judged by the replayed scenes.

    References
    ----------
    Pachitariu and Stringer 2022, doi:10.1038/s41592-022-01663-4 (human in the loop); Wortsman et al. 2022,
    doi:10.1109/CVPR52688.2022.00780 (interpolated weights).
    """
    config = config or AdaptConfig()
    course = begin(folder, model, config, progress, cancelled)
    parts = part_lessons(make_lessons(corrections, course.model))
    folds = deal(parts, config.folds, config.seed)
    groups = group(parts)
    judged = [k for one in groups for k in one]
    known, remembered = course.rehearse(replay)
    tick = course.stages.ticker("before", len(judged) + len(remembered))
    found: Found = {0.0: _find(course.model, parts, judged, tick)}
    replayed = {0.0: score(course.model, remembered, tick)}
    turns = len(folds) + 1
    runs = []
    for turn, fold in enumerate(folds):
        others = [part for k, part in enumerate(parts) if k not in fold]
        runs.append(course.train(others, known, config.steps, turn=turn, turns=turns))
    tuned = course.train(parts, known, config.last_steps(len(folds)), turn=len(folds), turns=turns)
    tick = course.stages.ticker("choose", len(SHARES) * (len(judged) + len(remembered)))
    for share in SHARES:
        found[share] = {}
        for run, fold in zip(runs, folds, strict=True):
            found[share] |= _find(running(between(run, share), course.spec), parts, fold, tick)
        replayed[share] = score(running(between(tuned, share), course.spec), remembered, tick)
    trials = {share: Trial(_count(parts, groups, found[share]), replayed[share]) for share in found}
    objects = sum(count_objects(parts[k].labels) for k in judged)
    verdict = judge(trials, config.replay_tolerance, objects)
    _draw(parts, found, verdict.share, course.folder / PICTURE)
    scores = verdict.to_dict() | {
        "objects": objects,
        "groups": len(groups),
        "folds": len(folds),
        "candidates": {
            str(share): [asdict(Scores.of(counts)) for counts in (trial.held_out, trial.replay)]
            for share, trial in trials.items()
        },
        "table": {
            "held-out crops, AP@0.5": [verdict.held_out_before.ap50, verdict.held_out_after.ap50],
            "held-out crops, mean over IoU": [verdict.held_out_before.mean, verdict.held_out_after.mean],
            "replayed scenes, AP@0.5": [verdict.replay_before.ap50, verdict.replay_after.ap50],
        },
    }
    return course.end(tuned, scores, name=name, images=parts, how="with labels")


def _find(
    model: Model, parts: Sequence[Lesson], numbers: Sequence[int], tick: Callable[[], None]
) -> dict[int, NDArray[np.uint32]]:
    """Segment the images of some parts as a user would, each image once."""
    seen: dict[int, NDArray[np.uint32]] = {}
    found = {}
    for k in numbers:
        key = id(parts[k].image)
        if key not in seen:
            seen[key] = find_objects(model, parts[k])
        found[k] = seen[key]
        tick()
    return found


def _count(
    parts: Sequence[Lesson], groups: Sequence[Sequence[int]], found: dict[int, NDArray[np.uint32]]
) -> NDArray[np.int64]:
    """Count the matches of each group of parts, shape (group, threshold, 3)."""
    counts = {k: count_matches(parts[k].labels, labels) for k, labels in found.items()}
    return np.array([sum(counts[k] for k in one) for one in groups])


def _draw(parts: Sequence[Lesson], found: Found, share: float, path: Path) -> None:
    """Draw what is known of each part, and what was and is found there."""
    views, before, after = [], [], []
    for k in found[share]:
        known = np.nonzero(parts[k].labels >= 0)
        box = tuple(slice(int(where.min()), int(where.max()) + 1) for where in known)
        views.append(replace(parts[k], image=parts[k].image[(slice(None), *box)], labels=parts[k].labels[box]))
        before.append(found[0.0][k][box])
        after.append(found[share][k][box])
    draw_comparison(views, before, after, path)
