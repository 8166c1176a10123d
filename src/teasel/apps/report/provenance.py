"""The sections on how results were made: settings, versions, measurements, model card, methods, citations."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from teasel.apps.report.citations import bibtex
from teasel.apps.report.content import Content
from teasel.apps.report.markup import Markup, tag
from teasel.apps.report.methods import methods_paragraph
from teasel.apps.report.model_card import render_markdown
from teasel.apps.report.plots import number

if TYPE_CHECKING:
    from teasel.measurement import Measurements

__all__ = ["measurements", "model", "paper", "settings", "version"]


def version(content: Content) -> str:
    """Return the version of Teasel that segmented the images."""
    return str(content.run.record.get("versions", {}).get("teasel", ""))


def settings(content: Content) -> list[Markup]:
    """List what was set, versions, and what was assumed."""
    run = content.run
    record, times = run.record, run.times
    made: dict[str, Any] = {}
    for key, value in record["parameters"].items():
        made |= {f"{key}: {inner}": one for inner, one in value.items()} if isinstance(value, dict) else {key: value}
    facts = record["model"]
    ran = {
        "Model": f"{facts.get('name')} {facts.get('version')}",
        "SHA-256 of the weights": facts.get("digest"),
        "Runs in": f"{facts.get('backend')}, {facts.get('precision')}, {facts.get('threads')} threads",
        "Started": times.get("started"),
        "Typed": "teasel " + shlex.join(times["command"]) if times.get("command") else None,
    }
    notes = Counter(note for one in content.subjects for note in one.result.entry.get("notes", []))
    parts = [
        tag(
            "div",
            _pairs("What was set; all else was left to the model", made),
            _pairs("Versions", record.get("versions", {})),
            class_="two",
        ),
        _pairs("The run", ran),
    ]
    if notes:
        listed = [tag("li", f"{note} ({_images(n)})") for note, n in notes.most_common()]
        parts += [tag("h3", "Found or assumed on the way"), tag("ul", listed)]
    return parts


def _images(n: int) -> str:
    return f"{n:,} image{'' if n == 1 else 's'}"


def _pairs(caption: str, values: dict[str, Any]) -> Markup:
    rows = [
        tag("tr", tag("th", key, scope="row"), tag("td", _words(value)))
        for key, value in values.items()
        if value is not None
    ]
    return tag("table", tag("caption", caption), tag("tbody", rows))


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "default"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def measurements(content: Content) -> list[Markup]:
    """Summarise the features of all objects, family by family, if they were measured."""
    table = _measured(content)
    if table is None or not len(table):
        return []
    words = (
        f"{len(table.features)} features of {len(table):,} objects: median and quartiles of those that have a value. "
        "The tables beside this report hold every object, and the definition of every column."
    )
    parts = [tag("p", words, class_="quiet")]
    for family in dict.fromkeys(feature.family for feature in table.features):
        rows = [_feature_row(table, i) for i, feature in enumerate(table.features) if feature.family == family]
        head = [
            tag("th", name, scope="col") for name in ("Feature", "Unit", "Median", "Quartiles", "Objects", "Meaning")
        ]
        inner = tag("table", tag("thead", tag("tr", head)), tag("tbody", rows))
        scroll = tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=f"Features: {family}")
        parts.append(tag("details", tag("summary", f"{family or 'others'} ({len(rows)})"), scroll))
    return parts


def _measured(content: Content) -> Measurements | None:
    """Read the tables of the images that were measured."""
    from teasel.measurement import Measurements
    from teasel.measurement.tables import read_table

    paths = [content.run.folder / f"{one.result.name}.measurements.csv" for one in content.subjects]
    found = [table for path in paths if path.is_file() and len(table := read_table(path))]
    if len({(table.spatial_unit, table.spatial_um.shape[1]) for table in found}) > 1:
        found = [table for table in found if table.spatial_unit == found[0].spatial_unit]
    return Measurements.concatenate(found, fill=True) if found else None


def _feature_row(table: Measurements, column: int) -> Markup:
    feature, values = table.features[column], table.values[:, column]
    values = values[np.isfinite(values)]
    low, middle, high = np.percentile(values, (25, 50, 75)) if len(values) else (np.nan,) * 3
    cells = ("" if feature.unit == "1" else feature.unit, number(middle), f"{number(low)} to {number(high)}")
    shown = [tag("td", cell) for cell in (*cells, f"{len(values):,}", feature.definition)]
    return tag("tr", tag("th", feature.name, scope="row"), shown)


def model(content: Content) -> list[Markup]:
    """Show the model card."""
    if content.card.problem:
        return [tag("p", content.card.problem, " Its card cannot be shown.")]
    return render_markdown(content.card.text or "The model has no card.")


def paper(content: Content) -> list[Markup]:
    """Write the methods paragraph and the citations."""
    spec = content.card.spec
    cited = spec_citations(spec) if spec is not None else []
    measured = bool(content.run.record["parameters"].get("measure"))
    entries = bibtex(cited, version(content), content.run.record["model"], measured=measured)
    return [
        tag("h3", "Methods"),
        tag("p", methods_paragraph(content.run, content.card), id="methods-text", class_="prose"),
        _copy("methods-text", "Copy the paragraph"),
        tag("h3", "Citations"),
        tag("pre", tag("code", entries, id="bibtex")),
        _copy("bibtex", "Copy the BibTeX"),
    ]


def spec_citations(spec: Any) -> list[dict[str, str]]:
    """Return what a model cites: text and DOI of each source."""
    from teasel.models.description import summarise

    return list(summarise(spec)["cite"])


def _copy(source: str, words: str) -> Markup:
    return tag("button", words, type="button", class_="copy", data_from=source, hidden=True)
