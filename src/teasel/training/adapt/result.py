"""What an adaptation gives: a verdict, and a model folder if the verdict is good."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.images.atomic import atomic_path
from teasel.models import ModelSpec, Package
from teasel.models.roles import arrange
from teasel.networks.unet import UNet
from teasel.training.adapt.config import AdaptConfig
from teasel.training.data import Item
from teasel.training.export import export_model

__all__ = ["Adapted", "hand_over", "write_report"]

REPORT = "report.json"
PICTURE = "before_after.png"


@dataclass(frozen=True)
class Adapted:
    """How an adaptation ended.

    Parameters
    ----------
    accepted : bool
        Whether there is a new model.
    folder : Path or None
        The model folder; None if the old model stays.
    reason : str
        The verdict in a sentence, with the numbers.
    scores : dict
        All numbers, before and after: plain values.
    picture : Path
        Before and after, side by side: a PNG.
    seconds : float
        Time it took.
    """

    accepted: bool
    folder: Path | None
    reason: str
    scores: dict[str, Any]
    picture: Path
    seconds: float


def write_report(folder: Path, adapted: Adapted) -> None:
    """Write ``report.json``: the verdict and every number."""
    plain = asdict(adapted) | {
        "folder": None if adapted.folder is None else adapted.folder.name,
        "picture": adapted.picture.name,
    }
    with atomic_path(folder / REPORT) as temporary:
        temporary.write_text(json.dumps(plain, indent=1, default=float) + "\n", encoding="utf-8")


def hand_over(
    network: UNet,
    package: Package,
    folder: Path,
    config: AdaptConfig,
    *,
    scores: dict[str, Any],
    images: Sequence[Item],
    seconds: float,
    how: str,
) -> Path:
    """Export the adapted network as a model folder, with its lineage and the scores before and after.

    Parameters
    ----------
    network : UNet
        The chosen network.
    package : Package
        The model it came from.
    folder : Path
        The model folder; its name is the model's.
    config : AdaptConfig
        Settings.
    scores : dict
        Before and after.
    images : sequence of Item
        What was learned from; a corner of the first is the test image.
    seconds : float
        Time so far.
    how : str
        ``"with labels"`` or ``"without labels"``.
    """
    old = package.spec
    row = {
        "name": old.name,
        "sha256": package.digests["weights.pt"],
        "settings": old.training.get("settings", {}),
    }
    training = {
        "adapted_from": old.name,
        "how": how,
        "settings": asdict(config),
        "lineage": [row, *old.training.get("lineage", [])],
        "sets": {"corrected": {"training_images": len(images), "validation_images": 0}},
        "seconds": round(seconds),
    }
    spec = replace(
        old,
        name=folder.name.lower(),
        description=f"{old.description.rstrip('.')}; adapted from {old.name} {how}.",
        training=training,
        scores=scores,
    )
    return export_model(folder, network, spec, test_image=_test_image(images[0], old), card=write_card(spec, old))


def write_card(spec: ModelSpec, old: ModelSpec) -> str:
    """Write the card of an adapted model: where it comes from, what it learned from, scores before and after."""
    row = spec.training["lineage"][0]
    settings, scores = spec.training["settings"], spec.scores
    lines = [
        f"# {spec.name}",
        "",
        spec.description,
        "",
        "## Use",
        "",
        f"`teasel segment IMAGE -o results --model PATH/{spec.name}`",
        "",
        "Made for images like those it was adapted to. To go on, correct more images and adapt "
        f"`{old.name}` again with all of them.",
        "",
        "## Training",
        "",
        f"Adapted {spec.training['how']} from {row['name']} ({row['sha256'][:12]}) on "
        f"{spec.training['sets']['corrected']['training_images']} images: {settings['steps']} steps of "
        f"{settings['batch_size']} crops of {settings['crop_px']} px, seed {settings['seed']}; encoder frozen, "
        f"{100 * settings['replay_share']:.0f} % replayed scenes, weights "
        f"{100 * scores.get('share', 1):.0f} % of the way to the new ones.",
        "",
        "## Validation",
        "",
        "AP is TP / (TP + FP + FN) pooled over images, run as a user would run them (nothing set).",
        "",
        "| measured on | before | after |",
        "| --- | --- | --- |",
        *(
            f"| {key.replace('_', ' ')} | {_cell(values[0])} | {_cell(values[1])} |"
            for key, values in scores.get("table", {}).items()
        ),
        "",
    ]
    return "\n".join(lines)


def _cell(value: float) -> str:
    return f"{value:.3f}"


def _test_image(item: Item, spec: ModelSpec, edge: int = 256) -> NDArray[np.float32]:
    """Cut a corner of an image, mirrored up to the size of a test image."""
    image = item.image[:, :edge, :edge]
    while any(n < edge for n in image.shape[1:]):
        image = np.pad(image, [(0, 0), *((0, min(n, edge - n)) for n in image.shape[1:])], mode="symmetric")
    return arrange(image, spec.roles, spec.in_channels)
