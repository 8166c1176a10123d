"""The stages of an export in order, and the folder that they leave."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from teasel.errors import ParameterError, ShapeError
from teasel.inference.volume.exports.job import Export, ExportJob
from teasel.inference.volume.exports.layers import create_layer, scale_keys, scales, write_scale
from teasel.inference.volume.exports.lines import write_lines
from teasel.inference.volume.exports.meshes import mesh_block, write_meshes
from teasel.inference.volume.exports.state import complete_info, write_state
from teasel.inference.volume.exports.survey import choose_objects, chosen_objects, survey_block
from teasel.inference.volume.memory import block_for
from teasel.inference.volume.pipeline import claim, work_folder
from teasel.inference.volume.waves import Runner, Serial, Task

__all__ = ["export_volume"]


def export_volume(
    export: Export,
    out: str | os.PathLike[str],
    *,
    address: str = "http://localhost:8000",
    runner: Runner | None = None,
    block: tuple[int, int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a label volume for other programs, block by block.

    Parameters
    ----------
    export : Export
        What to write, of which file.
    out : path
        Folder to make. While it grows, its parts lie in ``out.work``; a run that was killed goes on from there.
    address : str
        Where the folder will be served, for the state of Neuroglancer.
    runner : Runner, optional
        What carries out the tasks (`teasel.inference.volume.open_runner`); this process if not given.
    block : tuple of int, optional
        Voxels (z, y, x) of a block; from the runner's memory if not given. What is written does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    pathlib.Path
        `out`, with ``segmentation``, ``image`` and ``neuroglancer.json`` for layers, and ``obj``, ``ply`` and ``swc``.

    Raises
    ------
    ParameterError
        If `out` exists, the voxel size is not known, or objects are asked for that are not there.
    ShapeError
        If image and labels differ in shape.
    MissingDependency
        If tensorstore (layers) or zmesh (surfaces) is not installed.
    """
    out, runner = Path(out), runner or Serial()
    if out.exists():
        raise ParameterError(f"{out} is there already; give another name or remove it")
    shape = export.labels.shape
    if export.image is not None and export.image.shape != shape:
        raise ShapeError(f"labels of {shape} voxels, image of {export.image.shape}; expected the same")
    if {"meshes", "skeletons"} & set(export.targets) and "layer" not in export.targets:
        raise ParameterError("meshes and skeletons lie beside a layer; export that too, or obj, ply and swc")
    block = block or block_for(runner.memory, (1, 1, 1), shape, n_workers=runner.n_workers)
    folder = work_folder(out).absolute()
    spacing = export.labels.spacing_um
    claim(folder, export)
    job = ExportJob(export, str(folder), shape, block, spacing)
    job.result.mkdir(exist_ok=True)
    _run_stages(job, runner, address, progress)
    os.replace(job.result, out)
    shutil.rmtree(folder)
    return out


def _run_stages(job: ExportJob, runner: Runner, address: str, progress: Callable[[int, int], None] | None) -> None:
    blocks = [str(i) for i in range(len(job.grid))]
    export = job.export
    layers = [name for name, wanted in (("image", export.image), ("segmentation", True)) if wanted]
    stages: list[tuple[Task, str, Callable[[], list[str]]]] = [
        (survey_block, "survey", lambda: blocks),
        (choose_objects, "chosen", lambda: ["0"]),
    ]
    if "layer" in export.targets:
        for layer in layers:
            create_layer(job, layer)
            for number in range(len(scales(job))):
                stages.append((write_scale, "scales", _keys(scale_keys, job, layer, number)))
    if export.wants_meshes:
        stages += [
            (mesh_block, "pieces", lambda: blocks),
            (write_meshes, "meshes", lambda: chosen_objects(job).groups()),
        ]
    if export.wants_lines:
        stages.append((write_lines, "lines", lambda: chosen_objects(job).groups()))
    for number, (task, stage, keys_of) in enumerate(stages):
        keys = keys_of()
        missing = [key for key in keys if not job.work.is_done(stage, key)]
        done = len(keys) - len(missing)

        def advance(n: int, number: int = number, total: int = len(keys)) -> None:
            nonlocal done
            done += n
            if progress is not None:
                progress(int(1000 * (number + done / max(total, 1))), 1000 * len(stages))

        runner.run(task, job, missing, advance)
    if "layer" in export.targets:
        complete_info(job)
        write_state(job, address)


def _keys(function: Callable[..., list[str]], *arguments: Any) -> Callable[[], list[str]]:
    return lambda: function(*arguments)
