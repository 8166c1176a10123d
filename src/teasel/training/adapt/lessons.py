"""What is learned from: normalised images with sparse labels, part of them held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.inference import Plane, estimate_diameter, segment_plane
from teasel.inference.scale import network_scale
from teasel.models import Model
from teasel.training.adapt.corrections import Correction
from teasel.training.adapt.points import place_points
from teasel.training.data import Item, median_diameter, normalise

__all__ = ["Lesson", "count_objects", "make_lessons", "split_lessons"]

FEWEST_PARTS = 4
"""Below this many images, images are cut in two so that a part can be held out."""
SMALLEST_PX = 96


@dataclass(frozen=True)
class Lesson(Item):
    """A training image of which parts may be unknown (-1).

    Parameters
    ----------
    hint : ndarray of float32, shape (y, x)
        Above 0 around points without outline: how central the pixel is in its object.
    """

    hint: NDArray[np.float32]


def make_lessons(corrections: Sequence[Correction], model: Model) -> list[Lesson]:
    """Normalise images and turn what is said about them into labels.

    Parameters
    ----------
    corrections : sequence of Correction
        What is said.
    model : Model
        The model that is adapted; it is asked for the objects under centre points.

    Raises
    ------
    DataError
        If no object is known in any image.
    """
    lessons = [_make_lesson(one, model) for one in corrections]
    if not any((one.labels > 0).any() or (one.hint > 0).any() for one in lessons):
        raise DataError("not one object is known in the corrections; outline, accept or point at some")
    typical = float(np.nanmedian([one.diameter_px for one in lessons] or [np.nan]))
    return [one if np.isfinite(one.diameter_px) else replace(one, diameter_px=typical) for one in lessons]


def _make_lesson(correction: Correction, model: Model) -> Lesson:
    """Normalise one image as the network will see it."""
    labels = correction.known()
    hint = np.zeros(labels.shape, np.float32)
    pixels = correction.image.astype(np.float32)
    parts = [pixels[[c]] for c in range(len(pixels))] if model.spec.roles else [pixels]
    image = np.concatenate([normalise(part, *model.spec.normalisation) for part in parts])
    diameter = median_diameter(labels)
    if len(correction.points):
        plane = Plane.of_array(correction.image, model.spec.normalisation, apart=bool(model.spec.roles))
        seen = estimate_diameter(model, plane) or model.spec.object_diameter_px
        size = diameter if np.isfinite(diameter) else seen
        predicted = segment_plane(model, plane, network_scale(size, model)).labels
        labels, hint = place_points(labels, correction.points, predicted, size)
        diameter = median_diameter(labels)
        diameter = diameter if np.isfinite(diameter) else size
    return Lesson(f"corrected/{correction.name}", image, labels, diameter, hint)


def split_lessons(lessons: Sequence[Lesson], share: float, seed: int) -> tuple[list[Lesson], list[Lesson]]:
    """Hold a part of the corrections out.

    Images are the parts; where there are fewer than 4, they are cut in two along their longer side until there are.
    Parts are drawn in a seeded order until `share` of the objects is held out: at least one part, never all.

    Returns
    -------
    tuple of list of Lesson
        Those to learn from, and those held out.

    Raises
    ------
    DataError
        If there are not two parts with objects.
    """
    parts = [one for one in lessons if (one.labels > 0).any() or (one.hint > 0).any()]
    while 0 < len(parts) < FEWEST_PARTS and max(max(one.labels.shape) for one in parts) >= 2 * SMALLEST_PX:
        largest = max(range(len(parts)), key=lambda k: max(parts[k].labels.shape))
        parts[largest : largest + 1] = _halves(parts[largest])
        parts = [one for one in parts if (one.labels > 0).any() or (one.hint > 0).any()]
    judged = [k for k, one in enumerate(parts) if (one.labels > 0).any()]
    if len(parts) < 2 or not judged:
        raise DataError(
            "the corrections are too few: objects in at least two places are needed, one to learn from and one to "
            "judge by; correct another region or image"
        )
    counts = [count_objects(one.labels) for one in parts]
    wanted = share * sum(counts)
    held: set[int] = set()
    for k in np.random.default_rng(seed).permutation(judged):
        if len(held) + 1 < len(parts) and (not held or sum(counts[i] for i in held) + counts[k] / 2 <= wanted):
            held.add(int(k))
    return [one for k, one in enumerate(parts) if k not in held], [parts[k] for k in sorted(held)]


def count_objects(labels: NDArray[np.integer]) -> int:
    """Count the objects of a label image."""
    return len(np.unique(labels[labels > 0]))


def _halves(lesson: Lesson) -> list[Lesson]:
    """Cut an image across its longer side, where the fewest objects are cut near the middle."""
    axis = int(np.argmax(lesson.labels.shape))
    labels = np.moveaxis(lesson.labels, axis, 0)
    n = len(labels)
    places = range(3 * n // 8, 5 * n // 8 + 1)
    cut = min(places, key=lambda i: (int(((labels[i - 1] == labels[i]) & (labels[i] > 0)).sum()), abs(i - n // 2)))
    halves = []
    for number, span in enumerate((slice(0, cut), slice(cut, n))):
        box = (span, slice(None)) if axis == 0 else (slice(None), span)
        halves.append(
            replace(
                lesson,
                name=f"{lesson.name}.{number}",
                image=lesson.image[(slice(None), *box)],
                labels=lesson.labels[box],
                hint=lesson.hint[box],
            )
        )
    return halves
