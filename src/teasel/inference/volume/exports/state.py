"""What Neuroglancer is told: where meshes and skeletons lie, and a first view of all layers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import numpy as np

from teasel.inference.volume.exports.files import put_file
from teasel.inference.volume.exports.job import ExportJob
from teasel.inference.volume.exports.layers import scales
from teasel.inference.volume.exports.survey import chosen_objects
from teasel.inference.volume.grid import Box

__all__ = ["VIEWER", "complete_info", "link_of", "write_state"]

VIEWER = "https://neuroglancer-demo.appspot.com"
"""Where the public viewer is; it runs in the browser and reads layers from wherever the link says."""


def complete_info(job: ExportJob) -> None:
    """Add to the layer's ``info`` where meshes and skeletons are, and write theirs."""
    folder = job.result / "segmentation"
    info = json.loads((folder / "info").read_text("utf-8"))
    if "meshes" in job.export.targets:
        info["mesh"] = "mesh"
        put_file(folder / "mesh" / "info", json.dumps({"@type": "neuroglancer_legacy_mesh"}).encode())
    if "skeletons" in job.export.targets:
        info["skeletons"] = "skeletons"
        radius = {"id": "radius", "data_type": "float32", "num_components": 1}
        about = {
            "@type": "neuroglancer_skeletons",
            "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
            "vertex_attributes": [radius],
        }
        put_file(folder / "skeletons" / "info", json.dumps(about).encode())
    put_file(folder / "info", json.dumps(info).encode())


def write_state(job: ExportJob, address: str) -> dict[str, Any]:
    """Write the first view as ``neuroglancer.json``; return it.

    Parameters
    ----------
    job : ExportJob
    address : str
        Where the folder is served, such as ``http://localhost:8000``.
    """
    size = scales(job)[0][2]
    layers: list[dict[str, Any]] = []
    if job.export.image is not None:
        low, high = _range(job)
        contrast = {"normalized": {"range": [low, high]}}
        source = f"precomputed://{address}/image"
        layers.append({"type": "image", "name": "image", "source": source, "shaderControls": contrast})
    shown = [str(i) for i in chosen_objects(job).largest]
    source = f"precomputed://{address}/segmentation"
    layers.append({"type": "segmentation", "name": "segmentation", "source": source, "segments": shown})
    state = {
        "dimensions": {axis: [round(s * 1e-9, 18), "m"] for axis, s in zip("xyz", size[::-1], strict=True)},
        "position": [n / 2 for n in job.shape[::-1]],
        "crossSectionScale": max(job.shape) / 800,
        "projectionScale": float(max(job.shape)),
        "layers": layers,
        "layout": "4panel" if job.shape[0] > 1 else "xy",
    }
    put_file(job.result / "neuroglancer.json", json.dumps(state, indent=1).encode())
    return state


def link_of(state: dict[str, Any], viewer: str = VIEWER) -> str:
    """Return the address that opens a state in the viewer.

    Examples
    --------
    >>> link_of({"layout": "xy"}, "https://viewer")
    'https://viewer/#!%7B%22layout%22%3A%22xy%22%7D'
    """
    return f"{viewer}/#!{quote(json.dumps(state, separators=(',', ':')), safe='')}"


def _range(job: ExportJob) -> tuple[float, float]:
    """Return the first and 99th percentile of the image, in the middle of the volume."""
    assert job.export.image is not None
    box: Box = tuple((max(0, n // 2 - 128), min(n, n // 2 + 128)) for n in job.shape)
    low, high = np.percentile(job.export.image.read((box[0], *box[1:])), (1, 99))
    return float(low), float(max(high, low + 1e-6))
