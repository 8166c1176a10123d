"""The page: sections in the order in which somebody who judges a run asks for them."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from importlib.resources import files

import numpy as np

from teasel.apps.report import provenance
from teasel.apps.report.content import Content, Subject
from teasel.apps.report.flags import RULES, Flag, common_shading
from teasel.apps.report.markup import Markup, join, tag
from teasel.apps.report.plots import bar_cell, box_cell, histogram, number, plate_map
from teasel.apps.report.shots import chip, crops, images

__all__ = ["compose"]


def compose(content: Content) -> str:
    """Write the whole page.

    Parameters
    ----------
    content : Content
        What it shows.

    Returns
    -------
    str
        HTML that refers to no other file; a security policy inside forbids the browser to fetch anything.
    """
    sections = [section for section in _sections(content) if section is not None]
    style, script = (
        files("teasel.apps.report").joinpath(name).read_text("utf-8") for name in ("style.css", "script.js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content=f"Teasel {provenance.version(content)}"),
        tag("title", _title(content)),
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the results", href="#main", class_="skip"),
        tag(
            "div",
            _header(content),
            tag(
                "nav",
                tag("ul", [tag("li", tag("a", name, href=f"#{key}")) for key, name, _ in sections]),
                aria_label="Sections",
            ),
            tag("main", [_section(*section) for section in sections], id="main"),
            _footer(content),
            class_="page",
        ),
        tag("script", Markup(script)),
    )
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en") + "\n"


def _section(key: str, name: str, parts: list[Markup]) -> Markup:
    return tag("section", tag("h2", name, id=f"{key}-heading"), parts, id=key, aria_labelledby=f"{key}-heading")


def _sections(content: Content) -> list[tuple[str, str, list[Markup]] | None]:
    """List key, name and content of each section."""
    with_images = bool(content.subjects)
    return [
        ("attention", "What needs a look", _attention(content)),
        ("distributions", "Counts and sizes", _distributions(content)) if with_images else None,
        ("wells", "Wells", wells) if (wells := _wells(content)) else None,
        ("images", "Images", images(content)) if with_images else None,
        ("uncertain", "Least certain", shown) if (shown := crops(content)) else None,
        ("table", "Per image", _table(content)) if with_images else None,
        ("measurements", "Measurements", found) if (found := provenance.measurements(content)) else None,
        ("how", "Settings", provenance.settings(content)),
        ("model", "Model card", provenance.model(content)),
        ("methods", "For your paper", provenance.paper(content)),
        ("rules", "Flags explained", _rules(content)),
    ]


def _title(content: Content) -> str:
    return content.options.title or content.run.folder.resolve().name


def _header(content: Content) -> Markup:
    """Write heading, one line on the run, and the numbers that matter."""
    run = content.run
    model = run.record["model"]
    when = str(run.times.get("started", ""))[:10]
    lead = f"Model {model.get('name')} {model.get('version')}" + (f", {when}" if when else "")
    lead += f", Teasel {provenance.version(content)}. Results in {run.folder.resolve().name}."
    return tag(
        "header",
        tag("p", "Segmentation report", class_="kicker"),
        tag("h1", _title(content)),
        tag("p", lead, class_="lead"),
        tag("dl", [_fact(*fact) for fact in _facts(content)], class_="facts"),
    )


def _facts(content: Content) -> list[tuple[str, str, str, str]]:
    """Return name, value, explanation and class of each number of the heading."""
    subjects, run = content.subjects, content.run
    counts = [one.result.n_objects for one in subjects]
    scores = content.pooled(lambda result: result.columns["score"])
    sizes = content.pooled(content.diameters)
    flagged = sum(bool(one.flags) for one in subjects)
    failed = len(run.record.get("failures", [])) + len(run.unfinished)
    facts = [
        ("Images", f"{len(subjects):,}", "", ""),
        ("Objects", f"{sum(counts):,}", f"median {number(float(np.median(counts)))} per image" if counts else "", ""),
    ]
    nuclei = [one.result.entry["n_nuclei"] for one in subjects if "n_nuclei" in one.result.entry]
    if nuclei:
        without = sum(len(one.result.entry.get("cells_without_nucleus", [])) for one in subjects)
        facts.append(("Nuclei", f"{sum(nuclei):,}", f"{without:,} cell{' has' if without == 1 else 's have'} none", ""))
    if len(sizes):
        low, high = np.percentile(sizes, (5, 95))
        words = f"90 % from {number(low)} to {number(high)} {content.unit}"
        facts.append(("Median diameter", f"{number(float(np.median(sizes)))} {content.unit}", words, ""))
        words = "mean score: so many objects are expected to be right"
        facts.append(("Certainty", f"{100 * float(scores.mean()):.0f} %", words, ""))
    facts.append(("Flagged images", f"{flagged:,}", "" if flagged else "nothing found", "warn" if flagged else ""))
    if failed:
        facts.append(("Failed images", f"{failed:,}", "listed below", "bad"))
    return facts


def _fact(name: str, value: str, words: str, class_: str) -> Markup:
    inner = tag("dd", value, tag("small", words) if words else None)
    return tag("div", tag("dt", name), inner, class_=class_ or None)


def _attention(content: Content) -> list[Markup]:
    """List failures and flagged images with reasons."""
    run, parts = content.run, []
    failures = [
        (str(one.get("source")), f"{one.get('error')}: {one.get('message')}") for one in run.record.get("failures", [])
    ]
    failures += [(name, "results are not complete; type the same command again") for name in run.unfinished]
    if failures:
        rows = [tag("tr", tag("th", _name_of(who), scope="row"), tag("td", why)) for who, why in failures]
        parts.append(
            _plain_table(
                f"{len(failures)} image{'' if len(failures) == 1 else 's'} could not be segmented",
                ("Image", "Why"),
                rows,
            )
        )
    flagged = [(i, one) for i, one in enumerate(content.subjects) if one.flags]
    if flagged:
        kinds = Counter(flag.kind for _, one in flagged for flag in one.flags)
        words = ", ".join(f"{kind} {n}" for kind, n in kinds.most_common())
        rows = [
            tag(
                "tr",
                tag("th", tag("a", one.result.name, href=f"#image-{i}"), scope="row"),
                tag("td", _reasons(one.flags)),
            )
            for i, one in flagged
        ]
        caption = f"{len(flagged)} of {len(content.subjects)} images are flagged ({words})"
        parts.append(_plain_table(caption, ("Image", "Why"), rows))
        parts.append(
            tag(
                "p",
                "A flag asks for a look; it is no verdict. ",
                tag("a", "What the flags mean", href="#rules"),
                ".",
                class_="quiet",
            )
        )
    shading = common_shading([one.look for one in content.subjects])
    if shading is not None and 100 * shading > content.options.max_shading_percent:
        words = f" The brightness of objects changes by {100 * shading:.0f} % across the field, all images together."
        parts.append(tag("p", tag("span", "uneven illumination", class_="flag"), words))
    if not parts:
        parts.append(
            tag(
                "p",
                "No image failed, and none is flagged. ",
                tag("a", "What was looked for", href="#rules"),
                ".",
                class_="good",
            )
        )
    return parts


def _reasons(flags: list[Flag]) -> list[Markup]:
    return [tag("div", chip(flag), f" {flag.reason}") for flag in flags]


def _name_of(source: str) -> str:
    return source.replace("\\", "/").rsplit("/", 1)[-1]


def _distributions(content: Content) -> list[Markup]:
    """Draw counts per image, diameters and scores of all objects."""
    counts = np.array([one.result.n_objects for one in content.subjects])
    charts = [histogram(counts, "Objects per image", "objects", whole=True)] if len(counts) > 1 else []
    charts += [
        histogram(content.pooled(content.diameters), "Diameter of objects", content.unit),
        histogram(
            content.pooled(lambda result: result.columns["score"]), "Score of objects", "score", limits=(0.0, 1.0)
        ),
    ]
    words = (
        "The diameter is that of the disc as large as the object. The score is the probability that an object overlaps "
        "a true one by at least half. The line marks the median."
    )
    return [tag("p", words, class_="quiet"), tag("div", charts, class_="charts")]


def _wells(content: Content) -> list[Markup]:
    """Draw and list counts and sizes per well, plate by plate, if file names say the wells."""
    groups: dict[tuple[str, str], list[Subject]] = {}
    for one in content.subjects:
        if one.result.well:
            groups.setdefault((one.result.plate, one.result.well), []).append(one)
    if len(groups) < 2:
        return []
    parts: list[Markup] = []
    for plate in dict.fromkeys(plate for plate, _ in groups):
        wells = {well: group for (of, well), group in groups.items() if of == plate}
        if plate:
            parts.append(tag("h3", f"Plate: {plate}"))
        counts = {well: float(sum(one.result.n_objects for one in group)) for well, group in wells.items()}
        sizes = {well: _median_size(content, group) for well, group in wells.items()}
        maps = [
            plate_map(counts, "Objects", "objects"),
            plate_map(
                {well: size for well, size in sizes.items() if size is not None}, "Median diameter", content.unit
            ),
        ]
        parts += [tag("div", maps, class_="charts"), _well_table(content, wells, counts, sizes)]
    return parts


def _median_size(content: Content, group: list[Subject]) -> float | None:
    sizes = np.concatenate([content.diameters(one.result) for one in group])
    return float(np.median(sizes)) if len(sizes) else None


def _well_table(
    content: Content, wells: dict[str, list[Subject]], counts: dict[str, float], sizes: dict[str, float | None]
) -> Markup:
    top, limits = max(counts.values(), default=0), _size_limits(content)
    rows = []
    for well, group in sorted(wells.items()):
        pooled = np.concatenate([content.diameters(one.result) for one in group])
        flags = sum(bool(one.flags) for one in group)
        rows.append(
            tag(
                "tr",
                tag("th", well, scope="row"),
                tag("td", str(len(group)), class_="n"),
                _number_cell(counts[well], bar_cell(counts[well], top)),
                _number_cell(sizes[well], box_cell(pooled, limits)),
                tag("td", f"{flags} flagged" if flags else ""),
            )
        )
    head = ("Well", "Images", "Objects", f"Diameter, {content.unit}", "Flags")
    return _plain_table(
        "Per well: number, bar and box (quartiles; line, median; ends, 5 and 95 %)", head, rows, sortable=True
    )


def _size_limits(content: Content) -> tuple[float, float]:
    pooled = content.pooled(content.diameters)
    return (0.0, float(np.percentile(pooled, 99)) * 1.05) if len(pooled) else (0.0, 1.0)


def _number_cell(value: float | None, drawing: Markup) -> Markup:
    return tag(
        "td", tag("span", number(value)), drawing, class_="n", data_value=-1 if value is None else f"{value:.6g}"
    )


def _table(content: Content) -> list[Markup]:
    """List every image with numbers and small plots."""
    top, limits = max((one.result.n_objects for one in content.subjects), default=0), _size_limits(content)
    rows = []
    for i, one in enumerate(content.subjects):
        sizes, scores = content.diameters(one.result), np.asarray(one.result.columns["score"])
        rows.append(
            tag(
                "tr",
                tag("th", tag("a", one.result.name, href=f"#image-{i}"), scope="row"),
                *([tag("td", one.result.well)] if any(other.result.well for other in content.subjects) else []),
                _number_cell(one.result.n_objects, bar_cell(one.result.n_objects, top)),
                _number_cell(_median(sizes), box_cell(sizes, limits)),
                _number_cell(_median(scores), box_cell(scores, (0.0, 1.0))),
                tag("td", [chip(flag) for flag in one.flags]),
            )
        )
    well = ("Well",) if any(one.result.well for one in content.subjects) else ()
    head = ("Image", *well, "Objects", f"Diameter, {content.unit}", "Score", "Flags")
    caption = "Count with a bar; diameter and score as median with a box (quartiles; line, median; ends, 5 and 95 %)"
    return [_plain_table(caption, head, rows, sortable=True)]


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None


def _plain_table(caption: str, head: tuple[str, ...], rows: list[Markup], *, sortable: bool = False) -> Markup:
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", [tag("th", name, scope="col") for name in head])),
        tag("tbody", rows),
        class_="sortable" if sortable else None,
    )
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _rules(content: Content) -> list[Markup]:
    """Explain each flag with the limit that was used."""
    options = content.options
    limits = vars(options) | {"min_share_percent": 100 * options.min_share, "fewest_images": 5}
    parts: list[Markup] = [
        item
        for kind, words in RULES.items()
        for item in (tag("dt", kind.capitalize()), tag("dd", words.format(**limits)))
    ]
    notes = []
    if content.card.facts["sizes"] is None:
        notes.append(
            tag("p", "The model card records no sizes, so unusual sizes could not be looked for.", class_="quiet")
        )
    return [tag("dl", parts, class_="rules"), *notes]


def _footer(content: Content) -> Markup:
    return tag(
        "footer",
        join(["Made with Teasel ", provenance.version(content), ". This file needs no other file and no network."]),
    )
