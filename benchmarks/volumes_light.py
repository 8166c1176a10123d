"""3D light microscopy: nuclei from models of planes and of stacks, cells from walls, each beside what is usually done.

    python -m benchmarks.volumes_light --threads 1        # trains a model of stacks first, see benchmarks.star_model

Whole files, nothing cut: ovule nuclei 100^3 (0.284 x 0.127 x 0.127 um, never trained on), mouse embryo 51 x 120 x 122
(1.75 x 0.8 x 0.8 um), ovule cell walls 64 x 200 x 200 (voxel size not stated, taken as cubes). Stars: star-convex
polyhedra by a small 3D U-Net, trained on stacks of another simulator than the one whose stacks are judged here; with
the object size estimated, and with that of the truth given. Intervals are Wilson's, 95 %, with TP + FP + FN as the
number of draws (doi:10.1080/01621459.1927.10502953). Peers: the same network plane by plane, planes joined
where objects overlap by an IoU above 0.25; Otsu's threshold after a Gaussian of 1 px with a watershed on the distance
transform, seeds at least half a diameter apart; for walls, a watershed of the smoothed image from its deep minima.
Peers that must be told a diameter are told the one measured; all other settings that were tried are listed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import h_minima
from skimage.segmentation import watershed

from benchmarks.record import parser, save, table
from benchmarks.simulated_stacks import simulate_stack
from benchmarks.star_model import train_star_model
from teasel import segment
from teasel.agglomeration import (
    UNIT_OFFSETS,
    Agglomeration,
    Walls,
    affinities_of_boundaries,
    region_graph,
    supervoxels,
)
from teasel.labels.metrics import adapted_rand, variation_of_information
from teasel.labels.metrics.matching import average_precision
from teasel.models import Model, load_model
from teasel.training.data import median_diameter

NUCLEI = {
    "gonuclear 1135": ("gonuclear_ovule_nuclei", "1135", 0.2837 / 0.1268),
    "qcanet 16 cells": ("qcanet_mouse_embryo", "16_cell_stage", 1.75 / 0.8),
}
TISSUE = ("plantseg_ovule_cells", "pytorch3dunet_patch")
WALL_THRESHOLD = 0.45
"""Best on simulated tissue."""


def main() -> None:
    """Run, print and save."""
    options = parser(__doc__.split("\n\n")[0])
    arguments = options.parse_args()
    models = {name: load_model(name, threads=arguments.threads) for name in ("nuclei", "nuclei-fast", "cells")}
    stars = load_model(train_star_model(arguments.threads).resolve(), threads=arguments.threads)
    rows = []
    for name, (folder, stem, anisotropy) in NUCLEI.items():
        image = tifffile.imread(arguments.data / folder / "images" / f"{stem}.tif")
        truth = tifffile.imread(arguments.data / folder / "labels" / f"{stem}.tif").astype(np.int64)
        rows += nuclei_rows(name, image, truth, anisotropy, [models["nuclei"], models["nuclei-fast"]], stars)
    for seed in (101, 102):
        made = simulate_stack(seed)
        fast = [models["nuclei-fast"]]
        rows += nuclei_rows(f"simulated {seed}", made.image, made.labels, made.anisotropy, fast, stars)
    folder, stem = TISSUE
    image = tifffile.imread(arguments.data / folder / "images" / f"{stem}.tif")
    truth = tifffile.imread(arguments.data / folder / "labels" / f"{stem}.tif").astype(np.int64)
    walls = wall_rows(f"plantseg {stem}", image, truth, models["cells"])
    print(table([[row.get(key, "") for key in rows[0]] for row in rows], list(rows[0])))
    print(table([[row.get(key, "") for key in walls[0]] for row in walls], list(walls[0])))
    about = {"description": stars.spec.training, "scores": stars.spec.scores, "tiles": tiles_row(stars)}
    print(about["tiles"])
    print(save(arguments.results, "volumes_light", arguments, {"nuclei": rows, "walls": walls, "stars": about}))


def nuclei_rows(
    name: str, image: NDArray[Any], truth: NDArray[np.integer], anisotropy: float, models: list[Model], stars: Model
) -> list[dict[str, Any]]:
    """Score each model and each peer on one stack of nuclei."""
    rows, diameter = [], None
    for model in models:
        seconds, found = timed(lambda model=model: segment(image, model, axes="zyx", anisotropy=anisotropy))
        diameter = found.diameter_px
        rows.append(nuclei_row(name, f"{model.name}, three views", truth, found.labels, seconds))
    for how, size in (("size estimated", None), ("size given", median_diameter(truth, anisotropy))):
        seconds, found = timed(
            lambda size=size: segment(image, stars, axes="zyx", anisotropy=anisotropy, diameter_px=size)
        )
        rows.append(nuclei_row(name, f"stars, {how}", truth, found.labels, seconds))
    fast = models[-1]
    seconds, labels = timed(lambda: plane_by_plane(image, fast))
    rows.append(nuclei_row(name, f"{fast.name}, planes joined", truth, labels, seconds))
    seconds, labels = timed(lambda: otsu_watershed(image, diameter, anisotropy))
    rows.append(nuclei_row(name, "Otsu and distance watershed", truth, labels, seconds))
    return rows


def nuclei_row(
    name: str, method: str, truth: NDArray[np.integer], labels: NDArray[np.integer], seconds: float
) -> dict[str, Any]:
    """Return one row: counts and average precision."""
    n_true = len(np.unique(truth)) - 1
    ap = average_precision([truth], [labels], [0.5, 0.75])
    n = int(labels.max())
    matched = round(float(ap[0]) * (n + n_true) / (1 + float(ap[0])))  # of TP / (n + n_true - TP)
    low, high = wilson(matched, n + n_true - matched)
    row = {"volume": name, "method": method, "objects": n, "true": n_true, "AP@0.5": round(float(ap[0]), 3)}
    row |= {"95 %": f"{low:.2f} to {high:.2f}", "AP@0.75": round(float(ap[1]), 3)}
    return row | {"CPU seconds": round(seconds, 1)}


def tiles_row(stars: Model) -> dict[str, Any]:
    """Compare what is found in one tile with what is found in tiles of 96 voxels."""
    made = simulate_stack(102)
    whole, pieces = (
        segment(made.image, stars, axes="zyx", anisotropy=made.anisotropy, diameter_px=16, tile_px=tile).labels
        for tile in (256, 96)
    )
    same = average_precision([whole], [pieces], [0.5])[0]
    row = {"objects": int(whole.max()), "objects in tiles": int(pieces.max()), "AP@0.5 between them": float(same)}
    return row | {"voxels": int((whole > 0).sum()), "voxels that differ": int(((whole > 0) != (pieces > 0)).sum())}


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the ends of Wilson's interval of a share."""
    share, weight = hits / n, z * z / n
    middle, half = share + weight / 2, z * np.sqrt(share * (1 - share) / n + weight / (4 * n))
    return float((middle - half) / (1 + weight)), float((middle + half) / (1 + weight))


def wall_rows(name: str, image: NDArray[Any], truth: NDArray[np.integer], cells: Model) -> list[dict[str, Any]]:
    """Score walls and region graph, the model cells in three views, and two peers."""
    finder = Walls.of_tissue(thickness_px=4, cell_diameter_px=50)  # as one sees them
    rows = []

    def add(method: str, work: Callable[[], NDArray[np.integer]]) -> None:
        seconds, labels = timed(work)
        voi = variation_of_information(truth, labels)
        row = {"volume": name, "method": method, "objects": len(np.unique(labels[labels > 0]))}
        row |= {"true": len(np.unique(truth)) - 1, "VOI split": round(voi.split, 3), "VOI merge": round(voi.merge, 3)}
        row |= {"VOI": round(voi.total, 3), "Rand error": round(adapted_rand(truth, labels).error, 3)}
        rows.append(row | {"CPU seconds": round(seconds, 1)})

    def from_boundaries(boundaries: NDArray[np.uint8], threshold: float) -> NDArray[np.integer]:
        affinities = affinities_of_boundaries(boundaries)
        pieces = supervoxels(affinities)
        graph = region_graph(pieces, affinities, UNIT_OFFSETS)
        method = Agglomeration(min_voxels=200)
        numbers = method.segments(graph, method.build(graph), threshold)
        return numbers[np.searchsorted(graph.ids, pieces)]

    add(f"walls, region graph, threshold {WALL_THRESHOLD}", lambda: from_boundaries(finder.find(image), WALL_THRESHOLD))
    add("walls, region graph, threshold 0.4", lambda: from_boundaries(finder.find(image), 0.4))
    bright = np.clip(255 * (image / np.percentile(image, 99.5)), 0, 255).astype(np.uint8)
    add("brightness, region graph, threshold 0.6 (best here)", lambda: from_boundaries(bright, 0.6))
    smooth = ndimage.gaussian_filter(image.astype(np.float32), 2)
    for depth in (0.5, 1.0, 2.0):

        def deep(depth: float = depth) -> NDArray[np.integer]:
            seeds, _ = ndimage.label(h_minima(smooth, depth))
            return watershed(smooth, seeds)

        add(f"watershed of the smoothed image, minima deeper than {depth}", deep)
    add("cells, three views", lambda: segment(image, cells, axes="zyx", anisotropy=1).labels)
    return rows


def plane_by_plane(image: NDArray[Any], model: Model) -> NDArray[np.int64]:
    """Segment each plane on its own; join an object to that of the plane before that it overlaps best."""
    volume = np.zeros(image.shape, np.int64)
    size = segment(image, model, axes="zyx", z=len(image) // 2).diameter_px
    count = 0
    for z in range(len(image)):
        labels = segment(image, model, axes="zyx", z=z, diameter_px=size).labels.astype(np.int64)
        n, before = int(labels.max()), volume[z - 1] if z else np.zeros_like(labels)
        number = np.arange(n + 1) + count
        number[0] = 0
        for label in range(1, n + 1):
            own = labels == label
            others, shared = np.unique(before[own & (before > 0)], return_counts=True)
            ious = [s / (own.sum() + (before == o).sum() - s) for o, s in zip(others, shared, strict=True)]
            if ious and max(ious) > 0.25:
                number[label] = others[int(np.argmax(ious))]
        volume[z] = number[labels]
        count += n
    return np.unique(volume, return_inverse=True)[1].reshape(volume.shape)


def otsu_watershed(image: NDArray[Any], diameter_px: float | None, anisotropy: float) -> NDArray[np.int64]:
    """Split what is bright along the valleys of its distance transform."""
    spacing = (anisotropy, 1.0, 1.0)
    smooth = ndimage.gaussian_filter(image.astype(np.float32), [1 / s for s in spacing])
    bright = ndimage.binary_fill_holes(smooth > threshold_otsu(smooth))
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(bright, spacing), [1 / s for s in spacing])
    width = [max(3, round((diameter_px or 20) / 2 / s)) for s in spacing]
    peaks = (distance == ndimage.maximum_filter(distance, width)) & bright
    seeds, _ = ndimage.label(peaks, np.ones((3, 3, 3)))
    return watershed(-distance, seeds, mask=bright).astype(np.int64)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return CPU seconds, which other work on the machine does not change, and the result."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


if __name__ == "__main__":
    main()
