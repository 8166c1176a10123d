"""What is learned from: normalised images with sparse labels, in parts that judge each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.inference import Plane, estimate_diameter, segment_plane
from teasel.inference.scale import network_scale
from teasel.models import Model
from teasel.training.adapt.corrections import Correction
from teasel.training.adapt.points import place_points
from teasel.training.data import Item, median_diameter, normalise

__all__ = ["Lesson", "count_objects", "deal", "group", "make_lessons", "part_lessons"]

FEWEST_PARTS = 6
"""Below this many images, images are shared out so that parts can be held out."""
FEWEST_OBJECTS = 4
"""An image with fewer objects is not shared out."""
FEWEST_SOURCES = 4


@dataclass(frozen=True)
class Lesson(Item):
    """A training image of which parts may be unknown (-1).

    Parameters
    ----------
    hint : ndarray of float32, shape (y, x)
        Above 0 around points without outline: how central the pixel is in its object.
    source : str
        What it is a part of: lessons of one source teach or judge together.
    """

    hint: NDArray[np.float32] = field(kw_only=True)
    source: str = field(default="", kw_only=True)


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
    images: dict[int, NDArray[np.float32]] = {}  # several corrections may be about one image: it is kept once
    lessons = [_make_lesson(one, model, images) for one in corrections]
    if not any((one.labels > 0).any() or (one.hint > 0).any() for one in lessons):
        raise DataError("not one object is known in the corrections; outline, accept or point at some")
    typical = float(np.nanmedian([one.diameter_px for one in lessons] or [np.nan]))
    return [one if np.isfinite(one.diameter_px) else replace(one, diameter_px=typical) for one in lessons]


def _make_lesson(correction: Correction, model: Model, images: dict[int, NDArray[np.float32]]) -> Lesson:
    """Normalise one image as the network will see it."""
    labels = correction.known()
    hint = np.zeros(labels.shape, np.float32)
    if id(correction.image) not in images:
        pixels = correction.image.astype(np.float32)
        parts = [pixels[[c]] for c in range(len(pixels))] if model.spec.roles else [pixels]
        images[id(correction.image)] = np.concatenate([normalise(part, *model.spec.normalisation) for part in parts])
    image = images[id(correction.image)]
    diameter = median_diameter(labels)
    if len(correction.points):
        plane = Plane.of_array(correction.image, model.spec.normalisation, apart=bool(model.spec.roles))
        seen = estimate_diameter(model, plane) or model.spec.object_diameter_px
        size = diameter if np.isfinite(diameter) else seen
        predicted = segment_plane(model, plane, network_scale(size, model)).labels
        labels, hint = place_points(labels, correction.points, predicted, size)
        diameter = median_diameter(labels)
        diameter = diameter if np.isfinite(diameter) else size
    return Lesson(
        f"corrected/{correction.name}", image, labels, diameter, hint=hint, source=correction.source or correction.name
    )


def part_lessons(lessons: Sequence[Lesson]) -> list[Lesson]:
    """Cut corrections into parts of which some can judge what was learned from the others.

    Images are the parts; where there are fewer than 6, what is known of the image with most objects is shared out
    between two copies of it, until there are. So a part keeps its surroundings: it is judged in the whole image.

    Raises
    ------
    DataError
        If there are not two parts with objects.
    """
    parts = [one for one in lessons if (one.labels > 0).any() or (one.hint > 0).any()]
    while parts and len(parts) < FEWEST_PARTS:
        largest = max(range(len(parts)), key=lambda k: count_objects(parts[k].labels))
        if count_objects(parts[largest].labels) < FEWEST_OBJECTS:
            break
        parts[largest : largest + 1] = _halves(parts[largest])
    if len(parts) < 2 or not any((one.labels > 0).any() for one in parts):
        raise DataError(
            "the corrections are too few: objects in at least two places are needed, one to learn from and one to "
            "judge by; correct another region or image"
        )
    return parts


def group(parts: Sequence[Lesson]) -> list[list[int]]:
    """Return the numbers of the parts that have outlined objects, those of one source together.

    Where there are fewer than 4 sources each part stands alone: then a part is judged by what was learned from other
    parts of its image, too.
    """
    judged = [k for k, one in enumerate(parts) if (one.labels > 0).any()]
    groups: dict[str, list[int]] = {}
    for k in judged:
        groups.setdefault(parts[k].source, []).append(k)
    return list(groups.values()) if len(groups) >= FEWEST_SOURCES else [[k] for k in judged]


def deal(parts: Sequence[Lesson], folds: int, seed: int) -> list[list[int]]:
    """Deal the groups of parts out to folds of about as many objects each.

    Returns
    -------
    list of list of int
        For each fold the numbers of the parts that judge what is learned from all others; at most `folds`.
    """
    groups = group(parts)
    weight = [sum(count_objects(parts[k].labels) for k in one) for one in groups]
    order = [int(k) for k in np.random.default_rng(seed).permutation(len(groups))]
    order.sort(key=lambda k: -weight[k])  # stable: chance decides among equals
    dealt: list[list[int]] = [[] for _ in range(min(folds, len(groups)))]
    for k in order:
        min(dealt, key=lambda fold: sum(weight[i] for i in fold)).append(k)
    return [sorted(k for i in fold for k in groups[i]) for fold in dealt]


def count_objects(labels: NDArray[np.integer]) -> int:
    """Count the objects of a label image."""
    return len(np.unique(labels[labels > 0]))


def _halves(lesson: Lesson) -> list[Lesson]:
    """Share out what is known of an image between two copies, half of the objects each, along its longer side."""
    from scipy.ndimage import center_of_mass

    ids = np.unique(lesson.labels[lesson.labels > 0])
    middles = np.array(center_of_mass(lesson.labels > 0, lesson.labels, ids))  # (n, 2)
    axis = int(np.argmax(np.ptp(middles, axis=0)))
    order = np.argsort(middles[:, axis], kind="stable")
    half = len(ids) // 2
    cut = middles[order[half - 1 : half + 1], axis].mean()
    low = np.broadcast_to(np.indices(lesson.labels.shape, sparse=True)[axis] <= cut, lesson.labels.shape)
    first = np.isin(lesson.labels, ids[order[:half]])
    halves = []
    for number in (0, 1):
        mine = np.where(lesson.labels > 0, first, low) == (number == 0)
        hint = np.where(low == (number == 0), lesson.hint, 0).astype(np.float32)
        halves.append(
            replace(lesson, name=f"{lesson.name}.{number}", labels=np.where(mine, lesson.labels, -1), hint=hint)
        )
    return halves
