"""One look at each image: how good it is, and pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.apps.cli.overlay import fullest_plane
from teasel.apps.cli.record import fingerprint
from teasel.apps.report.pictures import Picture, View, draw, draw_crop, draw_overlay_file
from teasel.apps.report.quality import Quality, judge_quality
from teasel.apps.report.results import ImageResult, RunResults
from teasel.errors import FormatError, TeaselError
from teasel.geometry import VoxelSize

if TYPE_CHECKING:
    from teasel.images import Image

__all__ = ["Look", "look_at"]

_CROP_PX = 240
_JUDGED_PX = 2048  # side of the part of a large image that is judged
_SMALLEST_PX = 9.0  # objects that outlines can be seen around


@dataclass(frozen=True)
class Look:
    """What was seen of one image.

    Parameters
    ----------
    quality : Quality or None
        None if the image could not be read.
    picture : Picture or None
        The whole field.
    detail : Picture or None
        The part with most objects, where they are too small to be seen in the whole field.
    crops : dict of int to Picture
        The objects asked for, by label.
    problem : str
        Why the image could not be read, or what is odd about it; ``""`` if nothing is.
    """

    quality: Quality | None = None
    picture: Picture | None = None
    detail: Picture | None = None
    crops: dict[int, Picture] = field(default_factory=dict)
    problem: str = ""


def look_at(run: RunResults, result: ImageResult, *, picture_px: int, crops: Sequence[int] = ()) -> Look:
    """Read an image and its labels, judge it, and draw it.

    Parameters
    ----------
    run : RunResults
        The run; its parameters say which channel and plane were used.
    result : ImageResult
        The image.
    picture_px : int
        Longest side of the picture of the whole field; 0 for none.
    crops : sequence of int
        Labels to draw each for itself.

    Returns
    -------
    Look
        An image that cannot be read, is gone or has changed since gives a `problem`, not an error; the overlay that
        was made with the results stands in for the picture.
    """
    from teasel.labels import read_labels

    try:
        source = _find(run, result)
        labels = read_labels(run.folder / f"{result.name}.labels.tif")
        image = _open(run, result, source)
        view = View.of(image, _fitting(labels, image), _channel(run), run.record["parameters"].get("z"))
        inner = run.folder / f"{result.name}.nuclei.tif"
        if inner.is_file():
            view = replace(view, nuclei=_fitting(read_labels(inner), image)[fullest_plane(labels)])
        problem = "the image has changed since it was segmented" if _changed(result, source) else ""
        picture, detail = _draw_both(view, result, picture_px) if picture_px else (None, None)
        return Look(
            _judge(view, result),
            picture,
            detail,
            crops=_draw_crops(run, result, image, labels, crops, view),
            problem=problem,
        )
    except (TeaselError, OSError) as error:
        overlay = run.folder / f"{result.name}.overlay.png"
        picture = draw_overlay_file(overlay, picture_px) if picture_px and overlay.is_file() else None
        return Look(picture=picture, problem=" ".join(str(error).split()))


def _find(run: RunResults, result: ImageResult) -> Path:
    """Return where the image is: where it was, or beside the results if all was moved together."""
    import os

    was = result.source
    if was.exists():
        return was
    for folder in (run.folder, run.folder.parent, *(child for child in sorted(run.folder.parent.iterdir()))):
        if folder.is_dir() and (folder / was.name).exists():
            return folder / was.name
    raise FileNotFoundError(f"the image is no longer at {os.fspath(was)}; the flags that need it were not judged")


def _open(run: RunResults, result: ImageResult, source: Path) -> Image:
    from teasel.images import open_image

    asked = run.record["parameters"]
    sizes = (asked.get("z_step_um"), asked.get("pixel_size_um"), asked.get("pixel_size_um"))
    voxel_size = VoxelSize(*sizes) if any(sizes) else None
    return open_image(source, axes=asked.get("axes"), scene=result.entry.get("scene"), voxel_size_um=voxel_size)


def _channel(run: RunResults) -> Any:
    asked = run.record["parameters"]
    return asked.get("cell", asked.get("channel"))


def _changed(result: ImageResult, source: Path) -> bool:
    return not fingerprint(source).items() <= result.entry.items()


def _fitting(labels: NDArray[np.integer], image: Image) -> NDArray[np.integer]:
    """Return the labels if they lie on the grid of the image."""
    sizes = image.sizes
    if labels.shape[-2:] != (sizes["y"], sizes["x"]):
        raise FormatError(
            f"labels of {labels.shape[-2:]} pixels, image of {(sizes['y'], sizes['x'])}; one was changed since"
        )
    return labels


def _judge(view: View, result: ImageResult) -> Quality:
    """Judge the plane, or of a large one the part with most objects."""
    window = _fullest_window(view.labels, _JUDGED_PX)
    diameter = float(np.median(result.diameters_px)) if result.n_objects else None
    return judge_quality(view.read(window), view.labels[window], diameter)


def _draw_both(view: View, result: ImageResult, picture_px: int) -> tuple[Picture, Picture | None]:
    """Draw the field, and a part of it if objects are too small there."""
    um = result.pixel_um
    longest = max(view.labels.shape)
    whole = draw(view, picture_px, um=um)
    diameter = float(np.median(result.diameters_px)) if result.n_objects else 0.0
    if not diameter or diameter * min(picture_px / longest, 4) >= _SMALLEST_PX:
        return whole, None
    side = int(max(32, diameter * picture_px / (2 * _SMALLEST_PX)))
    return whole, draw(view, picture_px, _fullest_window(view.labels, side), um=um)


def _draw_crops(
    run: RunResults,
    result: ImageResult,
    image: Image,
    labels: NDArray[np.integer],
    wanted: Sequence[int],
    view: View,
) -> dict[int, Picture]:
    """Draw objects in their own plane."""
    asked, found = run.record["parameters"], {}
    for label in wanted:
        seen = view
        if labels.ndim > 2 and not (view.labels == label).any():
            planes = np.argwhere((labels == label).any(axis=(-2, -1)))
            if not len(planes):
                continue
            index = tuple(int(i) for i in planes[len(planes) // 2])
            seen = View.at(image, labels, index, _channel(run), asked.get("z"))
        picture = draw_crop(seen, label, _CROP_PX, um=result.pixel_um)
        if picture is not None:
            found[label] = picture
    return found


def _fullest_window(labels: NDArray[np.integer], side: int) -> tuple[slice, slice]:
    """Return the window of at most `side` pixels, out of a grid of half steps, with most labelled pixels."""
    height, width = labels.shape
    tall, wide = min(side, height), min(side, width)
    best, chosen = -1, (slice(0, tall), slice(0, wide))
    for top in _starts(height, tall):
        for left in _starts(width, wide):
            window = (slice(top, top + tall), slice(left, left + wide))
            filled = int(np.count_nonzero(labels[window]))
            if filled > best:
                best, chosen = filled, window
    return chosen


def _starts(length: int, side: int) -> list[int]:
    """Return where windows begin along one axis, the last at the end."""
    return sorted({*range(0, max(length - side, 0) + 1, max(1, side // 2)), max(length - side, 0)})
