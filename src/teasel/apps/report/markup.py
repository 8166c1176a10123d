"""HTML and SVG put together so that no text can become markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

__all__ = ["Markup", "join", "tag"]

_EMPTY = {"img", "meta", "input", "br", "path", "line", "rect", "circle"}


class Markup(str):
    """Text that is markup already; everything else is escaped when it comes into `tag`."""

    __slots__ = ()


def tag(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return one element.

    Parameters
    ----------
    name : str
        Such as ``"p"``.
    *children : Any
        `Markup` stays as it is, lists are taken apart, None is left out, and all else becomes text.
    **attributes : Any
        ``class_`` and ``for_`` stand for the words Python keeps, ``_`` for ``-``. None and False leave an attribute
        out; True gives it no value.

    Examples
    --------
    >>> tag("p", "a < b", class_="note", title='"')
    '<p class="note" title="&quot;">a &lt; b</p>'
    """
    head = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY and not children:
        return Markup(f"<{name}{head}/>")
    return Markup(f"<{name}{head}>{join(children)}</{name}>")


def join(children: Iterable[Any]) -> Markup:
    """Put children together, escaped where they are no markup."""
    return Markup("".join(_child(child) for child in children))


def _child(child: Any) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, list | tuple):
        return join(child)
    return escape(_shown(str(child)))


def _attribute(key: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(_shown(str(value)))}"'


def _shown(text: str) -> str:
    """Return text that UTF-8 can hold: bytes of file names that are no text become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
