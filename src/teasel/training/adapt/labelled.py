"""Adapting with corrected labels: minutes, a hundred cells, never worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from teasel.models import Model
from teasel.training.adapt.config import AdaptConfig
from teasel.training.adapt.corrections import Correction
from teasel.training.adapt.course import begin, between
from teasel.training.adapt.lessons import count_objects, make_lessons, split_lessons
from teasel.training.adapt.network import running
from teasel.training.adapt.pictures import draw_comparison
from teasel.training.adapt.result import PICTURE, Adapted
from teasel.training.adapt.verdict import Scores, find_objects, judge, score

__all__ = ["adapt"]


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
        The verdict, and the model folder if the new model is better on corrected crops that were held out and not
        worse on replayed scenes.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    DataError
        If the corrections are too few to learn from one part and judge by another.
    ModelError
        If the model was adapted already or cannot be trained.

    References
    ----------
    Pachitariu and Stringer 2022, doi:10.1038/s41592-022-01663-4 (human in the loop); Wortsman et al. 2022,
    doi:10.1109/CVPR52688.2022.00780 (interpolated weights).
    """
    config = config or AdaptConfig()
    course = begin(folder, model, config, progress, cancelled)
    lessons, held_out = split_lessons(make_lessons(corrections, course.model), config.held_out, config.seed)
    known, remembered = course.rehearse(replay)
    old_objects = [find_objects(course.model, item, sized=True) for item in held_out]

    def measure(one: Model, tick: Callable[[], None]) -> tuple[Scores, Scores]:
        return score(one, held_out, tick, sized=True), score(one, remembered, tick)

    tuned, candidates = course.train_and_measure(lessons, known, measure, len(held_out) + len(remembered))
    objects = sum(count_objects(item.labels) for item in held_out)
    verdict = judge(candidates, config.replay_tolerance, objects, ("held-out crops", "replayed scenes"))
    chosen = running(between(tuned, verdict.share), course.spec)
    new_objects = [find_objects(chosen, item, sized=True) for item in held_out]
    draw_comparison(held_out, old_objects, new_objects, course.folder / PICTURE)
    scores = verdict.to_dict() | {
        "objects": {"trained_on": sum(count_objects(i.labels) for i in lessons), "held_out": objects},
        "candidates": {str(share): [asdict(one) for one in pair] for share, pair in candidates.items()},
        "table": {
            "held-out crops, AP@0.5": [verdict.held_out_before.ap50, verdict.held_out_after.ap50],
            "held-out crops, mean over IoU": [verdict.held_out_before.mean, verdict.held_out_after.mean],
            "replayed scenes, AP@0.5": [verdict.replay_before.ap50, verdict.replay_after.ap50],
        },
    }
    return course.end(tuned, scores, name=name, images=lessons, how="with labels")
