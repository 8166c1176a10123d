"""What ``teasel segment`` does with a model of volumes: one image to one OME-Zarr, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from teasel.apps.cli.agglomerate import count_segments
from teasel.apps.cli.console import ProgressLine
from teasel.apps.cli.session import SegmentOptions
from teasel.apps.cli.volume_options import VolumeOptions, not_there, parse_bytes, progress_of
from teasel.errors import ParameterError

__all__ = ["is_volume_model", "segment_one_volume"]

_USED = ("model", "axes", "channel", "pixel_size_um", "z_step_um")


def is_volume_model(name: str) -> bool:
    """Say whether a model predicts affinities or a foreground in volumes, which go to an OME-Zarr.

    Weights are not read.

    Examples
    --------
    >>> is_volume_model("nuclei")
    False
    """
    from teasel.models import find_model, read_package

    return read_package(find_model(name)).spec.by_block


def segment_one_volume(
    images: Sequence[str], output: Path, settings: SegmentOptions, options: VolumeOptions, *, quiet: bool
) -> None:
    """Segment one volume.

    Raises
    ------
    ParameterError
        If several images are given, the output is no ``.ome.zarr``, or an option is set that volumes do not know.
    """
    from teasel.inference.volume import open_runner, segment_volume

    _check(images, output, settings)
    sizes = (settings.z_step_um, settings.pixel_size_um)
    line = ProgressLine(quiet=quiet)
    try:
        with open_runner(options.scheduler, workers=options.workers, memory=parse_bytes(options.memory)) as runner:
            segment_volume(
                images[0],
                output,
                settings.model,
                threshold=options.threshold,
                axes=settings.axes,
                channel=int(settings.channel) if settings.channel is not None else None,
                voxel_size=(sizes[0], sizes[1], sizes[1]) if sizes[0] and sizes[1] else None,
                runner=runner,
                progress=progress_of(line, output.name),
            )
    finally:
        line.clear()
    if not quiet:
        again = (output / "agglomeration").exists()
        hint = f"; another threshold: teasel agglomerate {output} --threshold T" if again else ""
        print(f"{output}: {count_segments(output)} segments{hint}")


def _check(images: Sequence[str], output: Path, settings: SegmentOptions) -> None:
    """Raise ParameterError for what cannot be done with a volume."""
    if len(images) != 1:
        raise ParameterError(f"{len(images)} images; a model of volumes takes one at a time")
    if not output.name.endswith(".zarr"):
        raise ParameterError(f"-o {output}; a volume's result is one OME-Zarr: give a name such as {output}.ome.zarr")
    not_there(output)
    set_ = [f.name for f in fields(settings) if f.name not in _USED and getattr(settings, f.name) != f.default]
    if set_:
        flags = ", ".join("--" + name.removesuffix("_px").replace("_", "-") for name in set_)
        raise ParameterError(f"{flags}: not for models of volumes; leave it out")
    if (settings.pixel_size_um is None) != (settings.z_step_um is None):
        raise ParameterError("give both --pixel-size and --z-step, or neither")
    if settings.channel is not None and not settings.channel.isdigit():
        raise ParameterError(f"--channel {settings.channel!r}; for volumes give its number, from 0")
