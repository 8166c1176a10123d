"""Which images need a look, and why: one rule for each flag, with its limit in `ReportOptions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from teasel.apps.report.looks import Look
from teasel.apps.report.options import ReportOptions
from teasel.apps.report.quality import surface_range
from teasel.apps.report.results import ImageResult

__all__ = ["RULES", "Flag", "common_shading", "find_flags"]

_FEWEST_IMAGES = 5  # for a comparison with the others
_FEWEST_POOLED = 200  # objects, for a judgement over all images
_FEWEST_SIZES = 10  # objects, for a share of odd sizes

RULES = {
    "out of focus": (
        "The edges of objects are wider than {max_blur:g} of the objects' diameter: the standard deviation of the blur "
        "at the outlines, from the gradients there before and after blurring once more "
        "(Zhuo and Sim 2011, doi:10.1016/j.patcog.2011.03.009)."
    ),
    "saturated": (
        "More than {max_saturated_percent:g} % of the pixels of objects have the highest (or lowest) value of the "
        "image, and at least three times as many as have the values next to it."
    ),
    "too few objects": (
        "Fewer than {min_objects} objects; with {fewest_images} images or more also fewer than "
        "{min_share_percent:g} % of the median of all images."
    ),
    "unusual sizes": (
        "More than {max_odd_sizes_percent:g} % of the objects are, at the scale at which the network saw them, smaller "
        "than 99 % or larger than 99 % of the objects that the model was trained on; or the typical object of the "
        "image is less than half as wide as in 99 % of the training images, or more than twice as wide."
    ),
    "uneven illumination": (
        "The background, or the brightness of objects, changes smoothly across the field by more than "
        "{max_shading_percent:g} % of the contrast of objects: the range of a quadratic surface, times the share of "
        "the variance that it explains. Judged for each image, and once for the objects of all images together."
    ),
    "not judged": "The image could not be read again, or has changed since it was segmented.",
}
"""What each flag means; the limits are filled in from `ReportOptions`."""


@dataclass(frozen=True)
class Flag:
    """Why an image needs a look.

    Parameters
    ----------
    kind : str
        A key of `RULES`.
    reason : str
        What was found, with the number.
    """

    kind: str
    reason: str


def find_flags(
    result: ImageResult,
    look: Look,
    options: ReportOptions,
    *,
    median_count: float,
    n_images: int,
    model: dict[str, Any],
) -> list[Flag]:
    """List the flags of one image.

    Parameters
    ----------
    result : ImageResult
        Its objects.
    look : Look
        What was seen of it.
    options : ReportOptions
        The limits.
    median_count : float
        Median number of objects of all images.
    n_images : int
        How many images there are.
    model : dict
        ``object_diameter_px`` of the network, and ``sizes`` if the model card records them.
    """
    flags = [*_few(result, options, median_count, n_images), *_sizes(result, options, model)]
    quality = look.quality
    if quality is not None and quality.blur is not None and quality.blur > options.max_blur:
        flags.append(Flag("out of focus", f"edges are {quality.blur:.2f} of the diameter wide"))
    if quality is not None and 100 * quality.saturated > options.max_saturated_percent:
        flags.append(Flag("saturated", f"{100 * quality.saturated:.0f} % of the pixels of objects"))
    if quality is not None and quality.shading is not None and 100 * quality.shading > options.max_shading_percent:
        flags.append(Flag("uneven illumination", f"changes by {100 * quality.shading:.0f} % of the contrast"))
    if look.problem:
        flags.append(Flag("not judged", look.problem))
    return sorted(flags, key=lambda flag: list(RULES).index(flag.kind))


def common_shading(looks: Sequence[Look]) -> float | None:
    """Return how much the brightness of objects changes across the field, over all images together.

    Illumination is the microscope's, so it shows in all images; many images with few objects each say together what
    none says alone.

    Parameters
    ----------
    looks : sequence of Look
        Of all images.

    Returns
    -------
    float or None
        Range of a quadratic surface through the brightness of all objects, over their contrast, times the share of
        the variance that it explains; None with fewer than 200 objects or a single image.
    """
    samples = [look.quality.brightness for look in looks if look.quality is not None and len(look.quality.brightness)]
    if len(samples) < 2 or sum(map(len, samples)) < _FEWEST_POOLED:
        return None
    return surface_range(np.concatenate(samples))


def _few(result: ImageResult, options: ReportOptions, median_count: float, n_images: int) -> list[Flag]:
    n = result.n_objects
    if n < options.min_objects:
        return [Flag("too few objects", "no objects" if n == 0 else f"{n} object{'s' if n > 1 else ''}")]
    if n_images >= _FEWEST_IMAGES and n < options.min_share * median_count:
        return [Flag("too few objects", f"{n} objects, the median of all images is {median_count:.0f}")]
    return []


def _sizes(result: ImageResult, options: ReportOptions, model: dict[str, Any]) -> list[Flag]:
    """Compare sizes with those the model card records."""
    sizes, typical = model.get("sizes"), result.entry.get("diameter_px")
    if not sizes or not typical or not result.n_objects:
        return []
    smallest, largest = sizes["typical_diameter_px"][0], sizes["typical_diameter_px"][-1]
    if not smallest / 2 <= typical <= 2 * largest:
        return [
            Flag(
                "unusual sizes",
                f"typical objects are {typical:.0f} px wide; in training images {smallest:.0f} to {largest:.0f} px",
            )
        ]
    whole = ~np.asarray(result.columns.get("touches_border", np.zeros(result.n_objects, bool)), bool)
    seen = result.diameters_px[whole] / typical * model["object_diameter_px"]
    low, high = sizes["seen_diameter_px"][0], sizes["seen_diameter_px"][-1]
    odd = (seen < low) | (seen > high)
    if len(seen) >= _FEWEST_SIZES and 100 * odd.mean() > options.max_odd_sizes_percent:
        ends = np.array([low, high]) * typical / model["object_diameter_px"]
        share = (
            f"{100 * odd.mean():.0f} % of the objects are smaller than {ends[0]:.0f} px or larger than {ends[1]:.0f} px"
        )
        return [Flag("unusual sizes", share)]
    return []
