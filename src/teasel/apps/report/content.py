"""Everything a report shows, gathered: results, looks, flags, model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.apps.report.flags import Flag, find_flags
from teasel.apps.report.looks import Look, look_at
from teasel.apps.report.model_card import ModelCard, find_card
from teasel.apps.report.options import ReportOptions
from teasel.apps.report.results import ImageResult, RunResults
from teasel.errors import DataError

__all__ = ["Content", "Subject", "gather"]

_SIZES = ((4, 960), (12, 640), (40, 440), (120, 300), (500, 220), (2000, 150))
"""Up to so many images, pictures have this longest side in pixels; so a report stays below some 25 MB."""


@dataclass(frozen=True)
class Subject:
    """One image with all that is said about it.

    Parameters
    ----------
    result : ImageResult
        Its objects.
    look : Look
        What was seen of it.
    flags : list of Flag
        Why it needs a look.
    """

    result: ImageResult
    look: Look
    flags: list[Flag]


@dataclass(frozen=True, eq=False)
class Content:
    """Everything a report shows.

    Parameters
    ----------
    run : RunResults
        The run.
    options : ReportOptions
        What was set.
    card : ModelCard
        The model.
    subjects : list of Subject
        The images.
    least_certain : list of tuple of (int, int)
        Position in `subjects`, and row in its table.
    picture_px : int
        Longest side of pictures.
    """

    run: RunResults
    options: ReportOptions
    card: ModelCard
    subjects: list[Subject]
    least_certain: list[tuple[int, int]]
    picture_px: int

    @property
    def unit(self) -> str:
        """Unit of diameters: micrometres if the pixel size of every image is known."""
        return "µm" if all(one.result.pixel_um for one in self.subjects) else "px"

    def diameters(self, result: ImageResult) -> NDArray[np.float64]:
        """Return the diameters of the objects of an image, in `unit`."""
        factor = result.pixel_um if self.unit == "µm" and result.pixel_um else 1.0
        return result.diameters_px * factor

    def pooled(self, column: Callable[[ImageResult], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Put a column of all images together."""
        return np.concatenate([np.empty(0), *(column(one.result) for one in self.subjects)])


def gather(run: RunResults, options: ReportOptions, progress: Callable[[int, int, str], None] | None = None) -> Content:
    """Look at every image and flag what needs a look.

    Parameters
    ----------
    run : RunResults
        The run.
    options : ReportOptions
        What was set.
    progress : callable, optional
        Called as ``progress(done, total, name)``.

    Raises
    ------
    DataError
        If the run has neither results nor failures.
    """
    if not run.images and not run.unfinished and not run.record.get("failures"):
        raise DataError(f"no image was segmented in {run.folder}; there is nothing to report on")
    card = find_card(run.record["model"], str(run.record["parameters"].get("model", "")))
    least = _least_certain(run.images, options.uncertain)
    picture_px = next((side for n, side in _SIZES if len(run.images) <= n), 0)
    median = float(np.median([image.n_objects for image in run.images])) if run.images else 0.0
    subjects = []
    for number, result in enumerate(run.images):
        if progress is not None:
            progress(number, len(run.images), result.name)
        crops = [int(result.columns["label"][row]) for position, row in least if position == number]
        look = look_at(run, result, picture_px=picture_px, crops=crops)
        flags = find_flags(result, look, options, median_count=median, n_images=len(run.images), model=card.facts)
        subjects.append(Subject(result, look, flags))
    return Content(run, options, card, subjects, least, picture_px)


def _least_certain(images: list[ImageResult], n: int) -> list[tuple[int, int]]:
    """Return the objects of lowest score: position of the image, row of its table."""
    found = [
        (float(image.columns["score"][row]), position, int(row))
        for position, image in enumerate(images)
        for row in np.argsort(image.columns["score"], kind="stable")[:n]
    ]
    return [(position, row) for _, position, row in sorted(found)[:n]]
