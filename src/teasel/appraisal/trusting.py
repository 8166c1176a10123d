"""How good is this result? The expected score of an image without labels, a light, and the reasons."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from teasel.appraisal.observation import Observation, observe
from teasel.appraisal.predictor import Predictor
from teasel.appraisal.windows import plane_of
from teasel.errors import ModelError
from teasel.images import Image, open_image
from teasel.inference.channels import Choice
from teasel.models import Model

__all__ = ["GENERAL", "LIGHTS", "Trust", "find_predictor", "light_of", "rank_models", "read_predictor", "trust"]

GENERAL = "general"
"""The predictor of models that have none of their own."""

LIGHTS = {"green": 0.7, "amber": 0.5, "red": 0.0}
"""Colours, and the expected score from which each shines."""

NOVEL = 2.0
LOW_SCORE = 0.7
LOW_CONSISTENCY = 0.7
SIZES_PX = (6.0, 250.0)


@dataclass(frozen=True)
class Trust:
    """How far the result of a model on an image can be trusted.

    Parameters
    ----------
    name : str
        Name of the image.
    model : str
        Name of the model.
    expected : float
        Expected average precision at IoU 0.5, in [0, 1].
    low, high : float
        Range in which four in five such images lie.
    light : str
        ``"green"`` (0.7 or more), ``"amber"`` (0.5 or more) or ``"red"``.
    reasons : tuple of str
        What speaks against the result; empty if nothing does.
    predictor : str
        Whose parameters were used: the model's own, or ``"general"``.
    observation : Observation
        Everything that was observed.
    """

    name: str
    model: str
    expected: float
    low: float
    high: float
    light: str
    reasons: tuple[str, ...]
    predictor: str
    observation: Observation


def trust(
    image: str | Path | Image,
    model: Model,
    *,
    channel: Choice = None,
    asked: Mapping[str, Choice] | None = None,
    z: int | str | None = None,
    predictor: Predictor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trust:
    """Predict how good a model's result on an image is, without labels.

    Parameters
    ----------
    image : path or Image
        Anything `teasel.open_image` takes.
    model : Model
        A loaded model of the representation ``hybrid``.
    channel : int or str, optional
        Channel that holds the objects, in images with several.
    asked : mapping, optional
        Channel of each role, for models that tell channels apart.
    z : int or str, optional
        Plane of a stack, or ``"max"``. Of a series the first frame is looked at.
    predictor : Predictor, optional
        Parameters; those shipped for the model if not given, or the general ones.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Trust

    Raises
    ------
    ModelError
        If the model does not predict what is looked at.
    ParameterError
        If the image has several channels or planes and none is chosen.

    Notes
    -----
    The expectation was fitted on images of nuclei, whole and corrupted, seen and left out, and for ``cells`` on whole
    cells, most of them simulated; for other objects its order is more to be trusted than its value.
    """
    image = open_image(image)
    source, chosen = ("given", predictor) if predictor is not None else find_predictor(model)
    plane = plane_of(image, model, channel=channel, asked=asked, z=z)
    seen = observe(model, plane, progress=progress)
    expected = float(chosen.expect(seen.features[None])[0])
    low, high = chosen.interval(expected)
    name = Path(str(image.source)).name if image.source is not None else "image"
    light = light_of(expected)
    reasons = tuple(_reasons(seen, chosen.novelty(seen.style)))
    if not reasons and light != "green":
        reasons = (f"no single sign stands out; images with such signs scored {expected:.2f} on average",)
    return Trust(name, model.name, expected, low, high, light, reasons, source, seen)


def light_of(expected: float) -> str:
    """Return the light of an expected score.

    Examples
    --------
    >>> light_of(0.82), light_of(0.55), light_of(0.2)
    ('green', 'amber', 'red')
    """
    return next(light for light, least in LIGHTS.items() if expected >= least)


def find_predictor(model: Model) -> tuple[str, Predictor]:
    """Return the parameters shipped for a model, by its name; the general ones for any other.

    Raises
    ------
    ModelError
        If no parameters are shipped at all.
    """
    for name in (model.name, GENERAL):
        found = read_predictor(name)
        if found is not None:
            return name, found
    raise ModelError("the parameters that predict scores are not installed; install the package again")


def read_predictor(name: str) -> Predictor | None:
    """Read shipped parameters, if there are any of that name."""
    path = files("teasel.appraisal") / "predictors" / f"{name}.json"
    return Predictor.from_dict(json.loads(path.read_text("utf-8"))) if path.is_file() else None


def rank_models(
    images: Sequence[str | Path | Image],
    models: Iterable[Model],
    *,
    channel: Choice = None,
    z: int | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, list[Trust]]:
    """Rank models for a set of images, the one of highest mean expected score first.

    All are judged by the general predictor, so that they can be compared.

    Parameters
    ----------
    images : sequence of path or Image
        Images of one kind.
    models : iterable of Model
        Loaded models.
    channel, z
        As for `trust`.
    progress : callable, optional
        Called as ``progress(done, total)`` over all pairs.

    Returns
    -------
    dict of str to list of Trust
        For each model what is expected of each image.

    Raises
    ------
    ModelError
        If a model does not predict what is looked at.
    """
    models = list(models)
    general = read_predictor(GENERAL)
    if general is None:
        raise ModelError("the parameters that predict scores are not installed; install the package again")
    found: dict[str, list[Trust]] = {}
    for number, model in enumerate(models):
        rows = []
        for count, image in enumerate(images, 1):
            rows.append(trust(image, model, channel=channel, z=z, predictor=general))
            if progress is not None:
                progress(number * len(images) + count, len(models) * len(images))
        found[model.name] = rows
    return dict(sorted(found.items(), key=lambda item: -float(np.mean([row.expected for row in item[1]]))))


def _reasons(seen: Observation, novelty: float) -> Iterable[str]:
    """Say what speaks against a result."""
    if seen.objects == 0:
        yield "no object was found"
        return
    if novelty > NOVEL:
        yield f"the image looks unlike the training data ({novelty:.1f} times the usual distance)"
    if seen["score_mean"] < LOW_SCORE:
        yield f"objects score low (mean {seen['score_mean']:.2f})"
    steady = min(seen[name] for name in ("consistency_turned", "consistency_smaller", "consistency_larger"))
    if steady < LOW_CONSISTENCY:
        yield f"turning or scaling the image changes the result (AP between both {steady:.2f})"
    noisy = seen["consistency_noisy"]
    if noisy < LOW_CONSISTENCY and noisy < steady:
        yield f"a little noise changes the result (AP between both {noisy:.2f})"
    if seen["agreement_watershed"] < LOW_CONSISTENCY:
        yield f"two ways to read the prediction disagree (AP between both {seen['agreement_watershed']:.2f})"
    if seen.diameter_px is not None and not SIZES_PX[0] <= seen.diameter_px <= SIZES_PX[1]:
        yield f"objects of {seen.diameter_px:.0f} px are out of the trained range ({SIZES_PX[0]:.0f}-{SIZES_PX[1]:.0f})"
    if seen["size_spread"] > 2:
        yield f"sizes vary {2 ** seen['size_spread']:.0f}-fold within the image"
