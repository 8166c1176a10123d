"""Spots to cells: time and peak memory up to 50 million transcripts, and how many go to the right cell (Linux).

    python -m benchmarks.assignment --methods labels "labels in parts" --spots 50000000

"In parts" reads transcripts from a Parquet file part by part and counts them as they come. Rows of an earlier run that
are not measured again stay in the results, with the commit that they were measured at.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import record
from teasel.spatial.assign import (
    Refinement,
    cell_table,
    cells_at,
    count_parts,
    nearest_cells,
    needed_gb,
    refine_cells,
)
from teasel.spatial.readers import stream_spots
from teasel.spatial.simulation.tissue import simulate_tissue

METHODS = ("labels", "nearest", "refine", "labels in parts", "nearest in parts")
ROWS = 1_000_000  # of a part
RADIUS_PX = 20.0
SPACING_PX = 40  # between nuclei of the large scene
NUCLEUS_PX = 8
N_GENES = 500


def main() -> None:
    """Measure each method at each size in a process of its own, then judge the results on simulated tissue."""
    options = record.parser((__doc__ or "").splitlines()[0])
    options.add_argument("--spots", type=int, nargs="+", default=[1_000_000, 50_000_000], help="how many transcripts")
    options.add_argument("--measure", nargs=2, metavar=("METHOD", "SPOTS"), help="(used by itself)")
    arguments = options.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure[0], int(arguments.measure[1]))))
        return
    sizes = [
        {"method": method, "spots": spots, "commit": record.commit(), **_in_new_process(method, spots)}
        for spots in arguments.spots
        for method in arguments.methods or METHODS
    ]
    sizes += _kept(arguments.results, sizes)
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
    if method.endswith("in parts"):
        return _measure_parts(method.split()[0], n, side, labels)
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


def _measure_parts(method: str, n: int, side: int, labels: np.ndarray) -> dict[str, Any]:
    """Count n transcripts of a file that is read part by part; writing it is not timed."""
    import resource

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "transcripts.parquet"
        _write(path, n, side)
        began, cpu = time.perf_counter(), time.process_time()
        table = count_parts(stream_spots(path, rows=ROWS), labels, method=method, radius_px=RADIUS_PX)
        return {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu,
            "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
            "told_gb": None,
            "label_image_gb": labels.nbytes / 1e9,
            "file_gb": path.stat().st_size / 1e9,
            "cells": table.n_obs,
            "iterations": 0,
            "in_cells": float(table.X.sum() / n),
        }


def _write(path: Path, n: int, side: int) -> None:
    """Write transcripts as Xenium does, pixels of 1 um."""
    import pyarrow
    import pyarrow.parquet

    random, writer = np.random.default_rng(0), None
    names = np.array([f"g{k}" for k in range(N_GENES)])
    for start in range(0, n, ROWS):
        count = min(ROWS, n - start)
        y, x = random.random((2, count)).astype(np.float32) * (side - 1)
        gene = names[random.integers(N_GENES, size=count)]
        table = pyarrow.table({"feature_name": gene, "x_location": x, "y_location": y, "qv": np.full(count, 40.0)})
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def _kept(folder: Path, measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of an earlier run that were not measured again."""
    path = folder / "assignment.json"
    if not path.exists():
        return []
    earlier = json.loads(path.read_text("utf-8"))
    done = {(one["method"], one["spots"]) for one in measured}
    rows = [{"commit": earlier["commit"]} | one for one in earlier["sizes"]]
    return [one for one in rows if (one["method"], one["spots"]) not in done]


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
