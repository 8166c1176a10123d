"""From what was typed to a list of images to segment, each with the name its results get."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from teasel.errors import ParameterError, TeaselError

__all__ = ["ALL_SCENES", "RESULT_SUFFIXES", "Job", "find_images", "make_jobs", "result_name"]

RESULT_SUFFIXES = (".labels.tif", ".objects.csv", ".overlay.png")
"""How the names of the three results of an image end."""

ALL_SCENES = "all"
"""What to type for every scene of a file."""

_RESULT = re.compile(
    r"\.(labels|objects|nuclei|overlay|measurements)(\.[a-z0-9]+)+$", re.I
)  # folder scans pass over them
_WILD = "*?["
_UNSAFE = re.compile(r"[^\w.+ -]+")  # in file names
_DOUBLE_SUFFIXES = (".ome.tif", ".ome.tiff", ".ome.tf2", ".ome.tf8", ".ome.btf", ".ome.zarr")


@dataclass(frozen=True)
class Job:
    """One image to segment.

    Parameters
    ----------
    name : str
        What the names of its results begin with.
    source : pathlib.Path
        Where the image is.
    scene : str, optional
        Which image of a file that holds several; the first if not given.
    """

    name: str
    source: Path
    scene: str | None = None


def find_images(inputs: Sequence[str]) -> list[Path]:
    """List the images that files, globs and folders stand for.

    Parameters
    ----------
    inputs : sequence of str
        A path that exists is taken as it is, whatever characters it has; a folder stands for the images
        directly in it, in alphabetical order; anything else with ``*``, ``?`` or ``[`` is a pattern (``**``
        for folders in folders). What is none of these is kept, to be reported with the other bad files.

    Returns
    -------
    list of pathlib.Path
        Each image once, in the order given.

    Raises
    ------
    ParameterError
        If a folder holds no image, or a pattern fits none.
    """
    found: dict[Path, Path] = {}
    for text in inputs:
        for path in _images_of(text):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def result_name(source: Path) -> str:
    """Return the file name without its format suffix.

    Examples
    --------
    >>> result_name(Path("plate/A01.ome.tif")), result_name(Path("day 1.5.png"))
    ('A01', 'day 1.5')
    """
    for suffix in _DOUBLE_SUFFIXES:
        if source.name.lower().endswith(suffix) and len(source.name) > len(suffix):
            return source.name[: -len(suffix)]
    return source.stem


def make_jobs(sources: Sequence[Path], scene: str | None = None) -> list[Job]:
    """Give each image the name of its results, and make sure that no two share one.

    Parameters
    ----------
    sources : sequence of pathlib.Path
        Files, and folders that are images.
    scene : str, optional
        Which scene of each; then its name becomes part of the results'. ``"all"`` for every scene of each.

    Returns
    -------
    list of Job
        One for each image, in order.

    Raises
    ------
    ParameterError
        If two images would write the same files (names that differ in case only count as the same).

    Examples
    --------
    >>> make_jobs([Path("a/cells.tif"), Path("b/cells.png")])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    teasel.errors.ParameterError: a/cells.tif and b/cells.png would both write cells.labels.tif; ...
    """
    jobs = [job for source in sources for job in _jobs_of(source, scene)]
    taken: dict[str, Job] = {}
    for job in jobs:
        other = taken.setdefault(job.name.casefold(), job)
        if other is not job:
            raise ParameterError(
                f"{other.source.as_posix()} and {job.source.as_posix()} would both write "
                f"{job.name}{RESULT_SUFFIXES[0]}; give each its own folder with -o"
            )
    return jobs


def _jobs_of(source: Path, scene: str | None) -> list[Job]:
    """Return the jobs of one file; one that cannot be opened is one job, so that it is reported with the others."""
    from teasel.images import list_scenes

    name = result_name(source)
    if scene == ALL_SCENES:
        try:
            scenes = list_scenes(source)
        except (TeaselError, OSError):
            scenes = ()
        if len(scenes) <= 1:
            return [Job(name, source)]
    else:
        scenes = () if scene is None else (scene,)
    return [Job(f"{name}.{_UNSAFE.sub('_', one)}", source, one) for one in scenes] or [Job(name, source)]


def _images_of(text: str) -> list[Path]:
    """List the images one typed input stands for."""
    path = Path(text).expanduser()
    if _is_folder_of_images(path):
        images = sorted(child for child in path.iterdir() if _is_input(child))
        if not images:
            raise ParameterError(f"no image in the folder {text}; expected files such as .tif, .png or .ome.zarr")
        return images
    if path.exists() or not any(character in text for character in _WILD):
        return [path]
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))
    images = [match for match in matches if _is_input(match)]
    if not images:
        raise ParameterError(f"no image fits the pattern {text!r}; try it with `ls {text}`")
    return images


def _is_folder_of_images(path: Path) -> bool:
    from teasel.images import is_image_path

    return path.is_dir() and not is_image_path(path)


def _is_input(path: Path) -> bool:
    """Say whether a scan takes this path: an image, not hidden, and not one of our own results."""
    from teasel.images import is_image_path

    return is_image_path(path) and not path.name.startswith(".") and not _RESULT.search(path.name)
