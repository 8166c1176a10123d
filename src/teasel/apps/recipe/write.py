"""From a `Recipe` to a file that `read_recipe` reads as the same."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from teasel.apps.recipe.kinds import kinds_of
from teasel.apps.recipe.places import SUFFIXES
from teasel.apps.recipe.recipe import FORMAT, MODEL_KEYS, Recipe, is_path
from teasel.errors import ParameterError

__all__ = ["write_recipe"]


def write_recipe(recipe: Recipe, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a recipe, whole or not at all.

    Parameters
    ----------
    recipe : Recipe
        What to write; relative paths in it count from the working folder.
    path : path-like
        ``.toml``, ``.yaml`` or ``.yml``. Paths are written relative to its folder.
    overwrite : bool
        Replace another recipe that stands there.

    Raises
    ------
    ParameterError
        If the suffix is another, something else stands at `path`, or a name is no text.
    InputNotFound
        If the folder of `path` does not exist.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_recipe(Recipe((str(folder / "a.tif"),)), folder / "recipe.toml")
    >>> print((folder / "recipe.toml").read_text())
    format = "teasel recipe 1"
    inputs = ["a.tif"]
    <BLANKLINE>
    [segment]
    model = "nuclei"
    <BLANKLINE>
    """
    from teasel.images.atomic import atomic_path

    file = Path(path)
    if file.suffix.lower() not in SUFFIXES:
        raise ParameterError(f"{file}: a recipe ends with {', '.join(SUFFIXES)}")
    plain = {"format": FORMAT} | _plain(_relative(recipe, file.parent))
    text = _toml(plain) if file.suffix.lower() == ".toml" else _yaml(plain)
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ParameterError(f"{file}: a file name is no text and cannot stand in a recipe: {text!r}") from error
    if file.exists() and not overwrite and file.read_bytes() != data:
        raise ParameterError(f"{file} is there already and says something else; give another name, or --overwrite")
    with atomic_path(file) as temporary:
        temporary.write_bytes(data)


def _relative(recipe: Recipe, folder: Path) -> Recipe:
    """Return the recipe with paths counted from `folder`, where that is possible."""

    def relative(text: str) -> str:
        try:
            return Path(os.path.relpath(Path(text).expanduser(), folder)).as_posix()
        except ValueError:  # another drive
            return str(Path(text).absolute())

    def model(name: str | None) -> str | None:
        return _dotted(relative(name)) if name is not None and is_path(name) else name

    models: dict[str, Any] = {key: model(getattr(recipe.segment, key)) for key in MODEL_KEYS}
    return replace(
        recipe,
        inputs=tuple(relative(text) for text in recipe.inputs),
        output=None if recipe.output is None else relative(recipe.output),
        segment=replace(recipe.segment, **models),
    )


def _dotted(path: str) -> str:
    """Return a relative path with a slash, so that it is not taken for a name."""
    return path if "/" in path or os.path.isabs(path) else f"./{path}"


def _plain(section: Any) -> dict[str, Any]:
    """Return what differs from the defaults, the model always; sections after plain values."""
    found: dict[str, Any] = {}
    sections: dict[str, Any] = {}
    for key, kind in kinds_of(type(section)).items():
        value = getattr(section, key)
        if kind.section is not None:
            if value is not None and (kind.optional or _plain(value)):
                sections[key] = _plain(value)
        elif key in ("model", "tables") or (value is not None and value != kind.default):
            found[key] = list(value) if isinstance(value, tuple) else value
    return found | sections


def _toml(values: dict[str, Any], at: str = "") -> str:
    """Write plain values first, then sections."""
    lines = [f"{key} = {_value(value)}\n" for key, value in values.items() if not isinstance(value, dict)]
    for key, value in values.items():
        if isinstance(value, dict):
            lines.append(f"\n[{at}{key}]\n{_toml(value, f'{at}{key}.')}")
    return "".join(lines)


def _yaml(values: dict[str, Any], indent: str = "") -> str:
    """Write keys as they are, and values as JSON, which is YAML too."""
    lines = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            lines.append(f"{indent}{key}:\n{_yaml(value, indent + '  ')}")
        else:
            lines.append(f"{indent}{key}: {_value(value)}\n")
    return "".join(lines)


def _value(value: Any) -> str:
    """Write one value so that TOML and YAML read the same: JSON, with what cannot be seen as escapes."""
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, float):
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e")  # YAML takes 1e-05 for text
    return re.sub(r"[\x7f-\xa0\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", _json(value))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
