"""Spots to cells: time and peak memory up to 50 million transcripts, and how many go to the right cell (Linux)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks import record
from teasel.spatial.assign import (
    Refinement,
    cell_table,
    cells_at,
    nearest_cells,
    needed_gb,
    refine_cells,
)
from teasel.spatial.simulation.tissue import simulate_tissue

METHODS = ("labels", "nearest", "refine")
RADIUS_PX = 20.0
SPACING_PX = 40  # between nuclei of the large scene
NUCLEUS_PX = 8
N_GENES = 500


def main() -> None:
    """Measure each method at each size in a process of its own, then judge the results on simulated tissue."""
    options = record.parser(__doc__ or "")
    options.add_argument("--spots", type=int, nargs="+", default=[1_000_000, 50_000_000], help="how many transcripts")
    options.add_argument("--measure", nargs=2, metavar=("METHOD", "SPOTS"), help="(used by itself)")
    arguments = options.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure[0], int(arguments.measure[1]))))
        return
    sizes = [
        {"method": method, "spots": spots, **_in_new_process(method, spots)}
        for spots in arguments.spots
        for method in arguments.methods or METHODS
    ]
    print(
        record.table(
            [
                [one["method"], one["spots"], one["seconds"], one["cpu_seconds"], one["peak_gb"], one["told_gb"]]
                for one in sizes
            ],
            ["method", "spots", "s", "CPU s", "peak GB", "told before GB"],
        )
    )
    quality = [judge(seed) for seed in range(5)]
    print()
    print(
        record.table(
            [[f"seed {one['seed']}", one["nearest"], one["refine"]] for one in quality],
            ["right cell, simulated tissue", "nearest", "refine"],
        )
    )
    real = hippocampus(arguments.data)
    print(f"\nCA1: {real['inside']:.4f} of {real['spots']} spots inside nuclei before they are expanded")
    saved = record.save(
        arguments.results,
        "assignment",
        arguments,
        {"sizes": sizes, "quality": quality, "pciseq_ca1": real, "radius_px": RADIUS_PX, "genes": N_GENES},
    )
    print(f"\n{saved}")


def measure(method: str, n: int) -> dict[str, Any]:
    """Assign n transcripts and count them into a table; peak memory holds all, the spots themselves included."""
    import resource

    side = int(np.sqrt(n) * 2.8)  # so that cells have about 200 spots
    labels = _nuclei(side)
    random = np.random.default_rng(0)
    positions = random.random((n, 2)) * (side - 1)
    genes = random.integers(N_GENES, size=n, dtype=np.int32)
    began, cpu = time.perf_counter(), time.process_time()
    if method == "labels":
        cells = cells_at(positions, labels)
    elif method == "nearest":
        cells = nearest_cells(positions, labels, RADIUS_PX)
    else:
        cells = refine_cells(positions, genes, labels, Refinement(radius_px=RADIUS_PX, n_iterations=_iterations(n)))
    table = cell_table(cells, genes, [f"g{k}" for k in range(N_GENES)], labels)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "told_gb": needed_gb(n, {"labels": 0, "nearest": 1, "refine": 3}[method]),
        "label_image_gb": labels.nbytes / 1e9,
        "cells": table.n_obs,
        "iterations": _iterations(n) if method == "refine" else 0,
        "in_cells": float((cells > 0).mean()),
    }


def _iterations(n: int) -> int:
    """Return how often spots are given to cells anew; memory does not depend on it, time does."""
    return 4 if n <= 5_000_000 else 1


def judge(seed: int) -> dict[str, Any]:
    """Compare with the truth of simulated tissue, outside nuclei."""
    tissue = simulate_tissue((600, 600), seed=seed)
    outside = (cells_at(tissue.positions_px, tissue.nuclei) == 0) & (tissue.cell > 0)
    found = {
        "nearest": nearest_cells(tissue.positions_px, tissue.nuclei, RADIUS_PX),
        "refine": refine_cells(tissue.positions_px, tissue.gene, tissue.nuclei, Refinement(radius_px=RADIUS_PX)),
    }
    return {"seed": seed} | {name: float((cells == tissue.cell)[outside].mean()) for name, cells in found.items()}


def hippocampus(data: Any) -> dict[str, Any]:
    """Return the share of spots in nuclei."""
    from teasel.labels import read_labels
    from teasel.spatial.readers import read_spots

    folder = data / "pciseq_ca1"
    spots = read_spots(folder / "spots.csv")
    labels = read_labels(folder / "labels" / "nuclei_labels.tif")
    return {"spots": len(spots), "inside": float((cells_at(spots.positions_px, labels) > 0).mean())}


def _nuclei(side: int) -> np.ndarray:
    """Draw discs on a grid, each with a number of its own."""
    tile = np.zeros((SPACING_PX, SPACING_PX), bool)
    yy, xx = np.indices(tile.shape) - SPACING_PX // 2
    tile[yy**2 + xx**2 <= NUCLEUS_PX**2] = True
    n = -(-side // SPACING_PX)
    labels = np.zeros((side, side), np.uint32)
    for row in range(n):
        strip = np.kron(np.arange(row * n + 1, (row + 1) * n + 1, dtype=np.uint32), np.ones(SPACING_PX, np.uint32))
        height = min(SPACING_PX, side - row * SPACING_PX)
        labels[row * SPACING_PX :][:height] = (np.tile(tile, n) * strip)[:height, :side]
    return labels


def _in_new_process(method: str, spots: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.assignment", "--measure", method, str(spots)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=record.CHECKOUT)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
