"""Scenes of many styles, labelled by construction, that keep a model from forgetting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from teasel.errors import ParameterError
from teasel.models import ModelSpec
from teasel.models.roles import distinct
from teasel.training.adapt.config import AdaptConfig
from teasel.training.data import Item, find_pairs, median_diameter, normalise, read_items

__all__ = ["kind_of", "own_replay", "rehearsal", "replay_scenes"]

SCENE_PX = 256


def kind_of(spec: ModelSpec, objects: str) -> str:
    """Say whether a model finds nuclei or cells: as asked for, or as its name and tags say.

    Raises
    ------
    ParameterError
        If neither says.
    """
    if objects != "auto":
        return objects
    words = {spec.name, *spec.name.replace("_", "-").split("-"), *spec.tags}
    found = [kind for kind in ("nuclei", "cells") if kind in words]
    if len(found) != 1:
        raise ParameterError(
            f"model {spec.name!r} does not say whether it finds nuclei or cells; say it with --objects (objects=)"
        )
    return found[0]


def rehearsal(
    kind: str,
    spec: ModelSpec,
    config: AdaptConfig,
    folders: Sequence[str | Path],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Item], list[Item]]:
    """Gather what a model must not forget: simulated scenes and the user's own pairs.

    Parameters
    ----------
    kind : str
        ``"nuclei"`` or ``"cells"``.
    spec : ModelSpec
        The model; its roles say how many channels the scenes have.
    config : AdaptConfig
        Number of scenes, half of it again to judge by, and the seed.
    folders : sequence of path
        As `own_replay` takes them.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    tuple of list of Item
        What is trained on again, and what forgetting is judged by.

    Raises
    ------
    TeaselError
        Whatever `own_replay` raises.
    """
    own, own_held = own_replay(folders)
    judged = config.replay_scenes // 2
    scenes = replay_scenes(
        kind,
        config.replay_scenes + judged,
        seed=config.seed,
        channels=max(1, len(distinct(spec.roles))),
        progress=progress,
    )
    return [*scenes[judged:], *own], [*scenes[:judged], *own_held]


def replay_scenes(
    kind: str, count: int, *, seed: int, channels: int = 1, progress: Callable[[int, int], None] | None = None
) -> list[Item]:
    """Simulate scenes of every style in turn.

    Parameters
    ----------
    kind : str
        ``"nuclei"`` or ``"cells"``.
    count : int
        Scenes.
    seed : int
        Scenes of two seeds have nothing in common.
    channels : int
        Most channels of a scene of cells: 2 for models that take the nucleus beside the cell.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    list of Item
        Normalised images of 256 x 256 pixels with their labels; every pixel is known.
    """
    scenes = []
    for number in range(count):
        scenes.append(_scene(kind, number, seed, channels))
        if progress is not None:
            progress(number + 1, count)
    return scenes


def _scene(kind: str, number: int, seed: int, channels: int) -> Item:
    """Simulate one scene."""
    if kind == "nuclei":
        from teasel.training.simulation.nuclei_scenes import NUCLEI_STYLES, simulate_nuclei

        style = NUCLEI_STYLES[number % len(NUCLEI_STYLES)]
        image, labels = simulate_nuclei(style, size_px=SCENE_PX, seed=1_000_000 * seed + number)
    else:
        from teasel.training.simulation import simulate, styles

        names = sorted(styles())
        style = names[number % len(names)]
        scene = simulate(style, size_px=SCENE_PX, seed=1_000_000 * seed + number)
        image, labels = scene.image[:channels], scene.labels
    parts = [image[[c]] for c in range(len(image))] if kind == "cells" else [image]
    image = np.concatenate([normalise(part.astype(np.float32)) for part in parts])
    return Item(f"replay-{style}/{number}", image, labels.astype(np.int32), median_diameter(labels))


def own_replay(folders: Sequence[str | Path]) -> tuple[list[Item], list[Item]]:
    """Read the user's own images to replay: those to train on and, a tenth or as split.csv says, those to judge by."""
    parts: tuple[list[Item], list[Item]] = ([], [])
    for folder in folders:
        pairs = find_pairs(folder)
        for part, split in zip(parts, ("train", "val"), strict=True):
            part += read_items((pair for pair in pairs if pair.split == split), f"own-{Path(folder).resolve().name}")
    return parts
