"""Scenes in the style of bare images: new layouts of their own confident objects, and simulated scenes restyled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.training.adapt.lessons import Lesson
from teasel.training.adapt.target import BACKGROUND, OBJECT, Cutout, Target, View
from teasel.training.augment import FourierSwap, HistogramMatching, Sample, low_amplitudes, quantiles
from teasel.training.data import Item, median_diameter, normalise

__all__ = ["believed", "lay_out", "restyled"]

Floats = NDArray[np.float32]
TRIES = 400


def believed(target: Target) -> list[Lesson]:
    """Make lessons of the images themselves: confident objects and sure background; the rest is unknown."""
    return [_believe(view, target.threshold) for view in target.views]


def _believe(view: View, threshold: float) -> Lesson:
    """Keep what the model is sure of."""
    sure = np.concatenate([[False], view.scores >= threshold])
    labels = np.where(sure[view.labels], view.labels.astype(np.int32), -1)
    labels[(view.labels == 0) & (view.foreground < BACKGROUND)] = 0
    labels[(view.labels == 0) & (view.foreground > OBJECT)] = -1
    labels = labels.astype(np.int32)
    return _lesson(f"believed/{view.name}", view.image, labels)


def lay_out(target: Target, count: int, *, size_px: int, seed: int) -> list[Lesson]:
    """Lay confident objects out anew on the images' own background, labelled by construction.

    Parameters
    ----------
    target : Target
        What is known about the images.
    count : int
        Scenes.
    size_px : int
        Edge of a scene in image pixels; scenes are no larger than the image they lie on.
    seed : int
        Seed.
    """
    scenes = []
    for number in range(count):
        rng = np.random.default_rng([seed, number, 2])
        ground = target.backgrounds[rng.integers(len(target.backgrounds))]
        edges = [min(size_px, n) for n in ground.shape[1:]]
        corner = [int(rng.integers(0, n - edge + 1)) for n, edge in zip(ground.shape[1:], edges, strict=True)]
        box = tuple(slice(c, c + edge) for c, edge in zip(corner, edges, strict=True))
        image = ground[(slice(None), *box)].copy()
        labels = np.zeros(image.shape[1:], np.int32)
        cover = float(np.clip(target.cover * np.exp(0.4 * rng.standard_normal()), 0.03, 0.6))
        _fill(image, labels, target, cover, rng)
        scenes.append(_lesson(f"laid-out/{number}", normalise(image), labels))
    return [scene for scene in scenes if (scene.labels > 0).any()]


def _fill(image: Floats, labels: NDArray[np.int32], target: Target, cover: float, rng: np.random.Generator) -> None:
    """Paste objects until a share of the area is covered (in place)."""
    placed: list[tuple[float, float, float]] = []
    for _ in range(TRIES):
        if (labels > 0).mean() >= cover:
            return
        patch, mask = _posed(target.cutouts[rng.integers(len(target.cutouts))], rng)
        radius = float(np.sqrt(mask.sum() / np.pi))
        middle = [rng.uniform(0, n) for n in labels.shape]
        if placed and rng.random() < target.touching:
            py, px, pr = placed[rng.integers(len(placed))]
            angle = rng.uniform(0, 2 * np.pi)
            middle = [py + 0.97 * (pr + radius) * np.sin(angle), px + 0.97 * (pr + radius) * np.cos(angle)]
        if _paste(image, labels, patch, mask, middle, len(placed) + 1, rng):
            placed.append((middle[0], middle[1], radius))


def _posed(cutout: Cutout, rng: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    """Flip and turn by quarters, by chance."""
    patch, mask = cutout.patch, cutout.mask
    y, x = (slice(None, None, int(step)) for step in rng.choice((-1, 1), 2))
    patch, mask = patch[:, y, x], mask[y, x]
    return (patch.swapaxes(1, 2), mask.T) if rng.random() < 0.5 else (patch, mask)


def _paste(
    image: Floats,
    labels: NDArray[np.int32],
    patch: Floats,
    mask: NDArray[np.bool_],
    middle: Sequence[float],
    number: int,
    rng: np.random.Generator,
) -> bool:
    """Blend an object into the scene, softly at its rim, unless it would cover much of another (in place).

    It takes the place of the background's noise, as it brings its own.
    """
    from scipy.ndimage import uniform_filter

    corner = [round(m - n / 2) for m, n in zip(middle, mask.shape, strict=True)]
    low = [max(0, c) for c in corner]
    high = [min(n, c + m) for n, c, m in zip(labels.shape, corner, mask.shape, strict=True)]
    if any(b - a < 3 for a, b in zip(low, high, strict=True)):
        return False
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    part = tuple(slice(a - c, b - c) for a, b, c in zip(low, high, corner, strict=True))
    inside = mask[part]
    if (labels[box][inside] > 0).mean() > 0.08 if inside.any() else True:
        return False
    free = inside & (labels[box] == 0)
    weight = uniform_filter(mask.astype(np.float32), 3)[part] * (labels[box] == 0)
    view = image[(slice(None), *box)]
    level = np.median(view[:, ~inside], axis=1)[:, None, None] if not inside.all() else np.float32(0)
    bright = patch[(slice(None), *part)] * np.float32(rng.uniform(0.75, 1.25)) + level
    view += weight * (bright - view)
    labels[box][free] = number
    return True


def restyled(scenes: Sequence[Item], target: Target, *, seed: int) -> list[Lesson]:
    """Push simulated scenes to the look of the images: dark or bright objects, blur, histogram, coarse light, noise.

    References
    ----------
    Yang and Soatto 2020, doi:10.1109/CVPR42600.2020.00414 (amplitudes); Hollandi et al. 2020,
    doi:10.1016/j.cels.2020.04.003 (scenes in the style of the target).
    """
    from scipy.ndimage import gaussian_filter

    images = [view.image for view in target.views]
    histogram = HistogramMatching(
        probability=1.0, strength=(0.6, 1.0), references=tuple(quantiles(image) for image in images)
    )
    fourier = FourierSwap(probability=0.7, references=tuple(low_amplitudes(image) for image in images))
    colours = images[0].shape[0]
    brighter = np.sum([_contrast(view.image, view.labels) for view in target.views]) > 0
    lessons = []
    for number, scene in enumerate(scenes):
        if scene.image.shape[0] not in (1, colours):
            continue
        rng = np.random.default_rng([seed, number, 3])
        shrink = scene.diameter_px / target.diameter_px if np.isfinite(scene.diameter_px) else 1.0
        image = scene.image
        if (_contrast(image, scene.labels) > 0) != brighter:  # no histogram makes bright objects dark
            image = image.max() + image.min() - image
        image = np.stack([gaussian_filter(one, 0.7 * target.blur_px * shrink) for one in image])
        sample = fourier(histogram(Sample(image, scene.labels), rng), rng)
        noise = target.noise * rng.standard_normal(sample.image.shape)
        lessons.append(
            _lesson(f"restyled/{scene.name}", normalise((sample.image + noise).astype(np.float32)), scene.labels)
        )
    return lessons


def _contrast(image: Floats, labels: NDArray[np.integer]) -> float:
    """Return how much brighter objects are than what is around them; 0 where there is only one of both."""
    inside = labels > 0
    if not inside.any() or inside.all():
        return 0.0
    grey = image.mean(0)
    return float(grey[inside].mean() - grey[~inside].mean())


def _lesson(name: str, image: Floats, labels: NDArray[np.int32]) -> Lesson:
    """Make a lesson without hints."""
    return Lesson(name, image, labels, median_diameter(labels), hint=np.zeros(labels.shape, np.float32))
