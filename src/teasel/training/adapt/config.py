"""Everything an adaptation can be told, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from teasel.errors import ParameterError

__all__ = ["AdaptConfig"]


@dataclass(frozen=True)
class AdaptConfig:
    """Settings of one adaptation; kept with the model it makes.

    Parameters
    ----------
    objects : str
        What the model finds, and so what is replayed: nuclei, cells, or auto (what the model's tags say).
    steps : int
        Optimiser steps of each fold.
    folds : int
        Networks that are trained, each without one part of the corrections, which judges it; one more, that learns
        from all, is the new model. 2 or more; adapting without labels trains one, for as many steps as all together.
    batch_size : int
        Crops per step.
    crop_px : int
        Edge length of a crop in pixels, a multiple of the network's divisor.
    replay_share : float
        Share of the crops that are replayed scenes, in [0, 1).
    replay_scenes : int
        Replayed scenes that are trained on; half as many more judge whether the new model forgets.
    learning_rate : float
        Highest learning rate; it rises over the first steps and halves where weights are averaged, towards the end.
    pull : float
        Strength of the pull of the weights towards where they came from.
    replay_tolerance : float
        How much average precision on the replayed scenes may fall, in [0, 1].
    threads : int
        CPU threads for the network; 0 leaves torch's choice.
    workers : int
        Processes that make crops; 0 makes them in the training process.
    checkpoint_every : int
        Steps between checkpoints.
    seed : int
        Seed of everything random.
    """

    objects: str = "auto"
    steps: int = 100
    folds: int = 3
    batch_size: int = 8
    crop_px: int = 192
    replay_share: float = 0.25
    replay_scenes: int = 60
    learning_rate: float = 1.5e-3
    pull: float = 1e-3
    replay_tolerance: float = 0.01
    threads: int = 0
    workers: int = 1
    checkpoint_every: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        problems = {
            f"objects {self.objects!r}; expected auto, nuclei or cells": self.objects
            not in ("auto", "nuclei", "cells"),
            f"replay_share {self.replay_share}; expected 0 .. 1, 1 excluded": not 0 <= self.replay_share < 1,
            f"folds {self.folds}; expected 2 or more": self.folds < 2,
            f"replay_tolerance {self.replay_tolerance}; expected 0 .. 1": not 0 <= self.replay_tolerance <= 1,
            f"replay_scenes {self.replay_scenes}; expected 15 or more": self.replay_scenes < 15,
            f"steps {self.steps}, batch_size {self.batch_size}, checkpoint_every {self.checkpoint_every}; "
            "expected 1 or more of each": min(self.steps, self.batch_size, self.checkpoint_every) < 1,
            f"crop_px {self.crop_px}; expected 32 or more": self.crop_px < 32,
            f"learning_rate {self.learning_rate}, pull {self.pull}, threads {self.threads}, workers {self.workers}; "
            "expected 0 or more": min(self.learning_rate, self.pull, self.threads, self.workers) < 0,
        }
        for problem, found in problems.items():
            if found:
                raise ParameterError(f"the adaptation has {problem}")

    def last_steps(self, folds: int) -> int:
        """Return the steps of the network that learns from all corrections: as often through them as those of folds.

        Of one fold alone the other parts are points without outlines, which cannot judge: then as many as that had.
        """
        return round(self.steps * folds / max(folds - 1, 1))
