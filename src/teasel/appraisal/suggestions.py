"""What to label next: crops where decoders disagree, predictions waver, and nothing like it was picked yet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.appraisal.opinions import check_heads, star_opinion, watershed_opinion
from teasel.appraisal.style import style_vector
from teasel.appraisal.windows import Window, grid, liveliest, piece_of, plane_of
from teasel.errors import DataError, ParameterError
from teasel.images import Image, open_image, save_image
from teasel.images.atomic import atomic_path
from teasel.inference import Plane, estimate_diameter
from teasel.inference.channels import Choice
from teasel.inference.consistency import consistency, look
from teasel.inference.resample import labels_to
from teasel.inference.scale import network_scale
from teasel.labels import write_labels
from teasel.labels.metrics.matching import match
from teasel.models import Model

__all__ = ["Suggestion", "suggest", "write_suggestions"]

SMALLEST_PX, LARGEST_PX = 256, 384
SURROUNDINGS_PX = 1024
VIEWS = ("turned", "smaller", "larger", "brighter")
FEW = 10
MOST_PER_IMAGE = 12
COLUMNS = (
    "rank",
    "name",
    "source",
    "y_px",
    "x_px",
    "height_px",
    "width_px",
    "y_in_surroundings_px",
    "x_in_surroundings_px",
    "objects",
    "score",
    "disagreement",
    "inconsistency",
    "rarity",
)


@dataclass(frozen=True)
class Suggestion:
    """A crop worth annotating.

    Parameters
    ----------
    name : str
        Name for its files: the image's and the corner's.
    source : str
        The image file.
    window : tuple of slice
        Where it lies in the image, (y, x).
    labels : ndarray of uint32, shape (y, x)
        What the model finds: a starting point.
    disagreement : float
        One minus the average precision between decoders, in [0, 1].
    inconsistency : float
        One minus the consistency under changes that change no object, in [0, 1].
    rarity : float
        Distance of its look to the crops picked before it, 1 for the most unlike.
    score : float
        What it was picked by, in [0, 1].
    style : ndarray of float
        Its look.
    plane : Plane
        The plane that it is a part of.
    """

    name: str
    source: str
    window: Window
    labels: NDArray[np.uint32]
    disagreement: float
    inconsistency: float
    rarity: float
    score: float
    style: NDArray[np.float64] = field(repr=False, compare=False)
    plane: Plane = field(repr=False, compare=False)

    @property
    def pixels(self) -> NDArray[np.generic]:
        """The crop as it is in the file, shape (c, y, x)."""
        return self.plane.raw(*self.window).astype(self.plane.image.dtype)

    @property
    def surroundings(self) -> Window:
        """Where the crop's surroundings lie in the image: up to 1024 px, as much as the image has."""
        y, x = (_wider(s, n) for s, n in zip(self.window, self.plane.shape, strict=True))
        return y, x

    @property
    def objects(self) -> int:
        """Number of objects found."""
        return int(self.labels.max(initial=0))


def suggest(
    images: Sequence[str | Path | Image],
    model: Model,
    count: int = 8,
    *,
    crop_px: int = 256,
    channel: Choice = None,
    asked: Mapping[str, Choice] | None = None,
    z: int | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Suggestion]:
    """Propose crops to annotate next.

    Parameters
    ----------
    images : sequence of path or Image
        Images of the kind the model should learn.
    model : Model
        The model to be adapted, of the representation ``hybrid``.
    count : int
        Crops to propose, 1 or more.
    crop_px : int
        Edge of a crop in pixels, 256 to 384; smaller images are proposed whole.
    channel, asked, z
        As for `teasel.appraisal.trust`.
    progress : callable, optional
        Called as ``progress(done, total)`` in images.

    Returns
    -------
    list of Suggestion
        Best first; fewer than `count` if the images hold no more crops with objects.

    Raises
    ------
    ParameterError
        If `count` or `crop_px` is out of its range, or there are no images.
    DataError
        If the model finds no object in any of the images.

    Notes
    -----
    A crop's use is half disagreement (of the flow with a watershed and with stars), half inconsistency (under turning,
    scaling, another camera curve), less where there are fewer than 10 objects. The first crop is the one of highest
    use; each further one has the highest product of use and distance to the nearest crop picked before (k-centre).

    References
    ----------
    Sener and Savarese 2018, arXiv:1708.00489 (k-centre selection).
    """
    if count < 1 or not SMALLEST_PX <= crop_px <= LARGEST_PX or not images:
        raise ParameterError(
            f"{len(images)} images, {count} crops of {crop_px} px; expected 1 or more images and crops, "
            f"{SMALLEST_PX} to {LARGEST_PX} px"
        )
    check_heads(model)
    candidates: list[Suggestion] = []
    for number, one in enumerate(images, 1):
        candidates += _candidates(open_image(one), model, crop_px, channel, asked, z)
        if progress is not None:
            progress(number, len(images))
    candidates = [one for one in candidates if one.objects]
    if not candidates:
        raise DataError(f"model {model.name!r} finds no object in {len(images)} images; any crop is as good as another")
    return _pick(candidates, count)


def _candidates(
    image: Image,
    model: Model,
    crop_px: int,
    channel: Choice,
    asked: Mapping[str, Choice] | None,
    z: int | str | None,
) -> list[Suggestion]:
    """Judge the windows of one image."""
    plane = plane_of(image, model, channel=channel, asked=asked, z=z)
    scale = network_scale(estimate_diameter(model, plane) or model.spec.object_diameter_px, model)
    windows = liveliest(plane, grid(plane.shape, crop_px), MOST_PER_IMAGE)
    return [_judge(image, plane, model, window, scale) for window in windows]


def _judge(image: Image, plane: Plane, model: Model, window: Window, scale: float) -> Suggestion:
    """Judge one window: its use before any other is picked."""
    piece = piece_of(plane, window, scale)
    seen = look(model, piece)
    others = (watershed_opinion(seen.fields), star_opinion(seen.fields, model))
    disagreement = 1 - float(np.mean([match(seen.labels, other).accuracy for other in others]))
    inconsistency = 1 - float(np.mean(list(consistency(model, piece, seen.labels, VIEWS).values())))
    native = (window[0].stop - window[0].start, window[1].stop - window[1].start)
    labels = labels_to(seen.labels, seen.fields["foreground"][0], native)
    enough = min(1.0, len(seen.scores) / FEW)
    source = str(image.source) if image.source is not None else "image"
    return Suggestion(
        name=f"{Path(source).name.split('.')[0]}_y{window[0].start}_x{window[1].start}",
        source=source,
        window=window,
        labels=labels,
        disagreement=disagreement,
        inconsistency=inconsistency,
        rarity=1.0,
        score=enough * (disagreement + inconsistency) / 2,
        style=style_vector(piece, seen),
        plane=plane,
    )


def _pick(candidates: list[Suggestion], count: int) -> list[Suggestion]:
    """Pick greedily: the most useful, then use times distance to what is picked."""
    styles = np.array([one.style for one in candidates])
    styles = (styles - styles.mean(0)) / (styles.std(0) + 1e-6)
    use = np.array([one.score for one in candidates]) + 1e-3
    far = np.full(len(candidates), np.inf)
    picked: list[Suggestion] = []
    taken: set[int] = set()
    while len(picked) < min(count, len(candidates)):
        rarity = np.ones(len(candidates)) if not picked else far / max(float(far.max()), 1e-9)
        value = use * (0.25 + 0.75 * rarity)
        value[list(taken)] = -1
        best = int(np.argmax(value))
        taken.add(best)
        picked.append(replace(candidates[best], rarity=float(rarity[best]), score=float(min(1.0, value[best]))))
        far = np.minimum(far, np.sqrt(((styles - styles[best]) ** 2).mean(1)))
    return picked


def write_suggestions(suggestions: Sequence[Suggestion], folder: str | Path) -> Path:
    """Write crops as a folder that can be annotated and then given to ``teasel adapt``.

    ``images/NAME.tif`` holds the pixels, ``predicted/NAME.tif`` what the model finds, ``surroundings/NAME.tif`` up to
    1024 px around the crop, and ``index.csv`` where each crop lies and why it was picked. Corrected labels belong into
    ``labels/NAME.tif``: what has none is not learned from. Surroundings are there to judge by: an adapted model is run
    on them as on any image.

    Parameters
    ----------
    suggestions : sequence of Suggestion
        What `suggest` proposed.
    folder : path
        Made if need be.

    Returns
    -------
    Path
        ``index.csv``.
    """
    folder = Path(folder)
    for part in ("images", "predicted", "labels", "surroundings"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    rows = []
    for rank, one in enumerate(suggestions, 1):
        _save(folder / "images" / f"{one.name}.tif", one.pixels)
        around = one.surroundings
        _save(folder / "surroundings" / f"{one.name}.tif", one.plane.raw(*around).astype(one.plane.image.dtype))
        write_labels(folder / "predicted" / f"{one.name}.tif", one.labels)
        y, x = one.window
        place = (y.start, x.start, *one.labels.shape, y.start - around[0].start, x.start - around[1].start)
        numbers = (f"{value:.4f}" for value in (one.score, one.disagreement, one.inconsistency, one.rarity))
        rows.append((rank, one.name, one.source, *place, one.objects, *numbers))
    with (
        atomic_path(folder / "index.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return folder / "index.csv"


def _wider(span: slice, length: int) -> slice:
    """Widen a span to `SURROUNDINGS_PX` within an axis of some length."""
    wide = min(max(SURROUNDINGS_PX, span.stop - span.start), length)
    start = int(np.clip((span.start + span.stop - wide) // 2, 0, length - wide))
    return slice(start, start + wide)


def _save(path: Path, pixels: NDArray[np.generic]) -> None:
    """Save (c, y, x) as a TIFF: a grey plane, a colour picture, or channels."""
    if len(pixels) == 1:
        save_image(path, pixels[0], axes="yx")
    elif len(pixels) == 3:
        save_image(path, np.moveaxis(pixels, 0, -1), axes="yxc")
    else:
        save_image(path, pixels, axes="cyx")
