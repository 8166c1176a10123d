"""The JSON schema of recipes, made from the dataclasses: editors complete and check with it."""

from __future__ import annotations

from typing import Any

from teasel.apps.recipe.kinds import Kind, kinds_of
from teasel.apps.recipe.recipe import FORMAT, Recipe

__all__ = ["recipe_schema"]

_PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string"}


def recipe_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema, draft 2020-12) that a recipe fits, whether TOML or YAML.

    Examples
    --------
    >>> recipe_schema()["required"]
    ['inputs']
    """
    whole = _section(Recipe)
    whole["properties"]["inputs"]["minItems"] = 1
    whole["properties"] = {"format": {"const": FORMAT, "description": "Version of the format."}} | whole["properties"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Teasel recipe",
        **whole,
    }


def _section(section: type) -> dict[str, Any]:
    """Describe the keys of one section."""
    from teasel.apps.cli.options import parameter_help

    explained, known = parameter_help(section), kinds_of(section)
    described = {
        "description": (section.__doc__ or "").splitlines()[0],
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _value(kind, explained[key]) for key, kind in known.items()},
    }
    required = [key for key, kind in known.items() if kind.required]
    return described | ({"required": required} if required else {})


def _value(kind: Kind, words: str) -> dict[str, Any]:
    """Describe what one key takes."""
    if kind.section is not None:
        inner = _section(kind.section) | {"description": words}
        return inner | ({"type": ["object", "null"]} if kind.optional else {})
    one: dict[str, Any] = {"type": _PLAIN[kind.plain or str]}
    if kind.many:
        return {"description": words, "type": "array", "items": one} | _default(kind)
    if kind.plain is str and kind.optional:
        one = {"type": ["string", "integer"]}
    return {"description": words, **one, **_default(kind)}


def _default(kind: Kind) -> dict[str, Any]:
    if kind.required or kind.default is None:
        return {}
    return {"default": list(kind.default) if kind.many else kind.default}
