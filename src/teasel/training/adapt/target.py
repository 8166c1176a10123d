"""What a model already sees in bare images: its confident objects, how large and bright they are, light and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.inference import Plane, estimate_diameter
from teasel.inference.consistency import look
from teasel.inference.resample import labels_to, resize
from teasel.inference.scale import network_scale
from teasel.models import Model

__all__ = ["Cutout", "Target", "View", "study"]

Floats = NDArray[np.float32]
WINDOW_PX = 768
CONFIDENT = 0.8
FEWEST = 12
BACKGROUND, OBJECT = 0.1, 0.6


@dataclass(frozen=True)
class View:
    """One image (or its middle, if it is large) as the model sees it, on the image's own pixels.

    Parameters
    ----------
    name : str
        Name of the image.
    image : ndarray of float32, shape (c, y, x)
        Normalised.
    labels : ndarray of uint32, shape (y, x)
        Objects found.
    scores : ndarray of float32, shape (n,)
        One per object.
    foreground : ndarray of float32, shape (y, x)
        Probability of belonging to an object.
    scale : float
        Network pixels per image pixel.
    """

    name: str
    image: Floats
    labels: NDArray[np.uint32]
    scores: NDArray[np.float32]
    foreground: Floats
    scale: float


@dataclass(frozen=True)
class Cutout:
    """A confident object: its pixels with a margin, above the background around it, and its outline."""

    patch: Floats
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Target:
    """What is known about bare images.

    Parameters
    ----------
    views : list of View
        The images as the model sees them.
    threshold : float
        Score above which objects count as confident.
    cutouts : list of Cutout
        Confident objects that no border cuts.
    backgrounds : list of ndarray of float32, each (c, y, x)
        The images without their objects.
    diameter_px : float
        Median diameter of the confident objects.
    cover : float
        Median share of the area that objects cover.
    touching : float
        Share of the objects that touch another.
    noise : float
        Standard deviation of the camera's noise, in normalised intensity.
    blur_px : float
        Standard deviation of the point spread, in pixels.
    """

    views: list[View]
    threshold: float
    cutouts: list[Cutout]
    backgrounds: list[Floats]
    diameter_px: float
    cover: float
    touching: float
    noise: float
    blur_px: float


def study(model: Model, images: Sequence[tuple[str, NDArray[np.generic]]]) -> Target:
    """Segment bare images and learn from them what the model is sure of.

    Parameters
    ----------
    model : Model
        The model that is adapted.
    images : sequence of (str, ndarray)
        Names and pixels ``(c, y, x)``, c 1 or 3.

    Raises
    ------
    DataError
        If the model is sure of fewer than 12 objects: then there is nothing to go by.
    """
    views = [_see(model, name, pixels) for name, pixels in images]
    scores = np.concatenate([view.scores for view in views])
    threshold = float(min(CONFIDENT, np.quantile(scores, 0.5))) if len(scores) else CONFIDENT
    cutouts = [one for view in views for one in _cut_out(view, threshold)]
    if len(cutouts) < FEWEST:
        raise DataError(
            f"the model is sure of {len(cutouts)} whole objects in {len(views)} images; at least {FEWEST} are needed "
            "to go by: give more images, or correct a few and adapt with labels"
        )
    areas = np.array([one.mask.sum() for one in cutouts])
    return Target(
        views=views,
        threshold=threshold,
        cutouts=cutouts,
        backgrounds=[_without_objects(view) for view in views],
        diameter_px=float(np.median(2 * np.sqrt(areas / np.pi))),
        cover=float(np.median([(view.labels > 0).mean() for view in views])),
        touching=float(np.mean([_touching(view.labels) for view in views])),
        noise=float(np.median([_noise(view) for view in views])),
        blur_px=float(np.median([_blur(view.image.mean(0)) for view in views])),
    )


def _see(model: Model, name: str, pixels: NDArray[np.generic]) -> View:
    """Segment the middle of an image."""
    plane = Plane.of_array(pixels, model.spec.normalisation, apart=bool(model.spec.roles))
    diameter = estimate_diameter(model, plane) or model.spec.object_diameter_px
    scale = network_scale(diameter, model)
    edge = max(int(WINDOW_PX / scale), 256)
    starts = [max(0, (n - edge) // 2) for n in plane.shape]
    image = plane.read(*(slice(a, a + edge) for a in starts))
    native = (image.shape[1], image.shape[2])
    height, width = (max(16, round(n * scale)) for n in native)
    seen = look(model, resize(image, (height, width)))
    foreground = seen.fields["foreground"]
    labels = labels_to(seen.labels, foreground[0], native)
    return View(name, image, labels, seen.scores, resize(foreground, native)[0], scale)


def _cut_out(view: View, threshold: float) -> list[Cutout]:
    """Cut confident objects out, with a margin and above the level around them."""
    from scipy.ndimage import find_objects

    cutouts = []
    for number, box in enumerate(find_objects(view.labels.astype(np.int32)), 1):
        if box is None or view.scores[number - 1] < threshold:
            continue
        wide = tuple(slice(s.start - 2, s.stop + 2) for s in box)
        if any(s.start < 0 or s.stop > n for s, n in zip(wide, view.labels.shape, strict=True)):
            continue
        part, mask = view.labels[wide], view.labels[wide] == number
        ground = part == 0
        if mask.sum() < 20 or ground.sum() < 8:
            continue
        patch = view.image[(slice(None), *wide)]
        level = np.array([np.median(channel[ground]) for channel in patch], np.float32)
        cutouts.append(Cutout(patch - level[:, None, None], mask))
    return cutouts


def _without_objects(view: View) -> Floats:
    """Fill objects with the background around them and noise like the background's."""
    from scipy.ndimage import binary_dilation, gaussian_filter

    taken = binary_dilation((view.foreground > BACKGROUND) | (view.labels > 0), iterations=2)
    free = ~taken
    if free.mean() < 0.02:
        return np.broadcast_to(
            np.quantile(view.image, 0.05, axis=(1, 2), keepdims=True).astype(np.float32), view.image.shape
        ).copy()
    sigma = max(4.0, np.sqrt(max((view.labels > 0).sum(), 1) / max(view.labels.max(), 1)))
    rng = np.random.default_rng(0)
    filled = view.image.copy()
    for channel in filled:
        mean = float(channel[free].mean())
        weight = gaussian_filter(free.astype(np.float32), sigma)
        smooth = (gaussian_filter(np.where(free, channel - mean, 0), sigma) / np.maximum(weight, 1e-3)) + mean
        rest = (channel - smooth)[free]
        channel[taken] = smooth[taken] + rng.choice(rest, int(taken.sum())).astype(np.float32)
    return filled


def _touching(labels: NDArray[np.uint32]) -> float:
    """Share of the objects that touch another one."""
    n = int(labels.max(initial=0))
    met: set[int] = set()
    for axis in (0, 1):
        a = np.moveaxis(labels, axis, 0)
        pairs = (a[1:] != a[:-1]) & (a[1:] > 0) & (a[:-1] > 0)
        met |= set(a[1:][pairs].tolist()) | set(a[:-1][pairs].tolist())
    return len(met) / max(n, 1)


def _noise(view: View) -> float:
    """Estimate noise from second differences in the background (Immerkaer 1996, doi:10.1006/cviu.1996.0060)."""
    from scipy.ndimage import convolve

    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    rough = convolve(view.image.mean(0), kernel)
    calm = view.foreground < BACKGROUND
    values = rough[calm] if calm.sum() > 100 else rough.ravel()
    return float(np.median(np.abs(values)) / 0.6745 / 6)


def _blur(grey: Floats) -> float:
    """Estimate the point spread from how fast the power spectrum falls: log power is linear in squared frequency."""
    edge = min(grey.shape)
    window = np.outer(np.hanning(edge), np.hanning(edge))
    power = np.abs(np.fft.fft2((grey[:edge, :edge] - grey.mean()) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(edge)[:, None], np.fft.fftfreq(edge)[None])
    bins = np.digitize(frequency.ravel(), np.linspace(0, 0.5, 41))
    mean = np.array([power.ravel()[bins == k].mean() if (bins == k).any() else np.nan for k in range(1, 41)])
    centre = (np.arange(40) + 0.5) / 80
    floor = np.nanmedian(mean[32:])
    used = (centre > 0.06) & (mean > 4 * floor)
    if used.sum() < 4:
        return 0.0
    slope = np.polyfit(centre[used] ** 2, np.log(mean[used]), 1)[0]
    return float(np.sqrt(max(-slope, 0.0)) / (2 * np.pi))
