"""Adapting with corrected labels: minutes, a hundred cells, never worse."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from teasel.training.adapt.config import AdaptConfig
from teasel.training.adapt.corrections import Correction
from teasel.training.adapt.crops import AdaptCrops
from teasel.training.adapt.lessons import count_objects, make_lessons, split_lessons
from teasel.training.adapt.network import blend, open_network, running
from teasel.training.adapt.pictures import draw_comparison
from teasel.training.adapt.replay import kind_of, rehearsal
from teasel.training.adapt.result import PICTURE, Adapted, hand_over, write_report
from teasel.training.adapt.stages import Stages
from teasel.training.adapt.tuning import fingerprint, tune
from teasel.training.adapt.verdict import SHARES, find_objects, judge, score

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
    began = time.monotonic()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if config.threads:
        torch.set_num_threads(config.threads)
    stages = Stages(progress, cancelled, {"replay": 10, "before": 10, "train": 55, "choose": 25})
    network, package = open_network(model)
    spec = package.spec
    kind = kind_of(spec, config.objects)
    lessons, held_out = split_lessons(make_lessons(corrections, running(network, spec)), config.held_out, config.seed)
    known, remembered = rehearsal(kind, spec, config, replay, progress=stages.of("replay"))
    tick = stages.ticker("before", len(held_out) + len(remembered))
    before = running(network, spec)
    candidates = {0.0: (score(before, held_out, tick, sized=True), score(before, remembered, tick))}
    old_objects = [find_objects(before, item, sized=True) for item in held_out]
    crops = AdaptCrops.build(lessons, known, spec, config)
    mark = fingerprint(spec, package.digests["weights.pt"], config, [*lessons, *known])
    tuned = tune(network, crops, folder, mark, progress=stages.of("train"), cancelled=cancelled)
    tick = stages.ticker("choose", len(SHARES) * (len(held_out) + len(remembered)))
    for share in SHARES:
        between = running(blend(tuned.network, tuned.start, tuned.end, share), spec)
        candidates[share] = (score(between, held_out, tick, sized=True), score(between, remembered, tick))
    objects = sum(count_objects(item.labels) for item in held_out)
    verdict = judge(candidates, config.replay_tolerance, objects, ("held-out crops", "replayed scenes"))
    chosen = blend(tuned.network, tuned.start, tuned.end, verdict.share)
    draw_comparison(
        held_out,
        old_objects,
        [find_objects(running(chosen, spec), item, sized=True) for item in held_out],
        folder / PICTURE,
    )
    scores = verdict.to_dict() | {
        "objects": {"trained_on": sum(count_objects(i.labels) for i in lessons), "held_out": objects},
        "candidates": {str(share): [asdict(one) for one in pair] for share, pair in candidates.items()},
        "table": {
            "held-out crops, AP@0.5": [verdict.held_out_before.ap50, verdict.held_out_after.ap50],
            "held-out crops, mean over IoU": [verdict.held_out_before.mean, verdict.held_out_after.mean],
            "replayed scenes, AP@0.5": [verdict.replay_before.ap50, verdict.replay_after.ap50],
        },
    }
    place = None
    if verdict.accepted:
        place = hand_over(
            chosen,
            package,
            folder / (name or folder.resolve().name),
            config,
            scores=scores,
            images=lessons,
            seconds=time.monotonic() - began,
            how="with labels",
        )
    adapted = Adapted(verdict.accepted, place, verdict.reason, scores, folder / PICTURE, time.monotonic() - began)
    write_report(folder, adapted)
    stages.done()
    return adapted
