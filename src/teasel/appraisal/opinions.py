"""Second opinions: the same prediction read by other decoders than the model's own."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ModelError
from teasel.models import Model
from teasel.representations import Fields
from teasel.representations.distance import Distance
from teasel.representations.hybrid import pooled
from teasel.representations.star import Star

__all__ = ["check_heads", "star_opinion", "watershed_opinion"]

NEEDED = ("foreground", "boundary", "centre", "flow", "rays", "size")


def check_heads(model: Model) -> None:
    """Raise ModelError unless a model predicts everything that opinions are formed on."""
    missing = [head for head in NEEDED if head not in {one.name for one in model.spec.heads}]
    if missing:
        raise ModelError(
            f"model {model.name!r} does not predict {', '.join(missing)}; judging without labels needs a model of the "
            "representation 'hybrid'"
        )


def watershed_opinion(fields: Fields) -> NDArray[np.uint32]:
    """Read objects by a watershed: seeds where the centre is high, up to where foreground ends."""
    foreground = fields["foreground"]
    centre = fields["centre"][0].repeat(2, 0).repeat(2, 1)[: foreground.shape[1], : foreground.shape[2]]
    decoder = Distance(foreground_threshold=0.55, min_area_px=16)
    return decoder.decode({"centre": centre[None], "foreground": foreground, "boundary": fields["boundary"]}).labels


def star_opinion(fields: Fields, model: Model) -> NDArray[np.uint32]:
    """Read objects as stars: rays from the most central cells."""
    shape = fields["foreground"].shape[1:]
    unit = float(asdict(model.spec.representation)["object_diameter_px"]) / 2  # type: ignore[call-overload]
    rays = fields["rays"]
    prob = pooled(fields["centre"][0], rays.shape[1:]).astype(np.float32)
    decoder = Star(n_rays=rays.shape[0], stride=4, min_area_px=16)
    labels = decoder.decode({"prob": prob[None], "rays": rays * np.float32(unit)}).labels
    return labels[: shape[0], : shape[1]]
