"""The model that made the results: its specification and card, if it is still the same model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from teasel.apps.report.markup import Markup, tag
from teasel.errors import TeaselError

__all__ = ["ModelCard", "find_card", "render_markdown"]


@dataclass(frozen=True)
class ModelCard:
    """What is known of the model of a run.

    Parameters
    ----------
    spec : ModelSpec or None
        None if the model is not here any more, or is another.
    text : str
        The card, in Markdown.
    problem : str
        Why it is not known; ``""`` if it is.
    """

    spec: Any = None
    text: str = ""
    problem: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What flags compare with: the diameter the network works at, and the sizes it was trained on."""
        if self.spec is None:
            return {"object_diameter_px": None, "sizes": None}
        return {"object_diameter_px": self.spec.object_diameter_px, "sizes": self.spec.training.get("sizes")}


def find_card(model: Mapping[str, Any], asked: str) -> ModelCard:
    """Find the model that a run used.

    Parameters
    ----------
    model : mapping
        What ``run.json`` says: ``name`` and ``digest``.
    asked : str
        The name or path that was asked for.
    """
    from teasel.models.package import read_package
    from teasel.models.zoo import find_model

    try:
        folder = find_model(asked)
        package = read_package(folder)
    except (TeaselError, OSError) as error:
        return ModelCard(problem=f"The model {model.get('name')} cannot be read any more: {error}")
    if model.get("digest") not in package.digests.values():
        return ModelCard(problem=f"The model {asked} that is installed here is not the one that made these results.")
    card = folder / "README.md"
    return ModelCard(package.spec, card.read_text("utf-8") if card.is_file() else "")


def render_markdown(text: str, *, level: int = 3) -> list[Markup]:
    """Turn the Markdown of a model card into HTML: headings, paragraphs, lists, tables, code.

    Parameters
    ----------
    text : str
        Markdown; whatever else it holds is shown as text.
    level : int
        Level of the highest heading.
    """
    parts: list[Markup] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        heading = re.match(r"(#{1,4}) (.+)", lines[0]) if lines else None
        if heading:
            parts.append(tag(f"h{min(level + len(heading[1]) - 1, 6)}", _inline(heading[2])))
            lines = lines[1:]
        if not lines:
            continue
        if all(line.startswith("|") for line in lines) and len(lines) > 1:
            parts.append(_table(lines))
        elif all(re.match(r"[-*] ", line) for line in lines):
            parts.append(tag("ul", [tag("li", _inline(line[2:])) for line in lines]))
        else:
            parts.append(tag("p", _inline(" ".join(lines))))
    return parts


def _inline(text: str) -> list[Any]:
    """Mark code between backticks, and DOIs as links."""
    parts: list[Any] = []
    for piece in re.split(r"(`[^`]+`|doi:10\.\d+/[^\s;,)]+)", text):
        if piece.startswith("`") and len(piece) > 1:
            parts.append(tag("code", piece[1:-1]))
        elif piece.startswith("doi:"):
            parts.append(tag("a", piece, href=f"https://doi.org/{piece[4:].rstrip('.')}"))
        else:
            parts.append(piece)
    return parts


def _table(lines: list[str]) -> Markup:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    body = [row for row in rows[1:] if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", [tag("th", _inline(cell), scope="col") for cell in rows[0]])),
            tag("tbody", [tag("tr", [tag("td", _inline(cell)) for cell in row]) for row in body]),
        ),
        class_="scroll",
        tabindex="0",
    )
