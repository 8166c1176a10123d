"""Adapting to bare images: the model learns from what it is sure of, in new arrangements, and keeps what it knew."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from teasel.errors import ParameterError
from teasel.inference.consistency import consistency, look
from teasel.inference.resample import resize
from teasel.models import Model
from teasel.training.adapt.config import AdaptConfig
from teasel.training.adapt.crops import AdaptCrops
from teasel.training.adapt.folder import read_plane
from teasel.training.adapt.network import blend, open_network, running
from teasel.training.adapt.pictures import draw_comparison
from teasel.training.adapt.replay import kind_of, rehearsal
from teasel.training.adapt.restyle import believed, lay_out, restyled
from teasel.training.adapt.result import PICTURE, Adapted, hand_over, write_report
from teasel.training.adapt.stages import Stages
from teasel.training.adapt.target import Target, View, study
from teasel.training.adapt.tuning import fingerprint, tune
from teasel.training.adapt.verdict import SHARES, find_objects, score
from teasel.training.data import Item

__all__ = ["adapt_unlabelled"]

MOST_IMAGES = 12
LAYOUTS = 30
RESTYLED = 40
REPLAYED = 1 / 3
LEAST_GAIN = 0.002
FEWEST_LEFT = 0.6
VIEWS = ("turned", "smaller", "larger", "noisy")


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
        The new model is handed over only if its predictions on the images are more consistent under changes that
        change no object (turning, scaling, noise), it finds no less than six tenths of the objects found before,
        and it is not worse on replayed scenes.

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
    config = replace(config or AdaptConfig(), replay_share=REPLAYED)
    began = time.monotonic()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if config.threads:
        torch.set_num_threads(config.threads)
    stages = Stages(progress, cancelled, {"replay": 10, "before": 10, "train": 55, "choose": 25})
    network, package = open_network(model)
    spec = package.spec
    kind = kind_of(spec, config.objects)
    chosen = [Path(path) for path in images[:: -(-len(images) // MOST_IMAGES)]]
    before = running(network, spec)
    target = study(before, [(path.stem, read_plane(path, channels)) for path in chosen])
    known, remembered = rehearsal(kind, spec, config, replay, progress=stages.of("replay"))
    lessons = [
        *believed(target),
        *lay_out(target, LAYOUTS, size_px=int(1.5 * config.crop_px / target.views[0].scale), seed=config.seed),
        *restyled(known[:RESTYLED], target, seed=config.seed),
    ]
    lessons = [one for one in lessons if (one.labels > 0).any()]
    tick = stages.ticker("before", len(remembered) + len(target.views))
    steady, found = _steadiness(before, target, tick)
    recalled = score(before, remembered, tick)
    crops = AdaptCrops.build(lessons, known, spec, config)
    mark = fingerprint(spec, package.digests["weights.pt"], config, [*lessons, *known])
    tuned = tune(network, crops, folder, mark, progress=stages.of("train"), cancelled=cancelled)
    tick = stages.ticker("choose", len(SHARES) * (len(remembered) + len(target.views)))
    rows = {}
    for share in SHARES:
        between = running(blend(tuned.network, tuned.start, tuned.end, share), spec)
        rows[share] = (*_steadiness(between, target, tick), score(between, remembered, tick))
    safe = {
        share: row
        for share, row in rows.items()
        if row[2].ap50 >= recalled.ap50 - config.replay_tolerance and row[1] >= FEWEST_LEFT * found
    }
    best = max(safe or rows, key=lambda share: (safe or rows)[share][0])
    after_steady, after_found, after_recalled = rows[best]
    accepted = bool(safe) and after_steady >= steady + LEAST_GAIN
    numbers = (
        f"consistency on {len(target.views)} images {steady:.3f} -> {after_steady:.3f}, objects {found} -> "
        f"{after_found}, AP@0.5 on the replayed scenes {recalled.ap50:.3f} -> {after_recalled.ap50:.3f}"
    )
    reason = f"more consistent: {numbers}" if accepted else f"not handed over, it is no more consistent: {numbers}"
    if not safe:
        reason = f"not handed over, it forgets or misses what it found before: {numbers}"
    final = blend(tuned.network, tuned.start, tuned.end, best)
    items = [_item(view) for view in target.views]
    draw_comparison(
        items,
        [view.labels for view in target.views],
        [find_objects(running(final, spec), item) for item in items],
        folder / PICTURE,
    )
    scores = {
        "accepted": accepted,
        "share": best,
        "reason": reason,
        "confident_above": target.threshold,
        "diameter_px": target.diameter_px,
        "noise": target.noise,
        "blur_px": target.blur_px,
        "candidates": {str(share): [row[0], row[1], row[2].ap50] for share, row in rows.items()},
        "table": {
            "consistency on the images": [steady, after_steady],
            "objects found": [float(found), float(after_found)],
            "replayed scenes, AP@0.5": [recalled.ap50, after_recalled.ap50],
        },
    }
    place = None
    if accepted:
        place = hand_over(
            final,
            package,
            folder / (name or folder.resolve().name),
            config,
            scores=scores,
            images=items,
            seconds=time.monotonic() - began,
            how="without labels",
        )
    adapted = Adapted(accepted, place, reason, scores, folder / PICTURE, time.monotonic() - began)
    write_report(folder, adapted)
    stages.done()
    return adapted


def _steadiness(model: Model, target: Target, tick: Callable[[], None]) -> tuple[float, int]:
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


def _item(view: View) -> Item:
    """Return an image without labels, for pictures and the test image."""
    return Item(view.name, view.image, np.zeros(view.labels.shape, np.int32), float("nan"))
