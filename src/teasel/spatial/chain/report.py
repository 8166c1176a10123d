"""The report of a run: one HTML file with its pictures inside, for a browser or a printer."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.labels import outline_mask, read_labels
from teasel.spatial.chain.inputs import Inputs
from teasel.spatial.chain.progress import Ledger
from teasel.spatial.chain.recipe import SpatialRecipe
from teasel.spatial.chain.steps import unpack_transforms
from teasel.spatial.register import Transform, warp
from teasel.spatial.spots import Spots

__all__ = ["alignment_picture", "field_picture", "write_report"]

_FIELDS = 4  # in pictures
_SIDE = 640  # pixels of a picture, at least
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border-bottom:1px solid #ccc;padding:.2em .8em;text-align:right}"
    "th:first-child,td:first-child{text-align:left}img{max-width:48%;margin:0 1% 0 0;border:1px solid #ccc}"
    "figcaption{color:#555;margin-bottom:1.5em}"
)
_COLOURS = (
    (230, 25, 75),
    (60, 180, 75),
    (255, 225, 25),
    (67, 133, 255),
    (245, 130, 48),
    (66, 212, 244),
    (240, 50, 230),
)


def write_report(summary: dict[str, Any], recipe: SpatialRecipe, inputs: Inputs, ledger: Ledger) -> str:
    """Return the report as HTML, complete in itself."""
    blocks = [
        [block, found["genes"], found["blanks"], _share(found["fdr"]), _interval(found["fdr_interval"])]
        for block, found in summary["blocks"].items()
    ]
    fields = [
        [
            one["field"],
            one["molecules"],
            f"{one['largest_shift_px']:.1f}",
            _number(max((value for value in one["residual_px"] if value is not None), default=None)),
            _number(one["residual_in_molecules_px"]),
        ]
        for one in summary["fields"]
    ]
    cells = summary["cells"]
    parts = [
        f"<h1>Spatial run</h1><p>{len(summary['fields'])} fields, decoder {html.escape(summary['decoder'])}, at most "
        f"{100 * summary['requested_fdr']:g} % false calls asked for. {cells['n']} cells, in the median "
        f"{cells['median_molecules']:g} molecules; {cells['unassigned']} molecules "
        f"({100 * cells['unassigned_share']:.1f} %) in no cell.</p>",
        "<h2>Molecules and error</h2><p>The share of false calls is told by blanks, for each block of the codebook: "
        "(calls of blanks / blank words) / (calls of genes / gene words), with the 95 % interval of counting.</p>",
        _table(["block", "genes", "blanks", "false calls", "interval"], blocks),
        "<h2>Alignment</h2>",
        _table(["field", "molecules", "drift, px", "left by patches, px", "left by molecules, px"], fields),
        _pictures(recipe, inputs, ledger),
        "<h2>Most frequent genes</h2>",
        _table(["gene", "molecules"], summary["top_genes"]),
    ]
    return f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Spatial run</title><style>{_STYLE}</style>" + (
        "".join(parts) + "</html>\n"
    )


def alignment_picture(first: NDArray[Any], last: NDArray[Any], transform: Transform) -> NDArray[np.uint8]:
    """Draw the first round in magenta and the last in green, as they came and aligned, side by side.

    Returns
    -------
    ndarray of uint8, shape (y, 2 * x + gap, 3)
        White where both agree.
    """
    aligned = warp(last, transform)
    halves = []
    for other in (np.asarray(last, np.float32), aligned):
        one, two = (_stretched(_flat(image)) for image in (first, other))
        halves.append(np.stack([one, two, one], axis=-1))
    scale = max(1, -(-_SIDE // (2 * min(halves[0].shape[:2]))))
    halves = [np.repeat(np.repeat(half, scale, axis=0), scale, axis=1) for half in halves]
    gap = np.full((halves[0].shape[0], 8, 3), 255, np.uint8)
    return np.concatenate([halves[0], gap, halves[1]], axis=1)


def field_picture(image: NDArray[Any], labels: NDArray[Any], spots: Spots) -> NDArray[np.uint8]:
    """Draw molecules as dots in the colour of their gene, over an image with the outlines of cells."""
    from PIL import Image, ImageDraw

    plane, cells = _flat(image), labels if labels.ndim == 2 else labels.max(axis=0)
    scale = max(1, -(-_SIDE // min(plane.shape)))
    grey = np.repeat(np.repeat(_stretched(plane) // 2, scale, axis=0), scale, axis=1)
    colour = np.stack([grey] * 3, axis=-1)
    outline = outline_mask(np.repeat(np.repeat(cells, scale, axis=0), scale, axis=1))
    colour[outline] = (140, 140, 140)
    picture = Image.fromarray(colour)
    draw, radius = ImageDraw.Draw(picture), max(2, scale * 0.55)
    genes = {gene: k for k, gene in enumerate(dict.fromkeys(spots["gene"].tolist()))}
    for (y, x), gene in zip((spots.positions_px[:, -2:] + 0.5) * scale, spots["gene"].tolist(), strict=True):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_COLOURS[genes[gene] % len(_COLOURS)])
    return np.asarray(picture)


def _pictures(recipe: SpatialRecipe, inputs: Inputs, ledger: Ledger) -> str:
    """Show the first few fields."""
    shown = []
    last = inputs.rounds[-1]
    for field in inputs.fields[:_FIELDS]:
        channel = recipe.images.align
        first_image, last_image = (inputs.plane(field, number, channel) for number in (inputs.rounds[0], last))
        transform = unpack_transforms(ledger.read_json(ledger.path("align", field, ".json")))[last]
        spots = Spots.open(ledger.result("transcripts", field, f".{recipe.table}"))
        spots = spots.take(~spots["blank"].astype(bool))
        labels = read_labels(ledger.result("labels", field, ".tif"))
        back = inputs.plane(field, inputs.rounds[0], recipe.images.nuclei) if recipe.images.nuclei >= 0 else first_image
        aligned = _embedded(alignment_picture(first_image, last_image, transform))
        placed = _embedded(field_picture(back, labels, spots))
        shown.append(
            f"<figure>{aligned}{placed}<figcaption>Field {html.escape(field)}. Left: round {inputs.rounds[0]} "
            f"(magenta) and round {last} (green) as they came, and aligned. Right: {len(spots)} molecules, coloured by "
            "gene, and the cells.</figcaption></figure>"
        )
    return "".join(shown)


def _flat(image: NDArray[Any]) -> NDArray[Any]:
    return image.max(axis=0) if image.ndim == 3 else image


def _stretched(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image from its darkest to its brightest part as 0 to 255."""
    low, high = np.percentile(image, (1, 99.8))
    return np.asarray(np.clip((image - low) / max(high - low, 1e-9), 0, 1) * 255, np.uint8)


def _embedded(picture: NDArray[np.uint8]) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _share(value: float | None) -> str:
    return "not known (no blanks)" if value is None else f"{100 * value:.1f} %"


def _interval(value: Sequence[float] | None) -> str:
    return "" if value is None else f"{100 * value[0]:.1f} to {100 * value[1]:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
