"""What ``teasel segment IMAGE -o OUT.ome.zarr`` does with a model of planes: from file to file, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from teasel.apps.cli.console import ProgressLine
from teasel.apps.cli.session import SegmentOptions
from teasel.apps.cli.volume_options import VolumeOptions, not_there, parse_bytes, progress_of
from teasel.errors import ParameterError

__all__ = ["segment_one_slide"]

_USED = ("model", "axes", "channel", "z", "diameter_px", "pixel_size_um", "tile_px")


def segment_one_slide(
    images: Sequence[str], output: Path, settings: SegmentOptions, options: VolumeOptions, *, quiet: bool
) -> None:
    """Segment one plane of any size; the table of objects goes beside the result.

    Raises
    ------
    ParameterError
        If several images are given, or an option is set that slides do not know.
    """
    from teasel.apps.cli.outputs import write_table_of
    from teasel.images import open_image
    from teasel.inference.slides import segment_slide
    from teasel.inference.volume import open_runner

    if len(images) != 1:
        raise ParameterError(
            f"{len(images)} images for {output}; an OME-Zarr takes one, a folder takes many: -o FOLDER"
        )
    set_ = [f.name for f in fields(settings) if f.name not in _USED and getattr(settings, f.name) != f.default]
    if set_:
        flags = ", ".join("--" + name.removesuffix("_px").replace("_", "-") for name in set_)
        raise ParameterError(f"{flags}: not known to -o {output.name}; leave it out, or give a folder: -o FOLDER")
    table_path = output.with_name(output.name.removesuffix(".zarr").removesuffix(".ome") + ".objects.csv")
    not_there(output)
    line = ProgressLine(quiet=quiet)
    try:
        with open_runner(options.scheduler, workers=options.workers, memory=parse_bytes(options.memory)) as runner:
            found = segment_slide(
                images[0],
                output,
                settings.model,
                channel=settings.channel,
                z=settings.z,
                diameter_px=settings.diameter_px,
                axes=settings.axes,
                pixel_size_um=settings.pixel_size_um,
                **({} if settings.tile_px is None else {"tile_px": settings.tile_px}),
                runner=runner,
                progress=progress_of(line, output.name),
            )
    finally:
        line.clear()
    write_table_of(found.objects, open_image(output), table_path)
    if not quiet:
        size = "" if found.diameter_px is None else f" {found.diameter_px:.1f} px"
        print(f"{output}: {len(found.objects)} objects, diameter{size} ({found.diameter_source}); {table_path}")
        for note in found.notes:
            print(f"  note: {note}")
