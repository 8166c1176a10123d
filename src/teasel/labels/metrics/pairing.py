"""Which predicted label file belongs to which true one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from teasel.errors import InputNotFound, ParameterError
from teasel.images.atomic import is_partial
from teasel.labels.files import is_label_path

__all__ = ["LABEL_ENDINGS", "FilePair", "label_stem", "pair_files"]

LABEL_ENDINGS = ("_cp_masks", ".labels", "_labels", "-labels", ".masks", "_masks", "-masks", "_mask", "-mask")
"""What label files carry behind the name of their image."""

_VIEWS = (".overlay", "_overlay", ".preview")


class FilePair(NamedTuple):
    """A name, and the files of truth and prediction."""

    name: str
    truth: Path
    prediction: Path


def pair_files(truth: Path, prediction: Path) -> list[FilePair]:
    """Pair two files, or the label files of two folders by name.

    Parameters
    ----------
    truth, prediction : pathlib.Path
        Two files, which are a pair whatever their names, or two folders.

    Returns
    -------
    list of FilePair
        Sorted by name.

    Raises
    ------
    InputNotFound
        If one does not exist, or a folder holds no label file.
    ParameterError
        If one is a file and the other a folder, a name occurs twice in a folder, or a file has no partner.

    Notes
    -----
    Names are compared without suffix and without a label ending (`LABEL_ENDINGS`): ``a.tif``,
    ``a.labels.tif`` and ``a_cp_masks.png`` are all ``a``. In a folder where some files have such an ending,
    the others are taken for images and passed over; so are overlays (``a.overlay.png``) and hidden files.
    """
    for path in (truth, prediction):
        if not path.exists():
            raise InputNotFound(f"no file or folder {path}")
    folders = [path.is_dir() and not is_label_path(path) for path in (truth, prediction)]
    if folders[0] != folders[1]:
        raise ParameterError(f"{truth} and {prediction}: expected two files or two folders, not one of each")
    if not folders[0]:
        return [FilePair(label_stem(truth), truth, prediction)]
    true, predicted = _label_files(truth), _label_files(prediction)
    if true.keys() != predicted.keys():
        raise ParameterError(_say_unpaired(true, predicted, truth, prediction))
    return [FilePair(name, true[name], predicted[name]) for name in sorted(true)]


def label_stem(path: Path) -> str:
    """Return the name of the image that a label file belongs to.

    Examples
    --------
    >>> label_stem(Path("a.ome.tif")), label_stem(Path("b_cp_masks.png"))
    ('a', 'b')
    """
    stem = path.stem.removesuffix(".ome")
    for ending in LABEL_ENDINGS:
        if stem.endswith(ending) and stem != ending:
            return stem.removesuffix(ending)
    return stem


def _label_files(folder: Path) -> dict[str, Path]:
    """Return the label files of a folder by the name of their image."""
    files = [f for f in sorted(folder.iterdir()) if is_label_path(f)]
    files = [f for f in files if not (is_partial(f) or f.name.startswith(".") or f.stem.endswith(_VIEWS))]
    marked = [f for f in files if label_stem(f) != f.stem.removesuffix(".ome")]
    found: dict[str, Path] = {}
    for file in marked or files:
        name = label_stem(file)
        if name in found:
            raise ParameterError(f"{folder}: {found[name].name} and {file.name} are both labels of {name!r}; keep one")
        found[name] = file
    if not found:
        raise InputNotFound(f"no label image (.tif, .tiff, .png, .npy) in the folder {folder}")
    return found


def _say_unpaired(true: dict[str, Path], predicted: dict[str, Path], truth: Path, prediction: Path) -> str:
    """List the files without partner."""
    parts = []
    for alone, here, there in (
        (true.keys() - predicted, true, prediction),
        (predicted.keys() - true, predicted, truth),
    ):
        if alone:
            names = [here[name].name for name in sorted(alone)]
            shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
            parts.append(f"{len(names)} without partner in {there}: {shown}")
    return "; ".join(parts) + ". Files are paired by name; move those aside that are not to be compared"
