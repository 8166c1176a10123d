"""One run over images with one model: what ``teasel segment`` and ``teasel demo`` share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from teasel.apps.cli.console import BatchConsole
from teasel.apps.cli.jobs import Job
from teasel.apps.cli.record import RunRecord
from teasel.errors import ParameterError
from teasel.geometry import VoxelSize

if TYPE_CHECKING:
    from teasel.apps.cli.batch import BatchResult
    from teasel.apps.cli.products import Product
    from teasel.models import Model
    from teasel.segment import Segmentation

__all__ = ["SegmentOptions", "segment_jobs"]

_OF_MODEL = ("backend", "precision", "threads")
_OF_METHOD = ("channel", "cell", "nucleus", "z", "anisotropy", "diameter_px", "tile_px")


@dataclass(frozen=True)
class SegmentOptions:
    """What can be set for a run; None leaves it to the library.

    Parameters
    ----------
    model : str
        Name of a model (`teasel models` lists them), or the path of its folder.
    channel : str, optional
        Which channel holds the objects: its number, from 0, or its name.
    cell : str, optional
        Which channel shows whole cells, for the model cells: its number, from 0, or its name.
    nucleus : str, optional
        Which channel shows nuclei, for the model cells: nuclei are then found too, and paired with the cells.
    nuclei_model : str, optional
        What finds the nuclei: nuclei (if not given), or another model by name or folder.
    z : str, optional
        Which plane of a stack: its number, from 0, or max for the maximum projection; all in 3D if not given.
    anisotropy : float, optional
        Distance between the planes of a stack over the width of a pixel, where the file does not say.
    diameter_px : float, optional
        Typical diameter of an object in pixels; estimated from the image if not given.
    pixel_size_um : float, optional
        Micrometres per pixel, where the file does not say or is wrong.
    z_step_um : float, optional
        Micrometres between the planes of a stack.
    axes : str, optional
        What each dimension of the file is, out of t, c, z, y, x; such as zcyx.
    scene : str, optional
        Which image of a file that holds several: its name, its number from 0, or all.
    tile_px : int, optional
        Edge of the tiles the image is worked through in, in pixels; smaller takes less memory.
    threads : int, optional
        CPU threads; all cores if not given.
    backend : str, optional
        What runs the network: onnx (if not given), openvino or torch.
    precision : str, optional
        What numbers it computes with: f32 (if not given), bf16 or int8.
    """

    model: str = "nuclei"
    channel: str | None = None
    cell: str | None = None
    nucleus: str | None = None
    nuclei_model: str | None = None
    z: str | None = None
    anisotropy: float | None = None
    diameter_px: float | None = None
    pixel_size_um: float | None = None
    z_step_um: float | None = None
    axes: str | None = None
    scene: str | None = None
    tile_px: int | None = None
    threads: int | None = None
    backend: str | None = None
    precision: str | None = None


def segment_jobs(
    jobs: Sequence[Job],
    folder: Path,
    options: SegmentOptions,
    *,
    products: Sequence[Product] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> BatchResult:
    """Load the model, segment each image with it, and write results and record.

    Parameters
    ----------
    jobs : sequence of Job
        What to segment.
    folder : pathlib.Path
        Where results go; made if need be.
    options : SegmentOptions
        What was set.
    products : sequence of Product
        What is written for each image beside labels, table and picture.
    overwrite : bool
        Do images again that are done, and replace files of other origin.
    quiet : bool
        Print errors only.

    Raises
    ------
    ParameterError
        If the folder cannot be written to, or results would replace others.
    ModelNotFound
        If there is no such model.
    """
    from teasel.apps.cli.batch import run_batch
    from teasel.apps.cli.products import Nuclei
    from teasel.models import load_model

    model = load_model(options.model, **_given(options, _OF_MODEL))
    second = None
    if options.nucleus is not None:
        second = load_model(options.nuclei_model or "nuclei", **_given(options, _OF_MODEL))
        products = (Nuclei(second), *products)
    elif options.nuclei_model is not None:
        raise ParameterError("--nuclei-model is for runs with a nuclear channel; give that with --nucleus")
    settings = _settings(options) | {product.name: product.settings for product in products}
    record = RunRecord(_writable(folder), _facts(model), settings, sys.argv[1:])
    record.recall()
    console = BatchConsole(quiet=quiet)
    try:
        segment_one = _segmenter(model, options, second)
        return run_batch(jobs, record, segment_one, console, products=products, overwrite=overwrite)
    finally:
        console.stop()


def _segmenter(
    model: Model, options: SegmentOptions, second: Model | None
) -> Callable[[Job, Callable[[int, int], None]], Segmentation]:
    """Return a function that opens and segments one image."""
    from teasel.images import open_image
    from teasel.segment import segment

    method = _given(options, _OF_METHOD) | ({} if second is None else {"nuclei_model": second})
    sizes = (options.z_step_um, options.pixel_size_um, options.pixel_size_um)
    voxel_size = VoxelSize(*sizes) if any(sizes) else None

    def segment_one(job: Job, progress: Callable[[int, int], None]) -> Segmentation:
        image = open_image(job.source, axes=options.axes, scene=job.scene, voxel_size_um=voxel_size)
        return segment(image, model, progress=progress, **method)

    return segment_one


def _given(options: SegmentOptions, names: Sequence[str]) -> dict[str, Any]:
    """Return the options among `names` that were set."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _settings(options: SegmentOptions) -> dict[str, Any]:
    """Return what the record keeps of the options: everything set that can change a result of a given name."""
    apart = ("scene", "threads")
    return {name: value for name, value in asdict(options).items() if value is not None and name not in apart}


def _facts(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.spec.version,
        "digest": model.digest,
        "backend": model.backend,
        "precision": model.precision,
        "threads": model.threads,
    }


def _writable(folder: Path) -> Path:
    """Make the folder if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"cannot make the folder {folder}: {error.strerror}; choose another with -o") from error
    return folder
