"""What can be observed about an image and a model without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.appraisal.opinions import check_heads, star_opinion, watershed_opinion
from teasel.appraisal.sharpness import QUALITIES, qualities
from teasel.appraisal.style import style_vector
from teasel.appraisal.windows import grid, liveliest, piece_of
from teasel.inference import Plane, estimate_diameter
from teasel.inference.consistency import VIEWS, Seen, consistency, look
from teasel.inference.scale import network_scale
from teasel.labels.metrics.matching import match
from teasel.models import Model

__all__ = ["FEATURES", "Observation", "observe", "observe_piece"]

EDGE_PX = 512
MOST_WINDOWS = 2
UNSURE = 0.6

FEATURES = (
    "score_mean",
    "score_low",
    "unsure_pixels",
    *(f"consistency_{name}" for name in VIEWS),
    "agreement_watershed",
    "agreement_star",
    "size_off",
    "size_spread",
    "objects",
    *QUALITIES,
)
"""What `observe_piece` measures, in order.

Mean score of the objects, and the share that scores below 0.6; how unsure pixels of and around objects are, 0 to 1;
consistency under each change; average precision between the objects and those of other decoders; octaves between
their size and the trained one; octaves between the 10th and the 90th percentile of sizes; log2 of how many there are;
and the `teasel.appraisal.sharpness.QUALITIES` of the image.
"""


@dataclass(frozen=True)
class Observation:
    """What was observed, averaged over windows.

    Parameters
    ----------
    features : ndarray of float64, shape (len(FEATURES),)
        See `FEATURES`.
    style : ndarray of float64
        See `teasel.appraisal.style.STYLE`.
    diameter_px : float or None
        Object diameter in image pixels; None if nothing was found to measure.
    objects : int
        Objects in the windows that were looked at.
    """

    features: NDArray[np.float64]
    style: NDArray[np.float64]
    diameter_px: float | None
    objects: int

    def __getitem__(self, name: str) -> float:
        return float(self.features[FEATURES.index(name)])


def observe(model: Model, plane: Plane, *, progress: Callable[[int, int], None] | None = None) -> Observation:
    """Look at a plane through a model, in at most two windows of 512 network pixels where most is to be seen.

    Parameters
    ----------
    model : Model
        A loaded model of the representation ``hybrid``.
    plane : Plane
        The image plane.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Raises
    ------
    ModelError
        If the model lacks a head that is looked at.
    """
    check_heads(model)
    diameter = estimate_diameter(model, plane)
    scale = network_scale(diameter or model.spec.object_diameter_px, model)
    windows = liveliest(plane, grid(plane.shape, max(64, int(EDGE_PX / scale))), MOST_WINDOWS)
    features, styles, count = [], [], 0
    for number, window in enumerate(windows, 1):
        piece = piece_of(plane, window, scale)
        seen = look(model, piece)
        features.append(observe_piece(model, piece, seen))
        styles.append(style_vector(piece, seen))
        count += len(seen.scores)
        if progress is not None:
            progress(number, len(windows))
    return Observation(np.mean(features, 0), np.mean(styles, 0), diameter, count)


def observe_piece(model: Model, piece: NDArray[np.float32], seen: Seen) -> NDArray[np.float64]:
    """Measure `FEATURES` of one piece.

    Parameters
    ----------
    model : Model
        A loaded model.
    piece : ndarray of float32, shape (c, y, x)
        Normalised and at the model's object size.
    seen : Seen
        What the model finds in it.
    """
    n = len(seen.scores)
    probability = seen.fields["foreground"][0]
    near = probability > 0.05
    unsure = float((4 * probability * (1 - probability))[near].mean()) if near.any() else 1.0
    steady = consistency(model, piece, seen.labels)
    others = (watershed_opinion(seen.fields), star_opinion(seen.fields, model))
    agreement = [float(match(seen.labels, other).accuracy) for other in others]
    areas = np.bincount(seen.labels.ravel(), minlength=n + 1)[1:]
    octaves = np.log2(2 * np.sqrt(np.maximum(areas, 1) / np.pi) / model.spec.object_diameter_px)
    low, middle, high = np.quantile(octaves, (0.1, 0.5, 0.9)) if n else (0.0, 2.0, 0.0)
    return np.array(
        [
            float(seen.scores.mean()) if n else 0.0,
            float((seen.scores < UNSURE).mean()) if n else 1.0,
            unsure,
            *(steady[name] for name in VIEWS),
            *agreement,
            abs(middle),
            high - low,
            np.log2(1 + n),
            *qualities(piece, seen.labels),
        ]
    )
