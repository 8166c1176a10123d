"""Options read off a dataclass: names, types and defaults from its fields, help from its docstring."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Annotated, Any

import typer

__all__ = ["parameter_help", "takes_fields_of"]

_PLAIN = (bool, int, float, str)
_UNIT = re.compile("_(px|um)$")


def takes_fields_of(settings: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one option per field of a dataclass.

    Parameters
    ----------
    settings : type
        A dataclass whose fields are bool, int, float, str, one of these or None, or tuples of one of these
        (typed as ``1,2,3``), and whose docstring explains each in its section Parameters. Units at the end of
        a name (``_px``, ``_um``) are left out of the option's; the explanation says them.

    Returns
    -------
    callable
        Decorator for a command with a keyword parameter ``settings``, which then gets an instance.

    Raises
    ------
    TypeError
        If a field cannot be typed on a command line.
    """
    options = _options(settings)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            chosen = {option.name: values.pop(option.name) for option in options}
            command(**values, settings=settings(**chosen))

        hints = typing.get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in inspect.signature(command).parameters.values()
            if parameter.name != "settings"
        ]
        run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *options]}
        run.__doc__, run.__name__ = command.__doc__, command.__name__
        return run

    return decorate


def parameter_help(documented: object) -> dict[str, str]:
    """Read the section Parameters of a numpydoc docstring.

    Returns
    -------
    dict of str to str
        The explanation of each parameter, in one line.

    Examples
    --------
    >>> from teasel.apps.cli.console import ProgressLine
    >>> parameter_help(ProgressLine)
    {'quiet': 'Draw nothing.'}
    """
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=\n\n?[^\n]+\n-+\n|\Z)", inspect.getdoc(documented) or "", re.S | re.M
    )
    found: dict[str, str] = {}
    names: list[str] = []
    for line in (section.group(1) if section else "").splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(":")[0].split(",")]
        for name in names if line.startswith(" ") else []:
            found[name] = f"{found.get(name, '')} {line.strip()}".strip().replace("``", "")
    return found


def _options(settings: type) -> list[inspect.Parameter]:
    """Turn each field into the parameter that Typer makes an option of."""
    hints, explained = typing.get_type_hints(settings), parameter_help(settings)
    options = []
    for field in fields(settings):
        flag = "--" + _UNIT.sub("", field.name).replace("_", "-")
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        annotation = _annotation(hints[field.name], flag, explained.get(field.name, ""))
        options.append(
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    return options


def _annotation(kind: Any, flag: str, explained: str) -> Any:
    if kind is bool:
        flag = f"{flag}/--no-{flag.removeprefix('--')}"
    if kind in _PLAIN or kind in [plain | None for plain in _PLAIN]:
        return Annotated[kind, typer.Option(flag, help=explained)]
    if typing.get_origin(kind) is tuple and typing.get_args(kind)[0] in _PLAIN:
        item = typing.get_args(kind)[0]
        parse = _TupleOf(item)
        return Annotated[
            tuple, typer.Option(flag, help=explained, parser=parse, metavar=f"{item.__name__},...".upper())
        ]
    raise TypeError(f"{flag}: a field of type {kind} cannot be an option; expected bool, int, float, str or a tuple")


class _TupleOf:
    """Reads ``1,2,3`` as a tuple; shown as it is typed."""

    def __init__(self, item: type) -> None:
        self._item = item
        self.__name__ = f"{item.__name__},..."

    def __call__(self, text: Any) -> tuple[Any, ...]:
        if isinstance(text, tuple):
            return text
        return tuple(self._item(part) for part in str(text).strip("()").split(",") if part.strip())
