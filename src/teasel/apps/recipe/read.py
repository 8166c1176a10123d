"""From a recipe file to a `Recipe`; unknown keys and wrong values are errors with the line."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from teasel.apps.recipe.kinds import Kind, kinds_of
from teasel.apps.recipe.places import Keys, parse
from teasel.apps.recipe.recipe import FORMAT, MODEL_KEYS, Recipe, is_path
from teasel.errors import InputNotFound, ParameterError

__all__ = ["read_recipe"]


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path : path-like
        A ``.toml``, ``.yaml`` or ``.yml`` file.

    Returns
    -------
    Recipe
        Its relative paths (inputs, output, a model given as a path) count from the folder of the file.

    Raises
    ------
    InputNotFound
        If there is no such file.
    ParameterError
        If the file is not well formed, a key is unknown (the message names the nearest), comes twice or is missing,
        or a value is of the wrong kind; with file and line.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "recipe.toml"
    >>> _ = file.write_text('inputs = ["plate/*.tif"]\\n[segment]\\nchanel = "DAPI"\\n')
    >>> read_recipe(file)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    teasel.errors.ParameterError: ...recipe.toml, line 3: unknown key 'chanel' in [segment]; did you mean 'channel'? ...
    """
    file = Path(path)
    if not file.is_file():
        raise InputNotFound(
            f"no recipe {file}; expected a .toml or .yaml file (teasel run --schema says what it holds)"
        )
    values, lines = parse(file)
    given = values.pop("format", FORMAT)
    if given != FORMAT:
        raise ParameterError(f"{file}: the format is {given!r}; this version of Teasel reads {FORMAT!r}")
    recipe: Recipe = _Reader(file, lines).section(Recipe, values, ())
    if not recipe.inputs:
        raise ParameterError(f"{file}: inputs is empty; expected images, folders or patterns")
    return _rooted(recipe, file.parent)


@dataclass(frozen=True)
class _Reader:
    """Turns parsed values into dataclasses; knows where each key stands."""

    file: Path
    lines: Mapping[Keys, int]

    def section(self, kind: type, values: Mapping[str, Any], at: Keys) -> Any:
        """Build one section from its keys."""
        known = kinds_of(kind)
        for key in values:
            if key not in known:
                raise self.error((*at, str(key)), f"unknown key {key!r}{_in(at)}{_nearest(str(key), known)}")
        for key, expected in known.items():
            if expected.required and key not in values:
                raise self.error(at, f"the key {key!r} is missing{_in(at)}; expected {expected.words}")
        found = {key: self.value(known[key], value, (*at, key)) for key, value in values.items()}
        try:
            return kind(**found)
        except ParameterError as error:
            raise self.error(at, str(error)) from error

    def value(self, kind: Kind, value: Any, at: Keys) -> Any:
        """Check one value."""
        if kind.section is not None and isinstance(value, Mapping):
            return self.section(kind.section, value, at)
        if kind.section is not None and value is None and kind.optional:
            return self.section(kind.section, {}, at)  # `report:` with nothing under it, in YAML
        if kind.many and isinstance(value, list) and all(_fits(kind.plain, one) for one in value):
            return tuple(_as(kind.plain, one) for one in value)
        if not kind.many and kind.section is None and _fits(kind.plain, value, numbered=kind.optional):
            return _as(kind.plain, value)
        raise self.error(at, f"{'.'.join(at)} is {value!r}; expected {kind.words}")

    def error(self, at: Keys, words: str) -> ParameterError:
        """Return an error that says where."""
        line = self.lines.get(at)
        return ParameterError(f"{self.file}{f', line {line}' if line else ''}: {words}")


def _fits(plain: type | None, value: Any, *, numbered: bool = False) -> bool:
    """Say whether a value is of a kind; text that may be a number (a channel, a plane) may be written as one."""
    if isinstance(value, bool) or plain is bool:
        return plain is bool and isinstance(value, bool)
    if plain is float:
        return isinstance(value, int | float)
    if plain is str and numbered:
        return isinstance(value, str | int)
    return plain is not None and isinstance(value, plain)


def _as(plain: type | None, value: Any) -> Any:
    return plain(value) if plain is not None else value


def _in(at: Keys) -> str:
    return f" in [{'.'.join(at)}]" if at else ""


def _nearest(key: str, known: Iterable[str]) -> str:
    """Name the nearest key, and all of them."""
    names = list(known)
    near = get_close_matches(key, names, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{meant} there are: {', '.join(names)}"


def _rooted(recipe: Recipe, folder: Path) -> Recipe:
    """Return the recipe with relative paths counted from its folder."""

    def absolute(text: str) -> str:
        return str(Path(text).expanduser() if Path(text).expanduser().is_absolute() else folder / text)

    def pattern(text: str) -> str:
        expanded = Path(text).expanduser()
        if expanded.is_absolute():
            return str(expanded)
        # a folder whose own name holds * or [ is no pattern
        return str(folder / text) if (folder / text).exists() else os.path.join(glob.escape(str(folder)), text)

    def model(name: str | None) -> str | None:
        return absolute(name) if name is not None and is_path(name) else name

    models: dict[str, Any] = {key: model(getattr(recipe.segment, key)) for key in MODEL_KEYS}
    return replace(
        recipe,
        inputs=tuple(pattern(text) for text in recipe.inputs),
        output=absolute(recipe.output) if recipe.output is not None else None,
        segment=replace(recipe.segment, **models),
    )
