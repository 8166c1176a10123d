"""``teasel agglomerate``: affinities, or a result at another threshold, to segments of a volume."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from teasel.apps.cli.console import ProgressLine
from teasel.apps.cli.options import takes_fields_of
from teasel.apps.cli.volume_options import VolumeOptions, not_there, parse_bytes, progress_of
from teasel.errors import ParameterError

if TYPE_CHECKING:
    from teasel.inference.volume import AffinitySource

__all__ = ["add_to", "count_segments", "parse_size", "run"]


@takes_fields_of(VolumeOptions)
def agglomerate(
    result: Annotated[
        Path | None, typer.Argument(metavar="RESULT", help="A volume's result, to be cut at another threshold.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT.ome.zarr", help="Result to write.")
    ] = None,
    affinities: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Affinities (c, z, y, x), in [0, 1] or 0 to 255.")
    ] = None,
    boundaries: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead: probability of a boundary (z, y, x).")
    ] = None,
    offsets: Annotated[
        str, typer.Option(metavar="Z,Y,X;...", help="Step of each channel of affinities, in voxels.")
    ] = "1,0,0;0,1,0;0,0,1",
    previous: Annotated[
        bool, typer.Option("--previous", help="Affinities tell of the voxel before, as in CREMI and waterz.")
    ] = False,
    background: Annotated[
        float, typer.Option(help="Voxels whose mean affinity is below this belong to nothing.")
    ] = 0.0,
    voxel_size: Annotated[
        str | None, typer.Option(metavar="Z,Y,X", help="Micrometres, where the file does not say.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
    *,
    settings: VolumeOptions,
) -> None:
    """Merge supervoxels of a volume into segments, block by block.

    Writes an OME-Zarr of labels that keeps its supervoxels, region graph and merge tree. The result is the same,
    byte by byte, for any memory and number of workers. Typed again, the same command goes on where it was stopped.
    Given a RESULT and a --threshold, it looks the threshold up in the merge tree and writes labels alone.

    \b
    Examples:
      teasel agglomerate --affinities aff.zarr -o out.ome.zarr --threshold 0.6 --memory 6GB
      teasel agglomerate --boundaries membranes.tif -o out.ome.zarr --voxel-size 0.03,0.006,0.006
      teasel agglomerate out.ome.zarr --threshold 0.7 -o other.ome.zarr
    """
    given = [name for name, path in _sources(result, affinities, boundaries).items() if path is not None]
    if len(given) != 1:
        raise ParameterError(
            f"{' and '.join(given) or 'nothing'} given; give one: RESULT, --affinities or --boundaries"
        )
    line = ProgressLine(quiet=quiet)
    try:
        if result is not None:
            out = _cut(result, output, settings, line)
        else:
            from teasel.inference.volume import AffinitySource

            if output is None:
                raise ParameterError("no --output; say where the result goes, such as -o out.ome.zarr")
            out = output
            source = AffinitySource(
                str((affinities or boundaries or Path()).resolve()),
                "affinities" if affinities is not None else "boundaries",
                offsets=_triples(offsets) if affinities is not None else _triples("1,0,0;0,1,0;0,0,1"),
                previous=previous,
                voxel_size=parse_size(voxel_size) if voxel_size else None,
            )
            run(source, out, settings, line, background=background)
    finally:
        line.clear()
    if not quiet:
        print(f"{out}: {count_segments(out)} segments")


def run(
    source: AffinitySource,
    out: Path,
    settings: VolumeOptions,
    line: ProgressLine,
    *,
    background: float = 0.0,
) -> None:
    """Agglomerate affinities with the options given."""
    from teasel.agglomeration import Height
    from teasel.inference.volume import Recipe, agglomerate_volume, open_runner

    not_there(out)
    source.check()
    size = source.voxel_size_um
    height = Height(spacing=(size.z, size.y, size.x)) if size.z and size.y and size.x else Height()
    threshold = 0.5 if settings.threshold is None else settings.threshold
    recipe = Recipe(source, height=height, method=settings.method(), threshold=threshold, background=background)
    with open_runner(settings.scheduler, workers=settings.workers, memory=parse_bytes(settings.memory)) as runner:
        agglomerate_volume(recipe, out, runner=runner, progress=progress_of(line, out.name))


def count_segments(out: Path) -> int:
    """Return how many segments a result has."""
    import zarr

    return int(dict(zarr.open_group(out, mode="r").attrs)["teasel"]["segments"])  # type: ignore[index, call-overload, arg-type]


def _cut(result: Path, output: Path | None, settings: VolumeOptions, line: ProgressLine) -> Path:
    """Write a result at another threshold; by default beside it, named after the threshold."""
    from teasel.inference.volume import cut_result, open_runner

    if settings.threshold is None:
        raise ParameterError("no --threshold; say at which affinity, from 0 to 1, merging ends")
    stem = re.sub(r"(\.ome)?\.zarr$", "", result.name)
    out = output or result.with_name(f"{stem}-{settings.threshold:g}.ome.zarr")
    not_there(out)
    scheduler = settings.scheduler or "none"
    with open_runner(scheduler, workers=settings.workers, memory=parse_bytes(settings.memory)) as runner:
        progress = progress_of(line, out.name)
        cut_result(result, out, settings.threshold, min_voxels=settings.min_voxels, runner=runner, progress=progress)
    return out


def _sources(result: Path | None, affinities: Path | None, boundaries: Path | None) -> dict[str, Path | None]:
    return {"RESULT": result, "--affinities": affinities, "--boundaries": boundaries}


def _triples(text: str) -> tuple[tuple[int, int, int], ...]:
    """Read steps ``z,y,x;z,y,x``."""
    try:
        found = [tuple(int(n) for n in part.split(",")) for part in text.split(";") if part.strip()]
    except ValueError:
        found = []
    if not found or any(len(step) != 3 for step in found):
        raise ParameterError(f"--offsets is {text!r}; expected steps such as 1,0,0;0,1,0;0,0,1")
    return tuple((a, b, c) for a, b, c in found)


def parse_size(text: str) -> tuple[float, float, float]:
    """Read ``z,y,x`` in micrometres."""
    try:
        z, y, x = (float(n) for n in text.split(","))
    except ValueError as error:
        raise ParameterError(
            f"--voxel-size is {text!r}; expected z,y,x in micrometres, such as 0.03,0.006,0.006"
        ) from error
    return z, y, x


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(agglomerate)
