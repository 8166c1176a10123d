"""A slide of any size: time, memory of all processes, and whether objects at the edges of blocks are as good as others.

    python -m benchmarks.slides --side 50000 --scratch DIR      # 2.5 gigapixels, about 1.4 million nuclei
    python -m benchmarks.slides                                 # 16,000 pixels wide

The slide is a simulated section of tissue, seen twice as large, mirrored over and over. Its truth is known, so
windows around corners of blocks and windows inside blocks are scored alike (AP at IoU .5, pooled over windows that no
mirror line crosses). Memory is the most that all processes together held resident, read twice a second.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import parser, save
from benchmarks.watching import watch_memory
from teasel.inference.slides import segment_slide
from teasel.inference.slides.job import SlideJob
from teasel.inference.volume import open_runner

TILE_PX = 2000
SEED = 1
WINDOW_PX = 500
N_WINDOWS = 40
LEAST_PX = 16_000


def make_tile() -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Simulate nuclei of a tissue, and their labels, ``(TILE_PX, TILE_PX)``."""
    from scipy import ndimage

    from teasel.training.simulation import simulate

    scene = simulate("tissue", size_px=TILE_PX // 2, seed=SEED)
    image = ndimage.zoom(np.clip(scene.image[1], 0, 1), 2, order=1)
    return (250 * image).astype(np.uint8), scene.nuclei.repeat(2, 0).repeat(2, 1)


def at(tile: NDArray[Any], row: int, column: int) -> NDArray[Any]:
    """Return the tile at a place, mirrored so that it goes on from its neighbours."""
    return tile[:: -1 if row % 2 else 1, :: -1 if column % 2 else 1]


def truth_at(truth: NDArray[np.int32], y: int, x: int) -> NDArray[np.int32] | None:
    """Return the truth of the window that starts at a place; None if it is not in one tile, or has few nuclei."""
    row, column = y // TILE_PX, x // TILE_PX
    top, left = y - row * TILE_PX, x - column * TILE_PX
    if max(top, left) > TILE_PX - WINDOW_PX:
        return None
    found = at(truth, row, column)[top : top + WINDOW_PX, left : left + WINDOW_PX]
    return found if (found > 0).mean() > 0.02 else None


def main() -> None:
    """Make the slide, segment it, score windows, write the JSON."""
    import zarr

    from teasel.labels.metrics import average_precision

    options = parser(__doc__.splitlines()[0])
    options.add_argument("--side", type=int, default=16000, help="height and width in pixels")
    options.add_argument("--model", default="nuclei-fast")
    options.add_argument("--memory", type=int, default=2_000_000_000, help="bytes per worker")
    options.add_argument("--scratch", type=Path, help="where the slide and the result go")
    arguments = options.parse_args()
    side = arguments.side
    if side < LEAST_PX:
        raise SystemExit(f"--side {side}: too few places to score; give {LEAST_PX} or more")
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
        image, truth = make_tile()
        path = Path(name) / "slide.zarr"
        array = zarr.create_array(path, shape=(side, side), dtype="u1", chunks=(1000, 1000), dimension_names=["y", "x"])
        for row in range(-(-side // TILE_PX)):
            for column in range(-(-side // TILE_PX)):
                y, x = row * TILE_PX, column * TILE_PX
                array[y : y + TILE_PX, x : x + TILE_PX] = at(image, row, column)[: side - y, : side - x]
        jobs, told = [], [0]
        out = Path(name) / "out.ome.zarr"
        began = time.perf_counter()

        def progress(done: int, total: int) -> None:
            if 100 * done // total > told[0]:
                told[0] = 100 * done // total
                print(f"{told[0]} %: {time.perf_counter() - began:.0f} s, {most[0] / 1e9:.2f} GB", flush=True)

        with watch_memory() as most, open_runner(workers=arguments.threads, memory=arguments.memory) as runner:
            plain = runner.run

            def run(task: Any, job: Any, *rest: Any, **more: Any) -> None:
                if isinstance(job, SlideJob):
                    jobs.append(job)
                plain(task, job, *rest, **more)

            runner.run = run  # type: ignore[method-assign]
            slide = segment_slide(path, out, arguments.model, runner=runner, progress=progress)
        seconds = time.perf_counter() - began
        block = jobs[0].recipe.block_px
        labels = zarr.open_group(out, mode="r")["0"]
        rng = np.random.default_rng(0)
        scores = {}
        for kind, offset in (("corners of blocks", 0), ("inside blocks", block // 2)):
            truths, found = [], []
            while len(truths) < N_WINDOWS:
                y, x = (block * rng.integers(1, side // block, 2) + offset - WINDOW_PX // 2).tolist()
                inside = 0 <= y <= side - WINDOW_PX and 0 <= x <= side - WINDOW_PX
                here = truth_at(truth, y, x) if inside else None
                if here is None:
                    continue
                truths.append(np.unique(here, return_inverse=True)[1].reshape(here.shape))
                window = np.asarray(labels[0, y : y + WINDOW_PX, x : x + WINDOW_PX])  # type: ignore[index]
                found.append(np.unique(window, return_inverse=True)[1].reshape(here.shape))
            scores[kind] = float(average_precision(truths, found, [0.5])[0])
        result = {
            "side_px": side,
            "model": arguments.model,
            "seconds": seconds,
            "megapixel_per_s": side**2 / 1e6 / seconds,
            "most_gb": most[0] / 1e9,
            "memory_per_worker": arguments.memory,
            "blocks": len(jobs[0].grid),
            "block_px": block,
            "objects": len(slide.objects),
            "ap_at_half": scores,
        }
        shutil.rmtree(out)
    print(result)
    save(arguments.results, "slides", arguments, result)


if __name__ == "__main__":
    main()
