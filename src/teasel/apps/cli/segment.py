"""``teasel segment``: images in; labels, tables and pictures out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from teasel.apps.cli.options import takes_fields_of
from teasel.apps.cli.run import carry_out
from teasel.apps.cli.session import SegmentOptions
from teasel.apps.cli.slide import segment_one_slide
from teasel.apps.cli.volume import is_volume_model, segment_one_volume
from teasel.apps.cli.volume_options import VolumeOptions
from teasel.apps.recipe import ExportOptions, MeasureOptions, Recipe, ReportOptions, write_recipe
from teasel.errors import ParameterError

__all__ = ["add_to"]


@takes_fields_of(SegmentOptions)
def segment(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Images, folders of images, or patterns in quotes.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where results go; made if need be.")
    ],
    settings: SegmentOptions,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure each object too: NAME.measurements.csv, and one for all.")
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(metavar="SUFFIX,...", help="Write labels in other formats too, such as .zip,.geojson."),
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Write report.html on all images.")] = False,
    save_recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what is typed here as a recipe for `teasel run`.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Volumes: affinity from 0 to 1 below which nothing is merged.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Volumes, slides: a Dask scheduler, such as tcp://host:8786.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Volumes, slides: processes on this machine.")] = None,
    memory: Annotated[str, typer.Option(help="Volumes, slides: what each worker may use.")] = "2GB",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Do images again that are done, and replace other files.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Find the objects in images.

    Writes for each image NAME.labels.tif (opens in ImageJ and napari), NAME.objects.csv (one row per
    object) and NAME.overlay.png (outlines over the image), and one run.json that says how they were made.
    Typed again, the same command does only what is not done yet.

    \b
    Examples:
      teasel segment cells.tif -o results
      teasel segment my-folder -o results --channel DAPI
      teasel segment 'plate/*.tif' -o results --diameter 30 --model nuclei-fast
      teasel segment slide.ome.tif -o results --model cells --cell CD45 --nucleus DAPI
      teasel segment 'plate/*.tif' -o results --measure --report --save-recipe plate.toml
      teasel segment volume.ome.zarr -o out.ome.zarr --model ./my-model --memory 6GB
      teasel segment slide.ome.zarr -o nuclei.ome.zarr --channel DAPI     # any size, block by block
    """
    if is_volume_model(settings.model):
        if measure or export or report or save_recipe:
            raise ParameterError("--measure, --export, --report and --save-recipe are not for models of volumes yet")
        where = VolumeOptions(threshold, scheduler=scheduler, workers=workers, memory=memory)
        segment_one_volume(images, output, settings, where, quiet=quiet)
        return
    if output.name.endswith(".zarr"):
        if measure or export or report or save_recipe or threshold is not None:
            raise ParameterError(
                f"--measure, --export, --report, --save-recipe, --threshold: not with -o {output.name}"
            )
        where = VolumeOptions(scheduler=scheduler, workers=workers, memory=memory)
        segment_one_slide(images, output, settings, where, quiet=quiet)
        return
    if (threshold, scheduler, workers) != (None, None, None):
        raise ParameterError(
            "--threshold is for models of volumes; --scheduler and --workers for them and for -o OUT.ome.zarr"
        )
    formats = tuple(part.strip() for part in export.split(",") if part.strip()) if export else ()
    recipe = Recipe(
        inputs=tuple(images),
        output=str(output),
        segment=settings,
        measure=MeasureOptions() if measure else None,
        export=ExportOptions(formats),
        report=ReportOptions() if report else None,
    )
    if save_recipe is not None:
        write_recipe(recipe, save_recipe, overwrite=overwrite)
    carry_out(recipe, output, overwrite=overwrite, quiet=quiet)


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(segment)
