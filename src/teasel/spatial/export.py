"""Turn a trained spot network into a model folder with a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.models import ModelSpec

if TYPE_CHECKING:
    from teasel.training.loop import Trained

__all__ = ["package_spots"]

HALO_PX = 48
TEST_PX = 192


def package_spots(
    trained: Trained,
    folder: str | Path,
    *,
    description: str = "Fluorescent spots (smFISH, in situ sequencing, foci, beads), 0.8 to 2.8 px wide (sigma).",
    trained_on: str = "simulated images",
    licences: str = "",
    scores: dict[str, Any] | None = None,
    tags: Sequence[str] = ("spots", "fluorescence", "smfish", "transcriptomics"),
) -> Path:
    """Export a network that `fit_spots` trained; the folder's name is the model's.

    Parameters
    ----------
    trained : Trained
        What `teasel.spatial.train.fit_spots` returned.
    folder : path
        Where to write; a model folder that is there already is replaced.
    description : str
        What the model finds, in one sentence.
    trained_on : str
        What it was trained on, in a few words.
    licences : str
        A paragraph on where images come from.
    scores : dict, optional
        Results on held-out images, plain values by name.
    tags : sequence of str
        Words under which the model can be found.

    Returns
    -------
    Path
        The folder.
    """
    from teasel.spatial.simulation import Scene, simulate
    from teasel.training.export import export_model
    from teasel.training.start import network_params

    folder, config = Path(folder), trained.config
    settings = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(config).items()}
    spec = ModelSpec(
        name=folder.name.lower(),
        description=description,
        representation=trained.representation,
        network={"name": "unet", "params": network_params(config, trained.representation, 2)},
        in_channels=config.in_channels,
        object_diameter_px=config.object_diameter_px,
        divisor=trained.network.divisor,
        halo_px=HALO_PX,
        tags=tuple(tags),
        training={"settings": settings, "sets": {}, "seconds": round(trained.history[-1]["seconds"])},
        scores=scores or {},
    )
    scene = Scene(density=0.003, detectability=30, cells=3, texture=0.1, cell_contrast=0.5)
    test: NDArray[np.float32] = simulate((TEST_PX, TEST_PX), scene, seed=1).image[None]
    card = _card(spec, trained_on, licences, trained.history[-1])
    return export_model(folder, trained.network, spec, test_image=test, card=card)


def _card(spec: ModelSpec, trained_on: str, licences: str, last: dict[str, float]) -> str:
    """Write the model card."""
    settings = spec.training["settings"]
    rows = [f"| {name} | {value} |" for name, value in spec.scores.items()]
    table = ["| measure | value |", "| --- | --- |", *rows, ""] if rows else []
    return "\n".join(
        [
            f"# {spec.name}",
            "",
            spec.description,
            "",
            "## Use",
            "",
            "`teasel spots find IMAGE -o results --detector spots`."
            if spec.name == "spots"
            else '`find_spots(image, build("spots", {"model": FOLDER}))` in Python, FOLDER being this one.',
            "",
            f"Takes one channel, percentiles {spec.normalisation[0]:g} and {spec.normalisation[1]:g} mapped to 0 and "
            "1, at its own size. Predicts heat (1 at the centre of a spot) and the way to the nearest centre in px.",
            "",
            "## Training",
            "",
            f"{settings['steps']} steps of {settings['batch_size']} crops of {settings['crop_px']} px on a CPU, seed "
            f"{settings['seed']}, on {trained_on}. No annotated spot of a real image was used.",
            "",
            *([licences, ""] if licences else []),
            "## Validation",
            "",
            _validation(last),
            "",
            *table,
            "## Limits",
            "",
            "Spots broader than about 3 px standard deviation should be reduced first. What is a spot and what an "
            "off-target punctum is told by brightness beside the other spots of the image; an image of nothing but "
            "puncta gives puncta.",
            "",
        ]
    )


def _validation(last: dict[str, float]) -> str:
    """Say how good it was on held-out crops, if there were any."""
    if "f1" not in last:
        return "It was trained without held-out crops."
    return (
        f"On held-out simulated crops: F1 {last['f1']:.3f} at 3 px (heat 0.3 and more, before scores are judged "
        f"beside the others of the image), mean error {last['error_px']:.2f} px."
    )
