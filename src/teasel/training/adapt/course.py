"""The course of every adaptation, with labels or without: begin, rehearse, train, end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from teasel.models import Model, ModelSpec, Package
from teasel.networks.unet import UNet
from teasel.training.adapt.config import AdaptConfig
from teasel.training.adapt.crops import AdaptCrops
from teasel.training.adapt.lessons import Lesson
from teasel.training.adapt.network import blend, open_network, running
from teasel.training.adapt.replay import kind_of, rehearsal
from teasel.training.adapt.result import PICTURE, Adapted, hand_over, write_report
from teasel.training.adapt.stages import Stages
from teasel.training.adapt.tuning import CHECKPOINT, Tuned, fingerprint, tune
from teasel.training.data import Item

__all__ = ["Course", "begin", "between"]

STAGES = {"replay": 10, "before": 10, "train": 55, "choose": 25}


@dataclass(frozen=True)
class Course:
    """An adaptation under way.

    Parameters
    ----------
    folder : Path
        Gets everything that is written.
    config : AdaptConfig
        Settings.
    stages : Stages
        Progress, and the wish to stop.
    network : UNet
        Has the old weights.
    package : Package
        The model that is adapted.
    began : float
        When, on the monotonic clock.
    """

    folder: Path
    config: AdaptConfig
    stages: Stages
    network: UNet
    package: Package
    began: float

    @property
    def spec(self) -> ModelSpec:
        """The specification of the model that is adapted."""
        return self.package.spec

    @property
    def model(self) -> Model:
        """The network as it is now, running as any user's model does."""
        return running(self.network, self.spec)

    def rehearse(self, replay: Sequence[str | Path]) -> tuple[list[Item], list[Item]]:
        """Gather what must not be forgotten, see `rehearsal`: what is replayed, and what forgetting is judged by."""
        kind = kind_of(self.spec, self.config.objects)
        return rehearsal(kind, self.spec, self.config, replay, progress=self.stages.of("replay"))

    def train(
        self, lessons: Sequence[Lesson], known: Sequence[Item], steps: int, *, turn: int = 0, turns: int = 1
    ) -> Tuned:
        """Train a copy of the network on lessons and replayed scenes.

        Parameters
        ----------
        lessons : sequence of Lesson
            What is learned from.
        known : sequence of Item
            What is replayed.
        steps : int
            Optimiser steps.
        turn, turns : int
            Which training of how many this is; each has crops and a checkpoint of its own.
        """
        config = replace(self.config, seed=self.config.seed + turn, steps=steps)
        crops = AdaptCrops.build(lessons, known, self.spec, config)
        report = self.stages.of("train")
        return tune(
            deepcopy(self.network),
            crops,
            self.folder / CHECKPOINT.format(turn),
            fingerprint(self.spec, self.package.digests["weights.pt"], config, [*lessons, *known]),
            progress=lambda done, steps: report(turn * steps + done, turns * steps),
            cancelled=self.stages.cancelled,
        )

    def end(
        self,
        tuned: Tuned,
        scores: dict[str, Any],
        *,
        name: str | None,
        images: Sequence[Item],
        how: str,
    ) -> Adapted:
        """Hand the chosen model over if it was accepted, and write the report.

        Parameters
        ----------
        tuned : Tuned
            The weights before and after.
        scores : dict
            All numbers; `accepted`, `share` and `reason` among them.
        name : str or None
            Name of the new model; the folder's if None.
        images : sequence of Item
            What was learned from.
        how : str
            ``"with labels"`` or ``"without labels"``.
        """
        place = None
        if scores["accepted"]:
            place = hand_over(
                between(tuned, scores["share"]),
                self.package,
                self.folder / (name or self.folder.resolve().name),
                self.config,
                scores=scores,
                images=images,
                seconds=time.monotonic() - self.began,
                how=how,
            )
        spent = time.monotonic() - self.began
        adapted = Adapted(scores["accepted"], place, scores["reason"], scores, self.folder / PICTURE, spent)
        write_report(self.folder, adapted)
        self.stages.done()
        return adapted


def begin(
    folder: str | Path,
    model: str | Path,
    config: AdaptConfig,
    progress: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> Course:
    """Open the model that is adapted; parameters are those of `teasel.training.adapt.adapt`.

    Raises
    ------
    ModelError
        If the model cannot be trained on.
    ParameterError
        If nobody says whether it finds nuclei or cells.
    """
    began = time.monotonic()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if config.threads:
        torch.set_num_threads(config.threads)
    stages = Stages(progress, cancelled, STAGES)
    network, package = open_network(model)
    kind_of(package.spec, config.objects)  # better asked now than after minutes
    return Course(folder, config, stages, network, package, began)


def between(tuned: Tuned, share: float) -> UNet:
    """Return the network a share of the way from the old weights to the new."""
    return blend(tuned.network, tuned.start, tuned.end, share)
