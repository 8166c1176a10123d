"""Seconds to measure 10,000 objects in three channels, beside scikit-image and a loop over objects as CellProfiler has.

Every method runs in a process of its own, one after the other; CPU time says what the work costs however busy the
machine is, wall time what a user waits.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from argparse import Namespace

import numpy as np
from numpy.typing import NDArray

from benchmarks import record

METHODS = {
    "teasel, default set": "all ten families, 3 channels; texture at scales 1, 3, 5 in 4 directions, 256 levels",
    "teasel, like regionprops": "families shape and intensity",
    "scikit-image": "regionprops_table: shape, perimeter, convex area, Euler number; mean, min, max, std per channel",
    "loop": "per object and channel, as CellProfiler: mahotas' Haralick at scale 1, 256 levels, of 1 object in 50",
}
LOOP_SHARE = 50


def field(n: int = 10_000, size: int = 2048, seed: int = 0) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
    """Elliptic cells on a jittered grid, and three channels of texture and noise."""
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(n)))
    step = size / side
    labels = np.zeros((size, size), np.int32)
    reach = int(np.ceil(0.6 * step))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    for i in range(n):
        centre = (np.array([i // side, i % side]) + 0.5) * step + rng.uniform(-0.15, 0.15, 2) * step
        long, angle = rng.uniform(0.3, 0.5) * step, rng.uniform(0, np.pi)
        short = long * rng.uniform(0.7, 1)
        u, v = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
        inside = (u / long) ** 2 + (v / short) ** 2 <= 1
        rows, columns = y[inside] + int(centre[0]), x[inside] + int(centre[1])
        there = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
        labels[rows[there], columns[there]] = i + 1
    light = ndimage.gaussian_filter((labels > 0) * 1.0, 1.5)
    channels = []
    for _ in range(3):
        texture = 1 + 1.5 * ndimage.gaussian_filter(rng.normal(size=labels.shape), 2)
        channels.append(2000 + 30000 * light * texture + 800 * rng.normal(size=labels.shape))
    return labels, np.clip(np.stack(channels), 0, 65535).astype(np.uint16)


def work(method: str, threads: int) -> dict[str, float]:
    """Run one method in this process, imports and the making of the image left out."""
    labels, image = field()
    run = {
        "teasel, default set": lambda: _teasel(labels, image, None, threads),
        "teasel, like regionprops": lambda: _teasel(labels, image, ("shape", "intensity"), threads),
        "scikit-image": lambda: _regionprops(labels, image),
        "loop": lambda: _loop(labels, image),
    }[method]
    _teasel(labels[:64, :64], image[:, :64, :64], None, 1)
    _regionprops(labels[:64, :64], image[:, :64, :64])
    wall, cpu = time.perf_counter(), time.process_time()
    columns = run()
    factor = LOOP_SHARE if method == "loop" else 1
    return {
        "wall_s": (time.perf_counter() - wall) * factor,
        "cpu_s": (time.process_time() - cpu) * factor,
        "columns": columns,
    }


def _teasel(labels: NDArray, image: NDArray, families: tuple[str, ...] | None, threads: int) -> int:
    from teasel.measurement import measure

    return len(measure(labels, image, axes="cyx", families=families, threads=threads).features)


def _regionprops(labels: NDArray, image: NDArray) -> int:
    from skimage.measure import regionprops_table

    properties = (
        *("area", "area_bbox", "area_convex", "axis_major_length", "axis_minor_length", "bbox", "centroid"),
        *("eccentricity", "equivalent_diameter_area", "euler_number", "extent", "orientation", "perimeter", "solidity"),
        *("feret_diameter_max", "intensity_max", "intensity_mean", "intensity_min", "intensity_std"),
        "centroid_weighted",
    )
    return len(regionprops_table(labels, np.moveaxis(image, 0, -1), properties=properties))


def _loop(labels: NDArray, image: NDArray) -> int:
    import mahotas.features
    from scipy import ndimage

    grey = np.rint(image / 65535 * 255).astype(np.uint8)
    boxes = ndimage.find_objects(labels)
    for i in range(0, len(boxes), LOOP_SHARE):
        if boxes[i] is not None:
            inside = labels[boxes[i]] == i + 1
            for channel in grey:
                mahotas.features.haralick(np.where(inside, channel[boxes[i]], 0), ignore_zeros=True, distance=1)
    return 13 * 4 * len(grey)


def main(arguments: Namespace) -> None:
    results = {}
    for method in METHODS:
        command = [sys.executable, "-m", "benchmarks.measurement", "--worker", method]
        done = subprocess.run(
            [*command, "--threads", str(arguments.threads)],
            capture_output=True,
            text=True,
            check=True,
            cwd=record.CHECKOUT,
        )
        results[method] = json.loads(done.stdout) | {"what": METHODS[method]}
    ours, theirs = results["teasel, like regionprops"], results["scikit-image"]
    default, loop = results["teasel, default set"], results["loop"]
    summary = {
        "target_s": 20,
        "default_wall_s": default["wall_s"],
        "default_cpu_s_per_core": default["cpu_s"] / arguments.threads,
        "cpu_ratio_regionprops_to_teasel": theirs["cpu_s"] / ours["cpu_s"],
        "cpu_ratio_loop_of_one_scale_to_the_default_set": loop["cpu_s"] / default["cpu_s"],
    }
    what = {"objects": 10_000, "shape": [3, 2048, 2048]}
    record.save(arguments.results, "measurement", arguments, {**what, "methods": results, "summary": summary})
    for method, numbers in results.items():
        line = f"{method:28} {numbers['columns']:4.0f} columns  wall {numbers['wall_s']:7.1f} s"
        print(f"{line}  CPU {numbers['cpu_s']:7.1f} s")
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    options = record.parser(__doc__.splitlines()[0])
    options.add_argument("--worker", choices=list(METHODS), help="run one method and print its numbers")
    arguments = options.parse_args()
    if arguments.worker:
        print(json.dumps(work(arguments.worker, arguments.threads)))
    else:
        main(arguments)
