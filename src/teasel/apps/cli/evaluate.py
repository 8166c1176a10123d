"""``teasel evaluate``: how well labels agree with the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from teasel.apps.cli.console import ProgressLine

__all__ = ["add_to"]

_DRAWS = 2000


def evaluate(
    truth: Annotated[Path, typer.Argument(help="Label image, or folder of label images.")],
    prediction: Annotated[
        Path, typer.Argument(help="Label image, or folder with one of the same name for each in TRUTH.")
    ],
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all scores there as JSON.")] = None,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Add 95 % intervals, from 2000 draws of images.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Score labels against the truth.

    AP and F1 at IoU thresholds, PQ, AJI, SEG, VOI, Rand, boundary F and counts, for each image, pooled and
    averaged; the documentation says what each is.

    \b
    Examples:
      teasel evaluate truth.tif results/cells.labels.tif
      teasel evaluate truth results --bootstrap --json scores.json
    """
    from teasel.images.atomic import atomic_path
    from teasel.labels.metrics import evaluate as score

    line = ProgressLine(quiet=quiet)
    result = score(
        truth,
        prediction,
        bootstrap=_DRAWS if bootstrap else 0,
        progress=lambda done, total: line.draw(done / total, f"image {done} of {total}"),
    )
    line.clear()
    if json is not None:
        with atomic_path(json) as temporary:
            temporary.write_text(result.to_json() + "\n", encoding="utf-8")
    if not quiet:
        print(result.to_table())


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(evaluate)
