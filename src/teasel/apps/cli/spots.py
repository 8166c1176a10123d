"""``teasel spots``: find fluorescent spots in images, and combine what several detectors found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from teasel.apps.cli.console import ProgressLine, one_line
from teasel.apps.cli.exits import FAILED
from teasel.apps.cli.jobs import Job, find_images, make_jobs
from teasel.errors import ParameterError, TeaselError
from teasel.geometry import VoxelSize

if TYPE_CHECKING:
    from teasel.spatial import Spots

__all__ = ["add_to"]

TABLE, PICTURE = ".spots.csv", ".spots.png"

spots = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
)


@spots.callback()
def _spots() -> None:
    """Find fluorescent spots, and combine what several detectors found.

    \b
    Examples:
      teasel spots find cells.tif -o results
      teasel spots consensus log dog radial net -o agreed
    """


@spots.command()
def find(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Images, folders of images, or patterns in quotes.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where results go; made if need be.")
    ],
    detector: Annotated[
        str | None, typer.Option(help="log (if not given), dog, radial, or spots (a trained network).")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Channel: its number, from 0, or its name.")] = None,
    z: Annotated[
        str | None, typer.Option(help="Plane: its number, from 0, or max for the projection; the volume if not given.")
    ] = None,
    t: Annotated[int | None, typer.Option(help="Time point, from 0.")] = None,
    score: Annotated[
        float | None, typer.Option(metavar="0..1", help="Drop spots that are less probable than this.")
    ] = None,
    sigma: Annotated[
        float | None, typer.Option(help="Width of a spot in pixels, for log, dog, radial; found if not given.")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="What each dimension of the file is, such as zcyx.")] = None,
    pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="Micrometres per pixel, where the file does not say.")
    ] = None,
    z_step: Annotated[float | None, typer.Option(metavar="UM", help="Micrometres between planes.")] = None,
    tile: Annotated[int, typer.Option(metavar="PX", help="Edge of the tiles; smaller takes less memory.")] = 1024,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write tables as Parquet, not CSV.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Find the spots in images: nothing needs to be tuned.

    Writes for each image NAME.spots.csv (position in pixels and micrometres, score, intensity, background
    and signal-to-noise ratio of each spot) and NAME.spots.png (circles over the image).

    \b
    Examples:
      teasel spots find cells.tif -o results
      teasel spots find my-folder -o results --channel Cy3 --z max
      teasel spots find stack.tif -o results --detector spots
    """
    from teasel.spatial.detectors import build
    from teasel.spatial.find import DEFAULT_DETECTOR

    params: dict[str, Any] = {"score_threshold": score} if score is not None else {}
    if sigma is not None:
        params["sigma_px"] = sigma
    chosen = build(detector or DEFAULT_DETECTOR, params)
    jobs = make_jobs(find_images(images))
    output.mkdir(parents=True, exist_ok=True)
    table = ".spots.parquet" if parquet else TABLE
    _refuse([output / f"{job.name}{ending}" for job in jobs for ending in (table, PICTURE)], overwrite)
    size = VoxelSize(z_step, pixel_size, pixel_size) if z_step or pixel_size else None
    line = ProgressLine(quiet=quiet)
    failed: list[tuple[Job, Exception]] = []
    for number, job in enumerate(jobs):

        def draw(done: int, total: int, number: int = number, name: str = job.source.name) -> None:
            line.draw((number + done / total) / len(jobs), f"image {number + 1} of {len(jobs)}: {name}")

        try:
            made = _find_one(
                job, output, table, chosen, progress=draw, channel=channel, z=z, t=t, axes=axes, size=size, tile=tile
            )
        except (TeaselError, OSError) as error:
            failed.append((job, error))
            continue
        line.clear()
        if not quiet:
            print(f"{job.source.name}: {len(made)} spots{''.join(f'; {note}' for note in made.notes)}")
    line.clear()
    if not quiet:
        print(f"{len(jobs) - len(failed)} done, {len(failed)} failed; results in {output}")
    for job, reason in failed:
        print(f"  {job.source}: {one_line(reason)}", file=sys.stderr)
    if failed:
        raise typer.Exit(FAILED)


def _find_one(
    job: Job, folder: Path, table: str, detector: Any, *, axes: str | None, size: Any, tile: int, **choice: Any
) -> Spots:
    """Find the spots of one image and write table and picture."""
    from PIL import Image as Picture

    from teasel.apps.cli.spot_overlay import draw_spots
    from teasel.images import atomic_path, open_image
    from teasel.spatial.find import find_spots
    from teasel.spatial.source import Source

    image = open_image(job.source, axes=axes, voxel_size_um=size)
    progress = choice.pop("progress")
    found = find_spots(image, detector, tile_px=tile, progress=progress, **choice)
    found.save(folder / f"{job.name}{table}")
    with atomic_path(folder / f"{job.name}{PICTURE}") as temporary:
        Picture.fromarray(draw_spots(Source.of(image, **choice), found)).save(temporary, format="PNG")
    return found


@spots.command()
def consensus(
    tables: Annotated[
        list[Path],
        typer.Argument(metavar="TABLE", help="One table of spots per detector, or one folder of tables per detector."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write, or folder if folders were given.")],
    distance: Annotated[
        float, typer.Option(metavar="PX", help="Detections of different detectors this close are the same spot.")
    ] = 1.5,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Combine what several detectors found in the same images, without any ground truth.

    Detections of different detectors that lie together are one candidate. How often each detector is
    right, and how probably each candidate is a spot, are estimated together; it takes four detectors
    to tell from the data alone. Writes the candidates with their probability (score) and number of votes.

    \b
    Examples:
      teasel spots consensus log/a.spots.csv dog/a.spots.csv radial/a.spots.csv net/a.spots.csv -o agreed.csv
      teasel spots consensus log dog radial net -o agreed
    """
    from teasel.spatial import Spots
    from teasel.spatial.consensus import combine_detections

    groups = _same_images(tables)
    folder = tables[0].is_dir()
    targets = [output / name if folder else output for name in groups]
    _refuse(targets, overwrite)
    if folder:
        output.mkdir(parents=True, exist_ok=True)
    found = combine_detections(
        [[Spots.open(path) for path in paths] for paths in groups.values()],
        detectors=[str(table) for table in tables],
        distance_px=distance,
    )
    for target, table in zip(targets, found.spots, strict=True):
        table.save(target)
    if not quiet:
        print(f"{'detector':<32}{'sees true spots':>16}{'sees spurious ones':>20}")
        for name, true, false in zip(
            found.detectors, found.rates.true_positive, found.rates.false_positive, strict=True
        ):
            print(f"{name:<32}{true:>16.3f}{false:>20.3f}")
        total = sum(len(table) for table in found.spots)
        print(
            f"{total} candidates, {found.rates.posterior.sum():.0f} of them spots by expectation; results in {output}"
        )
        for note in found.notes:
            print(f"note: {note}")


def _same_images(tables: list[Path]) -> dict[str, list[Path]]:
    """Return, for each image, the table of every detector."""
    if len(tables) < 2:
        raise ParameterError(f"{len(tables)} table; give one per detector, two or more")
    folders = [path.is_dir() for path in tables]
    if not any(folders):
        return {tables[0].name: tables}
    if not all(folders):
        raise ParameterError("give only tables or only folders of tables, one per detector")
    names = [{p.name for p in folder.iterdir() if p.name.endswith((TABLE, ".spots.parquet"))} for folder in tables]
    if any(found != names[0] for found in names) or not names[0]:
        alone = sorted({name for found in names for name in found if any(name not in other for other in names)})
        raise ParameterError(f"folders hold tables of different images: {', '.join(alone[:10]) or 'none at all'}")
    return {name: [folder / name for folder in tables] for name in sorted(names[0])}


def _refuse(paths: list[Path], overwrite: bool) -> None:
    """Raise ParameterError if a result is there already and is not to be replaced."""
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise ParameterError(f"{there[0]} is there already; --overwrite replaces it, -o writes elsewhere")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the app."""
    app.add_typer(spots, name="spots")
