"""The model card: what the model is for, what it was trained on, how good it is, where it may fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from teasel.models import ModelSpec
from teasel.training.config import TrainingConfig
from teasel.training.data import Item
from teasel.training.sizes import object_sizes
from teasel.training.start import lineage

__all__ = ["describe_training", "write_card"]


def describe_training(
    config: TrainingConfig, training: Sequence[Item], validation: Sequence[Item], history: Sequence[dict[str, float]]
) -> dict[str, Any]:
    """Collect plain values on how a model was trained: settings, models before it, images per set, sizes, seconds."""
    sets: dict[str, dict[str, int]] = {}
    for part, items in (("training", training), ("validation", validation)):
        for item in items:
            row = sets.setdefault(item.name.split("/")[0], {"training_images": 0, "validation_images": 0})
            row[f"{part}_images"] += 1
    settings = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()}
    seconds = round(sum(row.get("seconds", 0) for row in history[-1:]))
    sizes = object_sizes(training, config.object_diameter_px)
    return {"settings": settings, "lineage": lineage(config), "sets": sets, "sizes": sizes, "seconds": seconds}


def write_card(spec: ModelSpec, licences: str = "") -> str:
    """Write a model card in Markdown.

    Parameters
    ----------
    spec : ModelSpec
        With `training` as `describe_training` made it, and `scores` if measured.
    licences : str
        A paragraph on where the images come from.

    Returns
    -------
    str
        Markdown.
    """
    settings, before = spec.training["settings"], spec.training.get("lineage", [])
    lines = [
        f"# {spec.name}",
        "",
        spec.description,
        "",
        "## Use",
        "",
        f"`teasel segment {_takes(spec)} --model {spec.name}`",
        "",
        f"Takes {_channels(spec)}, percentiles {spec.normalisation[0]:g} and "
        f"{spec.normalisation[1]:g} mapped to 0 and 1, {_sizes(spec)}.",
        "",
        "## Training",
        "",
        f"{_course(settings)}.",
        *(f"Before that, as {row['name']} ({row['sha256'][:12]}): {_course(row['settings'])}." for row in before),
        "",
        "| set | training images | validation images |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {row['training_images']} | {row['validation_images']} |"
            for name, row in spec.training["sets"].items()
        ),
        "",
        *_size_lines(spec.training.get("sizes")),
        *([licences, ""] if licences else []),
        "## Validation",
        "",
        *_score_lines(spec),
        "",
    ]
    return "\n".join(lines)


def _takes(spec: ModelSpec) -> str:
    """Return what is typed after ``teasel segment``."""
    if spec.ndim == 2:
        return "IMAGE -o results"
    return "VOLUME -o out.ome.zarr" if spec.by_block else "STACK -o results"


def _sizes(spec: ModelSpec) -> str:
    """Say at which size images are seen."""
    if spec.by_block:
        return "volumes at their own voxel size, which must be about that of the volumes it was trained on"
    cubes = "" if spec.ndim == 2 else ", to cubes"
    return (
        f"objects about {spec.object_diameter_px:g} px wide; Teasel estimates the object size and rescales by itself"
        f"{cubes}"
    )


def _channels(spec: ModelSpec) -> str:
    """Say what the network takes."""
    if spec.roles:
        return f"{spec.in_channels} channels ({', '.join(spec.roles)}; one that is missing repeats the first)"
    return f"{spec.in_channels} channels (grey images are repeated)"


def _course(settings: dict[str, Any]) -> str:
    """Say in a few words how a run went."""
    return (
        f"{settings['steps']} steps of {settings['batch_size']} crops of {settings['crop_px']} px on a "
        f"{settings['device'].upper()} in {settings['precision']}, seed {settings['seed']}"
    )


def _size_lines(sizes: dict[str, Any] | None) -> list[str]:
    """Say which sizes of objects the network saw."""
    if not sizes:
        return []
    typical, seen = sizes["typical_diameter_px"], sizes["seen_diameter_px"]
    return [
        f"In 98 % of the training images the typical object is {typical[0]:g} to {typical[-1]:g} px wide (median "
        f"{typical[2]:g}); at the scale of the network 98 % of all objects are {seen[0]:g} to {seen[-1]:g} px wide.",
        "",
    ]


def _score_lines(spec: ModelSpec) -> list[str]:
    """Write the table of scores, with its definition."""
    scores = spec.scores
    if not scores:
        return ["Not measured: there were no validation images."]
    told = "nothing set, object size estimated" if spec.predicts_sizes else "the median diameter of each given"
    lines = [
        f"Images never trained on, run as a user would run them ({told}). AP is "
        "TP / (TP + FP + FN) pooled over the images of a set, at the given intersection over union.",
        "",
        "| set | images | objects | AP at 0.5 | 0.75 | 0.9 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in scores.items():
        if isinstance(row, dict):
            values = f"{row['ap50']:.3f} | {row['ap75']:.3f} | {row['ap90']:.3f}"
            lines.append(f"| {name} | {row['images']} | {row['objects']} | {values} |")
    if "score_error" in scores:
        lines += ["", f"Expected calibration error of the object scores: {scores['score_error']:.3f}."]
    return lines
