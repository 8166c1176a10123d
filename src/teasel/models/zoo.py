"""Which models there are: those shipped with the package, and those in folders of the setting model_path."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from teasel import settings
from teasel.errors import ModelError, ModelNotFound
from teasel.images.atomic import is_partial
from teasel.models.naming import suggest
from teasel.models.package import DESCRIPTION, Package, read_package
from teasel.models.spec import ModelSpec

__all__ = ["find_model", "list_models", "show"]


def find_model(name: str | Path) -> Path:
    """Return the folder of a model.

    Parameters
    ----------
    name : str or Path
        A model's name, or the path of its folder (or of the description inside it). A string is a path if it
        holds a separator or starts with a dot; so a folder "nuclei" beside you is never taken for the model
        of that name.

    Raises
    ------
    ModelNotFound
        If there is no model of that name, or no model folder at that path.
    """
    if isinstance(name, Path) or os.sep in name or "/" in name or name.startswith("."):
        path = Path(name)
        folder = path.parent if path.name == DESCRIPTION else path
        if not (folder / DESCRIPTION).is_file():
            raise ModelNotFound(f"{path} is not a model folder: it has no {DESCRIPTION}")
        return folder
    folders = _folders()
    if name not in folders:
        hint = suggest(name, folders)
        raise ModelNotFound(f"no model {name!r}{hint or ';'} 'teasel models' lists all {len(folders)}")
    return folders[name]


def list_models() -> list[ModelSpec]:
    """Return the specification of every model, sorted by name.

    Raises
    ------
    ModelError
        If the folder of one of them is broken.
    """
    return [read_package(folder).spec for _, folder in sorted(_folders().items())]


def show(name: str | Path) -> str:
    """Describe a model in a few lines of text.

    Parameters
    ----------
    name : str or Path
        As for `find_model`.

    Returns
    -------
    str
        Lines of ``key: value``.
    """
    package = read_package(find_model(name))
    return "\n".join(f"{key + ':':<17} {value}" for key, value in _facts(package).items())


def _facts(package: Package) -> dict[str, str]:
    """Collect what is worth showing of a model."""
    spec = package.spec
    low, high = spec.normalisation
    weights = [f"{file} ({size / 1e6:.1f} MB)" for file, size in package.sizes().items() if file.startswith("weights")]
    return {
        "model": f"{spec.name} {spec.version}",
        "description": spec.description,
        "representation": spec.representation.name,
        "input": f"{spec.in_channels} channels, {spec.ndim} spatial dimensions",
        "object diameter": f"{spec.object_diameter_px:g} px",
        "normalisation": f"percentiles {low:g} and {high:g} become 0 and 1",
        "network": spec.network["name"],
        "weights": ", ".join(weights),
        **{f"score {key}": _brief(value) for key, value in spec.scores.items()},
        "folder": str(package.folder),
    }


def _brief(value: object) -> str:
    """Write a score in a few characters."""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _folders() -> dict[str, Path]:
    """Map each model's name, which is its folder's, to the folder."""
    extra = [Path(entry) for entry in settings.get("model_path").split(os.pathsep) if entry]
    for place in extra:
        if not place.is_dir():
            raise ModelNotFound(f"the setting model_path names {place}, which is not a folder")
    found: dict[str, Path] = {}
    for place in [Path(str(files("teasel.models"))) / "weights", *extra]:
        for description in sorted(place.glob(f"*/{DESCRIPTION}")):
            folder = description.parent
            if is_partial(folder):
                continue
            if folder.name in found:
                raise ModelError(f"two models are called {folder.name!r}: {found[folder.name]} and {folder}")
            found[folder.name] = folder
    return found
