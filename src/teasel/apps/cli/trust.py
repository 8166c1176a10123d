"""``teasel trust``: how good is the result, without labels."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from teasel.apps.cli.console import ProgressLine, one_line
from teasel.apps.cli.exits import FAILED
from teasel.errors import TeaselError

if TYPE_CHECKING:
    from teasel.appraisal import Trust
    from teasel.models import Model

__all__ = ["add_to"]

COLUMNS = ("image", "model", "light", "expected_ap50", "low", "high", "objects", "diameter_px", "reasons")


def trust(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Images, folders of images, or patterns in quotes.")
    ],
    model: Annotated[str, typer.Option(help="Model to judge: its name, or the path of its folder.")] = "nuclei",
    rank: Annotated[
        bool, typer.Option("--rank", help="Judge every installed model, and say which fits the images best.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write a CSV table.")] = None,
    channel: Annotated[
        str | None, typer.Option(help="Which channel holds the objects: its number, from 0, or its name.")
    ] = None,
    z: Annotated[
        str | None, typer.Option(help="Which plane of a stack: its number, from 0, or max for the maximum projection.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; all cores if not given.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Predict how good the result on each image is, without labels.

    Prints the expected average precision at IoU 0.5 with the range in which four in five such images lie, a
    light (green from 0.7, amber from 0.5, else red), and what speaks against the result.

    \b
    Examples:
      teasel trust my-images
      teasel trust 'plate/*.tif' --model nuclei-fast -o trust.csv
      teasel trust my-images --rank
    """
    from teasel.apps.cli.jobs import find_images
    from teasel.models import load_model

    paths = find_images(images)
    names = _candidates() if rank else [model]
    line = ProgressLine(quiet=quiet)
    found: dict[str, list[Trust]] = {}
    failed: list[tuple[Path, Exception]] = []
    for number, name in enumerate(names):
        loaded = load_model(name, threads=threads)
        found[loaded.name] = []
        for count, path in enumerate(paths):
            line.draw((number * len(paths) + count) / (len(names) * len(paths)), f"{loaded.name}: {path.name}")
            judged = _judge(path, loaded, channel, z, failed, general=rank)
            if judged is not None:
                found[loaded.name].append(judged)
    line.clear()
    rows = {name: one for name, one in found.items() if one}
    if output is not None:
        _write(output, [one for part in rows.values() for one in part])
    if not quiet:
        _print(rows, rank=rank)
    for path, error in failed:
        print(f"teasel: {path}: {one_line(error)}", file=sys.stderr)
    if failed:
        raise typer.Exit(FAILED)


def _judge(
    path: Path,
    model: Model,
    channel: str | None,
    z: str | None,
    failed: list[tuple[Path, Exception]],
    *,
    general: bool,
) -> Trust | None:
    """Judge one image; note it if it cannot be read, so that the others are still done."""
    from teasel.appraisal import trust as judge
    from teasel.appraisal.trusting import GENERAL, read_predictor

    try:
        return judge(path, model, channel=channel, z=z, predictor=read_predictor(GENERAL) if general else None)
    except (TeaselError, OSError) as error:
        failed.append((path, error))
        return None


def _candidates() -> list[str]:
    """Return the installed models that can be judged."""
    from teasel.models import list_models

    return [spec.name for spec in list_models() if spec.representation.name == "hybrid" and spec.ndim == 2]


def _print(found: dict[str, list[Trust]], *, rank: bool) -> None:
    """Print the table: models ranked, or images one by one."""
    means = {name: sum(one.expected for one in rows) / len(rows) for name, rows in found.items()}
    if rank:
        for place, (name, mean) in enumerate(sorted(means.items(), key=lambda item: -item[1]), 1):
            lights = [one.light for one in found[name]]
            counts = ", ".join(f"{lights.count(light)} {light}" for light in ("green", "amber", "red"))
            print(f"{place}. {name:<20} expected AP@0.5 {mean:.2f} ({counts})")
        return
    for rows in found.values():
        for one in rows:
            print(f"{one.light:<6} {one.expected:.2f} ({one.low:.2f} to {one.high:.2f})  {one.name}")
            for reason in one.reasons:
                print(f"         {reason}")
    for name, mean in means.items():
        print(f"expected AP@0.5 of {name!r} on {len(found[name])} images: {mean:.2f}")


def _write(path: Path, rows: list[Trust]) -> None:
    """Write the table as CSV, whole or not at all."""
    from teasel.images.atomic import atomic_path

    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in rows:
            seen = one.observation
            size = "" if seen.diameter_px is None else f"{seen.diameter_px:.1f}"
            numbers = (f"{value:.4f}" for value in (one.expected, one.low, one.high))
            writer.writerow((one.name, one.model, one.light, *numbers, seen.objects, size, "; ".join(one.reasons)))


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(trust)
