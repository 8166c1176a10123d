"""The pictures of a report: every image with its outlines, and the objects that are least certain."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np

from teasel.apps.report.content import Content, Subject
from teasel.apps.report.flags import Flag
from teasel.apps.report.markup import Markup, tag
from teasel.apps.report.pictures import Picture
from teasel.apps.report.plots import number, scale_length

__all__ = ["chip", "crops", "images"]


def chip(flag: Flag) -> Markup:
    """Name what is unusual about an image."""
    return tag("span", flag.kind, class_="fault" if flag.kind == "not judged" else "flag")


def images(content: Content) -> list[Markup]:
    """Show every image with its outlines."""
    if not content.picture_px:
        return [
            tag(
                "p",
                f"{len(content.subjects):,} images are too many to show here; their overlays lie beside this file.",
            )
        ]
    tools = [tag("label", tag("input", type="checkbox", id="outlines", checked=True), "Show outlines")]
    if 0 < sum(bool(one.flags) for one in content.subjects) < len(content.subjects):
        tools.append(tag("label", tag("input", type="checkbox", id="flagged-only"), "Only flagged images"))
    if any("n_nuclei" in one.result.entry for one in content.subjects):
        tools.append(tag("span", "Cells are outlined in yellow, nuclei in blue."))
    shots = [_shot(content, i, one) for i, one in enumerate(content.subjects)]
    side = content.picture_px if len(shots) == 1 else min(content.picture_px, 480)
    double = any(one.look.detail for one in content.subjects) and content.picture_px <= 440
    shown = f"--shot:{side * (2 if double else 1)}px;--shot-print:{_print_width(len(shots))}"
    return [tag("div", tools, class_="tools"), tag("div", shots, class_="shots", style=shown)]


def _print_width(n: int) -> str:
    return "80mm" if n <= 4 else "54mm" if n <= 60 else "40mm"


def _shot(content: Content, number_: int, one: Subject) -> Markup:
    result, look = one.result, one.look
    n = f"{result.n_objects:,} object{'' if result.n_objects == 1 else 's'}"
    pictures = [
        _stack(look.picture, f"{result.name}, {n}, outlined") if look.picture else None,
        _stack(look.detail, f"Part of {result.name}, enlarged") if look.detail else None,
    ]
    sizes = content.diameters(result)
    words = f"{n}, {number(float(np.median(sizes)))} {content.unit}" if len(sizes) else n
    overlay = f"{result.name}.overlay.png"
    link = (
        tag("a", "full size", href=quote(overlay.encode("utf-8", "surrogateescape")))
        if (content.run.folder / overlay).is_file()
        else None
    )
    caption = tag(
        "figcaption",
        tag("b", result.name),
        words,
        ", " if link else None,
        link,
        tag("br") if one.flags else None,
        [chip(flag) for flag in one.flags],
    )
    missing = tag("p", "No picture: ", look.problem, class_="quiet") if look.picture is None else None
    return tag(
        "figure", tag("div", pictures, class_="pair"), missing, caption,
        class_="shot flagged" if one.flags else "shot", id=f"image-{number_}",
    )  # fmt: skip


def _stack(picture: Picture, words: str) -> Markup:
    """Put the outlines above the picture, and a scale bar where the scale is known."""
    size = {"width": picture.width, "height": picture.height}
    scale = None
    if picture.um_per_px:
        length = scale_length(picture.width * picture.um_per_px)
        share = 100 * length / (picture.width * picture.um_per_px)
        scale = tag("span", f"{length:g} µm", class_="scale", style=f"width:{share:.1f}%", aria_hidden="true")
    return tag(
        "div",
        tag("img", src=picture.image, alt=words, **size),
        tag("img", src=picture.outlines, alt="", class_="outlines", **size),
        scale,
        class_="picture",
        style=f"max-width:{picture.width}px",
    )


def crops(content: Content) -> list[Markup]:
    """Show the least certain objects."""
    shown = []
    for position, row in content.least_certain:
        one = content.subjects[position]
        label = int(one.result.columns["label"][row])
        picture = one.look.crops.get(label)
        if picture is None:
            continue
        score = float(one.result.columns["score"][row])
        place = ", ".join(
            f"{axis} {one.result.columns[f'centroid_{axis}_px'][row]:.0f}"
            for axis in "xyz"
            if f"centroid_{axis}_px" in one.result.columns
        )
        caption = tag(
            "figcaption", tag("b", f"Score {score:.2f}"), tag("a", one.result.name, href=f"#image-{position}"),
            tag("br"), f"object {label} at {place}",
        )  # fmt: skip
        words = f"Object {label} of {one.result.name}, score {score:.2f}"
        shown.append(tag("li", tag("figure", _stack(picture, words), caption)))
    if not shown:
        return []
    words = f"The {len(shown)} objects with the lowest scores of the run, each outlined in blue: first to check by eye."
    return [tag("p", words, class_="quiet"), tag("ul", shown, class_="crops")]
