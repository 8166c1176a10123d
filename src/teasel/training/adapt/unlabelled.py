"""Adapting to bare images: the model learns from what it is sure of, in new arrangements, and keeps what it knew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from teasel.errors import ParameterError
from teasel.models import Model
from teasel.training.adapt.config import AdaptConfig
from teasel.training.adapt.course import begin, between
from teasel.training.adapt.folder import read_plane
from teasel.training.adapt.network import running
from teasel.training.adapt.pictures import draw_comparison
from teasel.training.adapt.restyle import believed, lay_out, restyled
from teasel.training.adapt.result import PICTURE, Adapted
from teasel.training.adapt.steadiness import Steadiness, find_sure_again, judge_steadiness, measure_steadiness
from teasel.training.adapt.target import View, study
from teasel.training.adapt.verdict import SHARES, find_objects, score
from teasel.training.data import Item

__all__ = ["adapt_unlabelled"]

MOST_IMAGES = 12
LAYOUTS = 30
RESTYLED = 40
REPLAYED = 1 / 3


def adapt_unlabelled(
    images: Sequence[str | Path],
    folder: str | Path,
    *,
    model: str | Path = "nuclei",
    name: str | None = None,
    config: AdaptConfig | None = None,
    replay: Sequence[str | Path] = (),
    channels: Sequence[int | str] = (),
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Adapted:
    """Adapt a shipped model to images that nobody has labelled.

    Parameters
    ----------
    images : sequence of path
        Images of one kind; of more than 12, every n-th is used.
    folder, model, name, config, replay, progress, cancelled
        As for `teasel.training.adapt.adapt`; of the crops a third is replayed, whatever ``config.replay_share`` says.
    channels : sequence of int or str
        As for `read_corrections`.

    Returns
    -------
    Adapted
        The new model is handed over only if its predictions on the images are surely more consistent under changes that
        change no object (turning, scaling, noise), it finds no less than six tenths of the objects found before and
        nine tenths of those that the old model was sure of, and it is not worse on replayed scenes.

    Raises
    ------
    ParameterError
        If there is no image.
    DataError
        If the model is sure of too few objects in the images.
    Cancelled
        If `cancelled` said so.

    Notes
    -----
    Consistency is no proof: without labels nobody knows the score. A few corrected cells and `adapt` are worth more.

    References
    ----------
    Hollandi et al. 2020, doi:10.1016/j.cels.2020.04.003 (adapting by scenes in the style of the target).
    """
    if not images:
        raise ParameterError("no images; give images, or a folder of them")
    config = config or AdaptConfig()
    config = replace(config, steps=config.folds * config.steps, replay_share=REPLAYED)
    course = begin(folder, model, config, progress, cancelled)
    chosen = [Path(path) for path in images[:: -(-len(images) // MOST_IMAGES)]]
    target = study(course.model, [(path.stem, read_plane(path, channels)) for path in chosen])
    known, remembered = course.rehearse(replay)
    lessons = [
        *believed(target),
        *lay_out(target, LAYOUTS, size_px=int(1.5 * config.crop_px / target.views[0].scale), seed=config.seed),
        *restyled(known[:RESTYLED], target, seed=config.seed),
    ]

    def measure(one: Model, tick: Callable[[], None]) -> Steadiness:
        steady, found = measure_steadiness(one, target, tick)
        sure = find_sure_again(one, target, tick)
        return Steadiness(steady, found, sure, score(one, remembered, tick))

    ticks = len(remembered) + 2 * len(target.views)
    rows = {0.0: measure(course.model, course.stages.ticker("before", ticks))}
    tuned = course.train([one for one in lessons if (one.labels > 0).any()], known, config.steps)
    tick = course.stages.ticker("choose", len(SHARES) * ticks)
    rows |= {share: measure(running(between(tuned, share), course.spec), tick) for share in SHARES}
    verdict = judge_steadiness(rows, config.replay_tolerance)
    after = running(between(tuned, verdict.share), course.spec)
    items = [_item(view) for view in target.views]
    draw_comparison(
        items,
        [view.labels for view in target.views],
        [find_objects(after, item) for item in items],
        course.folder / PICTURE,
    )
    old, new = rows[0.0].plain(), rows[verdict.share].plain()
    scores = {
        "accepted": verdict.accepted,
        "share": verdict.share,
        "reason": verdict.reason,
        "confident_above": target.threshold,
        "diameter_px": target.diameter_px,
        "noise": target.noise,
        "blur_px": target.blur_px,
        "candidates": {str(share): row.plain() for share, row in rows.items()},
        "table": {
            "consistency on the images": [old["steady"], new["steady"]],
            "objects found": [old["found"], new["found"]],
            "sure objects found again": [old["sure"], new["sure"]],
            "replayed scenes, AP@0.5": [old["replay"], new["replay"]],
        },
    }
    return course.end(tuned, scores, name=name, images=items, how="without labels")


def _item(view: View) -> Item:
    """Return an image without labels, for pictures and the test image."""
    return Item(view.name, view.image, np.zeros(view.labels.shape, np.int32), float("nan"))
