"""``teasel suggest``: which crops to annotate next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from teasel.apps.cli.console import ProgressLine

__all__ = ["add_to"]


def suggest(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Images, folders of images, or patterns in quotes.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where crops go, ready to annotate.")
    ],
    model: Annotated[str, typer.Option(help="Model to be adapted: its name, or the path of its folder.")] = "nuclei",
    count: Annotated[int, typer.Option("--count", "-n", help="Crops to propose.")] = 8,
    crop: Annotated[int, typer.Option(help="Edge of a crop in pixels, 256 to 384.")] = 256,
    channel: Annotated[
        str | None, typer.Option(help="Which channel holds the objects: its number, from 0, or its name.")
    ] = None,
    z: Annotated[
        str | None, typer.Option(help="Which plane of a stack: its number, from 0, or max for the maximum projection.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; all cores if not given.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Propose crops to annotate next, and write them ready for it.

    Crops are picked where decoders disagree, where turning or scaling the image changes the result, and where
    nothing like it was picked yet. FOLDER/images holds the crops, FOLDER/predicted what the model finds: correct
    that and save it under the same name in FOLDER/labels. Then give FOLDER to `teasel adapt`.

    \b
    Examples:
      teasel suggest my-images -o corrections
      teasel suggest 'plate/*.tif' -o corrections --count 12 --crop 384
      teasel adapt corrections -o my-nuclei
    """
    from teasel.appraisal import suggest as propose
    from teasel.appraisal import write_suggestions
    from teasel.apps.cli.jobs import find_images
    from teasel.models import load_model

    line = ProgressLine(quiet=quiet)
    suggestions = propose(
        find_images(images),
        load_model(model, threads=threads),
        count,
        crop_px=crop,
        channel=channel,
        z=z,
        progress=lambda done, total: line.draw(done / total, f"image {done} of {total}"),
    )
    line.clear()
    index = write_suggestions(suggestions, output)
    if quiet:
        return
    for rank, one in enumerate(suggestions, 1):
        print(
            f"{rank:>3}. {one.name}: {one.objects} objects, disagreement {one.disagreement:.2f}, "
            f"inconsistency {one.inconsistency:.2f}, rarity {one.rarity:.2f}"
        )
    print(f"{sum(one.objects for one in suggestions)} objects in {len(suggestions)} crops; list: {index}")
    print(f"Next: correct {output / 'predicted'}, save as {output / 'labels'}, then: teasel adapt {output} -o MODEL")


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(suggest)
