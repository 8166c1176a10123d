"""From folders of images and labels to a model folder that runs anywhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.models import ModelSpec, load_model, revise
from teasel.models.description import smallest_size
from teasel.models.roles import arrange
from teasel.representations import Representation
from teasel.representations.affinity import Affinity
from teasel.training.card import describe_training, write_card
from teasel.training.config import TrainingConfig
from teasel.training.curves import draw_curves
from teasel.training.data import Item, find_pairs, read_items
from teasel.training.export import export_model
from teasel.training.loop import Trained, fit
from teasel.training.planes import judged_planes, volumes, whole_stacks
from teasel.training.scores import fit_merging, fit_score, fit_stars, pipeline_scores, volume_scores
from teasel.training.start import network_params

__all__ = ["package", "read_sets", "train"]

logger = logging.getLogger(__name__)
HALO_PX = {2: 96, 3: 24}


def train(
    config: TrainingConfig,
    data: Sequence[str | Path],
    folder: str | Path,
    *,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Train a model on folders of images and labels, and write it as a model folder.

    Parameters
    ----------
    config : TrainingConfig
        Settings.
    data : sequence of path
        Folders, each with ``images/`` and ``labels/`` or with pairs of files; see `find_pairs`. Of stacks, the planes
        in which labels are not all -1 (unknown) are trained on, see `judged_planes`, or with ``ndim=3`` the whole.
    folder : path
        Gets the checkpoint, the learning curve (``history.json``, ``curves.png``) and the model folder. Run again
        with the same settings, it goes on from the checkpoint.
    name : str, optional
        Name of the model; the folder's name if not given.
    progress : callable, optional
        Called as ``progress(step, steps)``; an exception raised in it stops the run.

    Returns
    -------
    Path
        The model folder, ready for ``teasel segment --model``.

    Raises
    ------
    ParameterError
        If there are no training images.
    TeaselError
        Whatever reading the data raises.
    """
    folder = Path(folder)
    if config.by_voxel:
        import teasel.agglomeration  # noqa: F401  needed to score the model: better missed now than after training
    ratio = 1.0 if config.by_voxel else config.anisotropy
    sets = read_sets(data, config.roles, ndim=config.ndim, anisotropy=ratio)
    training, validation = (list(_chosen(items, config)) for items in sets)
    trained = fit(training, validation, folder, config, progress=progress)
    draw_curves(trained.history, folder / "curves.png")
    return package(trained, training, validation, folder / (name or folder.resolve().name))


def _chosen(items: Sequence[Item], config: TrainingConfig) -> Iterator[Item]:
    """Return what is trained on: planes, whole stacks, or volumes as they are."""
    if config.by_voxel:
        return volumes(items, config.object_diameter_px)
    return judged_planes(items) if config.ndim == 2 else whole_stacks(items)


def read_sets(
    data: Sequence[str | Path], roles: Sequence[str] = (), *, ndim: int = 2, anisotropy: float = 0.0
) -> tuple[list[Item], list[Item]]:
    """Read the training and the validation images of some folders; all else as in `read_items`.

    Raises
    ------
    ParameterError
        If two folders have the same name (their images could not be told apart).
    """
    names = [Path(d).resolve().name for d in data]
    if len(set(names)) != len(names):
        raise ParameterError(f"the data folders are called {', '.join(names)}; give folders of different names")
    training: list[Item] = []
    validation: list[Item] = []
    for path, name in zip(data, names, strict=True):
        pairs = find_pairs(path)
        for split, items in (("train", training), ("val", validation)):
            chosen = (pair for pair in pairs if pair.split == split)
            items += read_items(chosen, name, roles=roles, ndim=ndim, anisotropy=anisotropy)
    return training, validation


def package(
    trained: Trained,
    training: Sequence[Item],
    validation: Sequence[Item],
    folder: Path,
    *,
    description: str = "Objects as in the images it was trained on.",
    tags: tuple[str, ...] = (),
    licences: str = "",
    compact: bool = False,
    sizes: Mapping[str, float] | None = None,
) -> Path:
    """Fit the scores, export the network, measure the exported model on the validation images, write its card.

    Parameters
    ----------
    trained : Trained
        What `fit` returned.
    training, validation : sequence of Item
        The images; scores are fitted on one half of the validation images and their error measured on the other.
    folder : Path
        The model folder; replaced if it is there. Its name is the model's.
    description : str
        What the model finds, in one sentence.
    tags : tuple of str
        Words under which the model can be found.
    licences : str
        A paragraph for the card on where the images come from.
    compact : bool
        Store the weights for PyTorch in 16 bits, see `export_model`.
    sizes : mapping of str to float, optional
        ``trusted_octaves`` and ``size_quantile`` of `ModelSpec`, where they are not the usual ones.

    Returns
    -------
    Path
        The model folder.
    """
    config = trained.config
    representation = replace(trained.representation, **_fitted(trained, validation))  # type: ignore[type-var]
    spec = ModelSpec(
        name=folder.name.lower(),
        description=description,
        representation=representation,
        network={
            "name": "unet",
            "params": network_params(config, representation, config.ndim),
        },
        ndim=config.ndim,
        in_channels=config.in_channels,
        roles=config.roles,
        object_diameter_px=config.object_diameter_px,
        divisor=trained.network.divisor,
        halo_px=HALO_PX[config.ndim],
        tags=tags,
        training=describe_training(config, training, validation, trained.history),
        **dict(sizes or {}),  # type: ignore[arg-type]
    )
    image = _test_image(validation or training, config, smallest_size(spec))
    card = write_card(spec, licences)
    export_model(folder, trained.network, spec, test_image=image, card=card, compact=compact)
    if not validation:
        return folder
    if isinstance(representation, Affinity) and config.by_voxel:
        fitted = replace(representation, **fit_merging(folder, validation))
        spec = replace(spec, representation=fitted)
        revise(folder, spec, card=card)
    scores = volume_scores(folder, validation) if config.by_voxel else pipeline_scores(load_model(folder), validation)
    scored = replace(spec, scores=scores)
    revise(folder, scored, card=write_card(scored, licences))
    return folder


def _fitted(trained: Trained, validation: Sequence[Item]) -> dict[str, Any]:
    """Return the representation's parameters that are fitted after training, if it has any."""
    representation: Representation = trained.representation
    if trained.config.ndim == 3:
        return fit_stars(trained, validation) if validation and not trained.config.by_voxel else {}
    if "score_weights" not in asdict(representation) or not validation:  # type: ignore[call-overload]
        return {}
    return {"score_weights": fit_score(trained, validation[::2])}


def _test_image(items: Sequence[Item], config: TrainingConfig, edge: int) -> NDArray[np.float32]:
    """Cut a corner of the first image, mirrored up to the size of a test image."""
    image = items[0].image[(slice(None), *[slice(edge)] * config.ndim)]
    padding = [(0, 0), *((0, edge - n) for n in image.shape[1:])]
    return arrange(np.pad(image, padding, mode="symmetric"), config.roles, config.in_channels)
