"""Parse TOML and YAML, and remember on which line each key stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from teasel.errors import ParameterError

__all__ = ["SUFFIXES", "parse"]

SUFFIXES = (".toml", ".yaml", ".yml")
_HEADER = re.compile(r"\s*\[\s*([\w.\"' -]+?)\s*\]\s*(#.*)?$")

Keys = tuple[str, ...]


def parse(path: Path) -> tuple[dict[str, Any], dict[Keys, int]]:
    """Read a TOML or YAML file.

    Parameters
    ----------
    path : pathlib.Path
        Ends with ``.toml``, ``.yaml`` or ``.yml``.

    Returns
    -------
    values : dict
        What it holds.
    lines : dict of tuple of str to int
        On which line, from 1, a key stands; the key ``channel`` of the section ``segment`` is
        ``("segment", "channel")``. In TOML some unusual spellings are not found.

    Raises
    ------
    ParameterError
        If the file ends otherwise, is not UTF-8, is not well formed, or holds no keys.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ParameterError(f"{path} is no recipe; expected a file that ends with {', '.join(SUFFIXES)}")
    try:
        text = path.read_text("utf-8-sig")
        values, lines = _toml(text) if path.suffix.lower() == ".toml" else _yaml(text)
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path} is not text in UTF-8: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{path} is not well-formed TOML: {error}") from error
    except yaml.YAMLError as error:
        raise ParameterError(f"{path} is not well-formed YAML: {_yaml_words(error)}") from error
    if not isinstance(values, dict):
        raise ParameterError(f"{path} holds {'nothing' if values is None else repr(values)}; expected keys with values")
    return values, lines


def _toml(text: str) -> tuple[Any, dict[Keys, int]]:
    values = tomllib.loads(text)
    lines: dict[Keys, int] = {}
    section: Keys = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            section = tuple(part.strip(" \"'") for part in header[1].split("."))
            lines.setdefault(section, number)
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            lines.setdefault((*section, *(part.strip(" \"'") for part in key[1].split("."))), number)
            for inner in re.findall(r"[{,]\s*([\w\"'-]+)\s*=", line):
                lines.setdefault((*section, key[1].strip("\"'"), inner.strip("\"'")), number)
    return values, lines


def _yaml(text: str) -> tuple[Any, dict[Keys, int]]:
    root = yaml.compose(text, yaml.SafeLoader)
    lines: dict[Keys, int] = {}
    if root is not None:
        _walk(root, (), lines)
    return yaml.safe_load(text), lines


def _walk(node: yaml.Node, at: Keys, lines: dict[Keys, int]) -> None:
    """Note the line of each key; a key that comes twice is an error (YAML would take the last)."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        here = (*at, str(key.value))
        if here in lines:
            raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} comes twice", problem_mark=key.start_mark)
        lines[here] = key.start_mark.line + 1
        _walk(value, here, lines)


def _yaml_words(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} (at line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1})"
    return " ".join(str(error).split())
