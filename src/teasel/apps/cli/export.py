"""``teasel export``: labels of any size as layers for Neuroglancer, surfaces and centre lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from teasel.apps.cli.agglomerate import parse_size
from teasel.apps.cli.console import ProgressLine
from teasel.apps.cli.serving import serve_folder
from teasel.apps.cli.volume_options import not_there, parse_bytes, progress_of
from teasel.errors import InputNotFound, ParameterError

__all__ = ["add_to"]


def export(
    labels: Annotated[
        Path | None, typer.Argument(metavar="LABELS", help="Label image: OME-Zarr, TIFF, any that opens.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to make.")] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="IMAGE", help="The image, to be shown under the labels.")
    ] = None,
    channel: Annotated[int | None, typer.Option(help="Which channel of the image, from 0.")] = None,
    to: Annotated[
        str, typer.Option(metavar="WHAT,...", help="Out of layer, meshes, skeletons, obj, ply and swc.")
    ] = "layer,meshes",
    segments: Annotated[
        str | None, typer.Option(metavar="N,...", help="Surfaces and centre lines of these objects alone.")
    ] = None,
    min_voxels: Annotated[int, typer.Option(help="No surfaces and centre lines of smaller objects.")] = 0,
    fewer_faces: Annotated[int, typer.Option(help="Thin surfaces to about one face in so many; 1 keeps all.")] = 8,
    voxel_size: Annotated[
        str | None, typer.Option(metavar="Z,Y,X", help="Micrometres, where the file does not say.")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Then serve FOLDER to a browser on this machine, until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port to serve at.")] = 8000,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine.")] = None,
    memory: Annotated[str, typer.Option(help="What each worker may use.")] = "2GB",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Write labels of any size for other programs: Neuroglancer, meshes, skeletons.

    FOLDER gets segmentation and image (precomputed layers, which Neuroglancer, cloud-volume and tensorstore read),
    neuroglancer.json (a first view), and obj, ply and swc (a file per object, in micrometres). Works block by block;
    typed again, the same command goes on where it was stopped.

    \b
    Examples:
      teasel export out.ome.zarr -o viewing --image volume.ome.zarr --serve
      teasel export out.ome.zarr -o meshes --to obj,swc --segments 12,40 --fewer-faces 20
      teasel export -o viewing --serve
    """
    if output is None:
        raise ParameterError("no --output; say which folder, such as -o viewing")
    if labels is None and not serve:
        raise ParameterError("nothing to export; give LABELS, or --serve for a folder that is there")
    address = f"http://localhost:{port}"
    if labels is not None:
        from teasel.inference.volume import open_runner
        from teasel.inference.volume.exports import Export, VolumeFile, export_volume

        not_there(output)
        size = parse_size(voxel_size) if voxel_size else None
        what = Export(
            VolumeFile(str(labels.resolve()), voxel_size=size),
            VolumeFile(str(image.resolve()), channel, size) if image is not None else None,
            targets=tuple(part.strip() for part in to.split(",") if part.strip()),
            segments=_numbers(segments) if segments else (),
            min_voxels=min_voxels,
            fewer_faces=fewer_faces,
        )
        line = ProgressLine(quiet=quiet)
        try:
            with open_runner(scheduler, workers=workers, memory=parse_bytes(memory)) as runner:
                export_volume(what, output, address=address, runner=runner, progress=progress_of(line, output.name))
        finally:
            line.clear()
        if not quiet:
            print(f"{output}: {', '.join(sorted(path.name for path in output.iterdir()))}")
    if serve:
        _serve(output, port)


def _serve(folder: Path, port: int) -> None:
    """Serve a folder, and print where to look."""
    from teasel.inference.volume.exports import link_of

    state = folder / "neuroglancer.json"
    if not state.exists():
        raise InputNotFound(f"{folder} holds no neuroglancer.json; export with --to layer first")
    with serve_folder(folder, port) as server:
        print(f"{folder} is served at http://localhost:{port}; Ctrl-C ends. Open in a browser:", flush=True)
        print(link_of(json.loads(state.read_text("utf-8"))), flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def _numbers(text: str) -> tuple[int, ...]:
    """Read whole numbers with commas between."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ParameterError(f"--segments is {text!r}; expected numbers such as 12,40") from error


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(export)
