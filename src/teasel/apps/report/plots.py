"""Small vector plots as inline SVG: sharp on screen and paper, readable without colour, no library needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.apps.report.markup import Markup, tag

__all__ = ["bar_cell", "box_cell", "histogram", "number", "plate_map", "scale_length", "ticks"]

_WIDTH, _HEIGHT = 300, 170  # of a histogram
_LEFT, _BOTTOM, _TOP, _RIGHT = 40, 34, 8, 12


def number(value: float | None, digits: int = 3) -> str:
    """Write a number for people: thousands apart, few digits, a dash where there is none.

    Examples
    --------
    >>> number(12345), number(0.0456789), number(None), number(31.0)
    ('12,345', '0.0457', '–', '31')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) or abs(value) >= 10**digits:
        return f"{round(value):,}"
    return f"{value:.{digits}g}"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return round numbers that divide a range.

    Examples
    --------
    >>> ticks(0, 97)
    [0.0, 20.0, 40.0, 60.0, 80.0]
    """
    span = max(high - low, 1e-12)
    raw = span / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= 0.75 * raw)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def scale_length(width: float) -> float:
    """Return the length of a scale bar: round, and a tenth to a quarter of the width.

    Examples
    --------
    >>> scale_length(456), scale_length(70), scale_length(0.3)
    (100.0, 10.0, 0.05)
    """
    power = 10.0 ** math.floor(math.log10(width / 4))
    return float(round(max(power * one for one in (1, 2, 5) if power * one <= width / 4), 9))


def histogram(
    values: NDArray[Any], title: str, unit: str, *, limits: tuple[float, float] | None = None, whole: bool = False
) -> Markup:
    """Draw how values are distributed, with the median as a line.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite or not; what is not finite is left out.
    title : str
        What they are.
    unit : str
        Of the horizontal axis.
    limits : tuple of float, optional
        Ends of the horizontal axis; percentiles 0.5 and 99.5 if not given, what lies outside counts in the end bins.
    whole : bool
        Whether values are whole numbers.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not len(values):
        return tag("p", f"{title}: no values.", class_="quiet")
    low, high = limits or _ends(values, whole)
    n_bins = int(np.clip(np.sqrt(len(values)) * 1.5, 6, 32))
    edges: NDArray[Any]
    if whole:
        width = max(1, math.ceil((high - low) / n_bins))
        edges = np.arange(math.floor(low), math.floor(high) + width + 1, width) - 0.5
        low, high = float(edges[0]), float(edges[-1])
    else:
        edges = np.linspace(low, high, n_bins + 1)
    counts, _ = np.histogram(values.clip(low, high), edges)
    median = float(np.median(values))
    return _draw_histogram(counts, edges, median, title, unit, len(values))


def _ends(values: NDArray[np.float64], whole: bool) -> tuple[float, float]:
    """Return where the axis begins and ends: at 0 if that is near."""
    if whole:
        return float(values.min()), float(values.max())
    low, high = np.percentile(values, (0.5, 99.5))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return (0.0 if 0 <= low < 0.4 * high else float(low)), float(high)


def _draw_histogram(counts: NDArray[Any], edges: NDArray[Any], median: float, title: str, unit: str, n: int) -> Markup:
    inner_w, inner_h = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    top = max(int(counts.max()), 1)
    low, high = float(edges[0]), float(edges[-1])

    def x(value: float) -> float:
        return round(_LEFT + inner_w * (value - low) / (high - low), 1)

    def y(count: float) -> float:
        return round(_TOP + inner_h * (1 - count / (1.05 * top)), 1)

    bars = "".join(
        f"M{x(a)} {y(0)}V{y(c)}H{x(b)}V{y(0)}Z" for a, b, c in zip(edges[:-1], edges[1:], counts, strict=True) if c
    )
    parts = [tag("path", d=bars, class_="bar")]
    for tick in ticks(0, 1.05 * top, 3):
        if tick == int(tick):
            parts += [
                tag("path", d=f"M{_LEFT} {y(tick)}H{_WIDTH - _RIGHT}", class_="grid"),
                tag("text", number(tick), x=_LEFT - 6, y=y(tick) + 4, text_anchor="end"),
            ]
    parts += [
        tag("text", number(tick), x=x(tick), y=_HEIGHT - _BOTTOM + 15, text_anchor="middle")
        for tick in ticks(low, high, 5)
    ]
    parts += [
        tag("path", d=f"M{_LEFT} {y(0)}H{_WIDTH - _RIGHT}", class_="axis"),
        tag("path", d=f"M{x(min(max(median, low), high))} {_TOP}V{y(0)}", class_="median"),
        tag("text", unit, x=_LEFT + inner_w / 2, y=_HEIGHT - 3, text_anchor="middle", class_="unit"),
    ]
    words = f"{title}: {n:,} values, median {number(median)} {unit}"
    picture = tag("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=words, class_="plot")
    caption = tag(
        "figcaption", tag("b", title), f"median {number(median)}{f' {unit}' if unit != 'score' else ''}, n = {n:,}"
    )
    return tag("figure", caption, picture, class_="chart")


def bar_cell(value: float, top: float) -> Markup:
    """Draw a bar of a table cell; the number stands beside it."""
    width = round(100 * value / top, 1) if top > 0 else 0
    return tag(
        "svg", tag("rect", x=0, y=3, width=width, height=10, class_="bar"),
        viewBox="0 0 100 16", preserveAspectRatio="none", aria_hidden="true", class_="cell",
    )  # fmt: skip


def box_cell(values: NDArray[Any], limits: tuple[float, float]) -> Markup:
    """Draw a box plot of a table cell: quartiles, median, percentiles 5 and 95."""
    values = np.asarray(values, float)
    low, high = limits
    if not len(values) or high <= low:
        return Markup("")
    a, b, c, d, e = (
        round(float(np.clip(100 * (q - low) / (high - low), 0, 100)), 1)
        for q in np.percentile(values, (5, 25, 50, 75, 95))
    )
    return tag(
        "svg",
        tag("path", d=f"M{a} 8H{e}M{a} 5V11M{e} 5V11", class_="whisker"),
        tag("rect", x=b, y=3, width=max(round(d - b, 1), 0.5), height=10, class_="box"),
        tag("path", d=f"M{c} 2V14", class_="median"),
        viewBox="0 0 100 16", preserveAspectRatio="none", aria_hidden="true", class_="cell",
    )  # fmt: skip


def plate_map(wells: dict[str, float], title: str, unit: str) -> Markup:
    """Draw a plate as a map of its wells, the value written in each.

    Parameters
    ----------
    wells : dict of str to float
        Value of each well, such as ``"B03"``; other names are left out.
    title, unit : str
        What the values are.
    """
    placed = {_row_column(well): value for well, value in wells.items() if _row_column(well) is not None}
    if not placed:
        return Markup("")
    spots = [spot for spot in placed if spot is not None]
    n_rows, n_columns = _plate_size(max(r for r, _ in spots) + 1, max(c for _, c in spots) + 1)
    side, left, top = 34, 26, 20
    low, high = min(placed.values()), max(placed.values())
    parts = [
        tag("text", str(c + 1), x=left + (c + 0.5) * side, y=14, text_anchor="middle") for c in range(n_columns)
    ] + [tag("text", _letters(r), x=left - 8, y=top + (r + 0.62) * side, text_anchor="end") for r in range(n_rows)]
    for r in range(n_rows):
        for c in range(n_columns):
            parts += _well(placed.get((r, c)), low, high, left + c * side, top + r * side, side)
    width, height = left + n_columns * side + 2, top + n_rows * side + 2
    words = f"{title} per well: {len(placed)} wells, from {number(low)} to {number(high)} {unit}"
    picture = tag("svg", *parts, viewBox=f"0 0 {width} {height}", role="img", aria_label=words, class_="plate")
    caption = tag("figcaption", tag("b", f"{title} per well"), f"{unit}; {number(low)} to {number(high)}")
    return tag("figure", caption, picture, class_="chart wide", style=f"max-width:{width * 1.15:.0f}px")


def _well(value: float | None, low: float, high: float, x: float, y: float, side: float) -> list[Markup]:
    """Draw one well: the darker the higher, white letters on dark."""
    place = {"x": x + 1, "y": y + 1, "width": side - 2, "height": side - 2, "rx": 4}
    if value is None:
        return [tag("rect", **place, class_="no-well")]
    share = (value - low) / (high - low) if high > low else 0.5
    red, green, blue = (round(a + share * (b - a)) for a, b in zip((232, 241, 244), (9, 76, 94), strict=True))
    text = tag(
        "text", number(value, 2) if abs(value) < 1000 else f"{value / 1000:.2g}k", x=x + side / 2, y=y + 0.62 * side,
        text_anchor="middle", style=f"fill:{'#fff' if share > 0.45 else '#1c2b30'}", class_="value",
    )  # fmt: skip
    return [tag("rect", **place, style=f"fill:rgb({red},{green},{blue})"), text]


def _row_column(well: str) -> tuple[int, int] | None:
    """Read ``B03`` as (1, 2), ``AB12`` as (27, 11)."""
    letters = well.rstrip("0123456789")
    digits = well[len(letters) :]
    if not digits or not 1 <= len(letters) <= 2 or not letters.isalpha() or not letters.isascii():
        return None
    row = 0
    for letter in letters.upper():
        row = 26 * row + ord(letter) - 64
    return row - 1, int(digits) - 1


def _letters(row: int) -> str:
    return (chr(64 + row // 26) if row >= 26 else "") + chr(65 + row % 26)


def _plate_size(rows: int, columns: int) -> tuple[int, int]:
    """Return the smallest usual plate that holds so many rows and columns."""
    usual: Sequence[tuple[int, int]] = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
    return next((size for size in usual if size[0] >= rows and size[1] >= columns), (rows, columns))
