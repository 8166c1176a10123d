"""Peak memory on a 10,000 x 10,000 image of 16 bits, in a process of its own (Linux)."""

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
from benchmarks.datasets import load_sets
from benchmarks.methods import ACCURATE, Method
from benchmarks.mosaics import join
from teasel.errors import TeaselError


def main() -> None:
    """Make the image, then measure each method in a fresh process."""
    options = record.parser(__doc__ or "")
    options.add_argument("--side", type=int, default=10_000, help="pixels along y and x (default 10000)")
    options.add_argument("--measure", type=Path, help="(used by itself) image to segment in this process")
    arguments = options.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.methods[0], arguments.threads)))
        return
    cases = load_sets(arguments.data, ["bbbc039"])["bbbc039"]
    image = join([case.read()[0] for case in cases], (arguments.side, arguments.side))
    with tempfile.TemporaryDirectory(prefix="memory") as folder:
        path = Path(folder) / "image.npy"
        np.save(path, image)
        del image
        measured = [_in_new_process(path, name, arguments.threads) for name in arguments.methods or ACCURATE]
    result = {one.pop("method"): one for one in measured}
    saved = record.save(arguments.results, "memory", arguments, {"side_px": arguments.side, "methods": result})
    rows = [[name, *one.values()] for name, one in result.items()]
    print(
        record.table(rows, ("method", "image GB", "peak GB", "peak over image GB", "s", "objects")),
        f"\n{saved}",
    )


def measure(path: Path, name: str, threads: int) -> dict[str, Any]:
    """Segment an image, and read off the largest resident size this process ever had."""
    image = np.load(path)
    method = Method.load(name, threads)
    start = time.perf_counter()
    objects = len(method(image, "yx").scores)
    seconds = time.perf_counter() - start
    peak = _peak_gb()
    size = image.nbytes / 1e9
    return {
        "method": method.name,
        "image_gb": size,
        "peak_gb": peak,
        "over_image_gb": peak - size,
        "seconds": seconds,
        "objects": objects,
    }


def _peak_gb() -> float:
    """Return the largest resident size of this process (Linux); `getrusage` would count what its parent held."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024 / 1e9


def _in_new_process(path: Path, name: str, threads: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.memory", "--measure", str(path), "--methods", name]
    done = subprocess.run(
        [*command, "--threads", str(threads)],
        cwd=record.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TeaselError(f"measuring {name} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
