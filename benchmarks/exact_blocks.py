"""Does a volume's segmentation depend on its blocks? Hashes of every file of every run.

    python -m benchmarks.exact_blocks                              # 128^3
    python -m benchmarks.exact_blocks --size 512                   # hours on two cores
    python -m benchmarks.exact_blocks --size 512 --few --kills 2   # every size once: half an hour

Every combination of six block sizes (one prime), three orders and one or two workers writes a result (with ``--few``,
every size once, with orders and workers in turn); then runs are killed (kill -9 of a worker or of the client, in turn)
at random moments; where the client died, it is started again. All files of all results must have one hash.
`usual_blocks` is the table to put beside it.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import parser, save
from benchmarks.synthetic_volumes import make_affinities, make_labels, write_zarr
from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume, open_runner
from teasel.inference.volume.grid import Grid

ORDERS: dict[str, Any] = {
    "as listed": list,
    "reversed": lambda keys: keys[::-1],
    "shuffled": lambda keys: random.Random(7).sample(keys, len(keys)),
}
CLIENT = (
    "import sys; from benchmarks.exact_blocks import recipe_of\n"
    "from teasel.inference.volume import agglomerate_volume, open_runner\n"
    "with open_runner(workers=2, memory=2 << 30) as runner: "
    "agglomerate_volume(recipe_of(sys.argv[1]), sys.argv[2], block=(int(sys.argv[3]),) * 3, runner=runner)"
)


def recipe_of(path: str) -> Recipe:
    """Return the recipe of every run."""
    return Recipe(AffinitySource(path), threshold=0.5)


def hash_of(result: Path) -> str:
    """Hash the names and bytes of every file."""
    digest = hashlib.sha256()
    for path in sorted(p for p in result.rglob("*") if p.is_file()):
        digest.update(path.relative_to(result).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def run_matrix(path: str, folder: Path, blocks: list[int], few: bool = False) -> list[dict[str, Any]]:
    """Run every combination, or `few`; return a row each."""
    rows = []
    chosen = {(blocks[i], list(ORDERS)[i % len(ORDERS)], 1 + i % 2) for i in range(len(blocks))}
    for workers in (1, 2):
        with open_runner(workers=workers, memory=max(2 << 30, 50 * max(blocks) ** 3)) as runner:
            for block, (name, order) in product(blocks, ORDERS.items()):
                if few and (block, name, workers) not in chosen:
                    continue
                began = time.perf_counter()
                out = folder / "run.ome.zarr"
                agglomerate_volume(recipe_of(path), out, block=(block,) * 3, runner=runner, order=order)
                seconds = time.perf_counter() - began
                rows.append(
                    {"block": block, "order": name, "workers": workers, "seconds": seconds, "hash": hash_of(out)}
                )
                print(
                    f"block {block}, {name}, {workers} workers: {rows[-1]['hash'][:12]} in {seconds:.1f} s", flush=True
                )
                shutil.rmtree(out)
    return rows


def run_killed(path: str, folder: Path, block: int, kills: int) -> list[dict[str, Any]]:
    """Kill runs at random moments, one kill each: workers and clients in turn; return a row per kill."""
    rng, rows = random.Random(3), []
    n_blocks = len(Grid(recipe_of(path).source.shape, (block,) * 3))
    for number in range(kills):
        out = folder / "killed.ome.zarr"
        victim = "worker" if number % 2 else "client"
        process = _start(path, out, block)
        aim = rng.randrange(1, 4 * n_blocks)  # a run leaves four records per block, and more at its end
        while process.poll() is None and len(list(_records(out))) < aim:
            time.sleep(0.005)
        pid = process.pid if victim == "client" else _worker_of(process.pid)
        alive = process.poll() is None and pid is not None
        if alive:
            os.kill(pid, signal.SIGKILL)  # type: ignore[arg-type]
        if victim == "client":
            process.wait()
            process = _start(path, out, block) if not out.exists() else process
        process.wait()
        rows.append({"kill": number, "victim": victim, "struck": alive, "hash": hash_of(out)})
        print(f"kill -9 of a {victim}: {rows[-1]['hash'][:12]}", flush=True)
        shutil.rmtree(out)
    return rows


def _start(path: str, out: Path, block: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CLIENT, path, str(out), str(block)], stderr=subprocess.DEVNULL)


def _records(out: Path) -> Any:
    return Path(f"{out}.work").rglob("*.done")


def _worker_of(client: int) -> int | None:
    """Return one process of a client's cluster that computes."""
    import psutil

    if not psutil.pid_exists(client):
        return None
    children = [p for p in psutil.Process(client).children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
    return children[0].pid if children else None


def _labels(size: int) -> Any:
    """Label a volume; above 256^3 by a piece mirrored along every axis, under noise that repeats nowhere."""
    if size <= 256:
        return make_labels((size,) * 3)
    labels = make_labels((-(-size // 2),) * 3)
    for axis in range(3):
        labels = np.concatenate([labels, np.flip(labels, axis)], axis)
    return labels[:size, :size, :size]


def main() -> None:
    """Run all, print the tables, write the JSON."""
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--size", type=int, default=128, help="edge of the volume (default 128)")
    options.add_argument("--kills", type=int, default=20, help="runs that are killed (default 20)")
    options.add_argument("--few", action="store_true", help="every block size once, not every combination")
    options.add_argument("--scratch", type=Path, help="where intermediate files go")
    arguments = options.parse_args()
    size = arguments.size
    blocks = [size, 2 * size // 3, size // 2, 61 if size < 256 else 127, size // 3 + 5, 3 * size // 4]
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
        folder = Path(name)
        path = str(folder / "affinities.zarr")
        write_zarr(path, make_affinities(_labels(size), "hard"))
        matrix = run_matrix(path, folder, blocks, arguments.few)
        killed = run_killed(path, folder, blocks[2], arguments.kills)
    hashes = {row["hash"] for row in matrix + killed}
    verdict = "all equal" if len(hashes) == 1 else f"{len(hashes)} DIFFERENT HASHES"
    struck = sum(row["struck"] for row in killed)
    print(f"{len(matrix)} runs and {struck} kills at {size}^3: {verdict}")
    result = {"size": size, "blocks": blocks, "verdict": verdict, "runs": matrix, "kills": killed}
    save(arguments.results, f"exact_blocks_{size}", arguments, result)


if __name__ == "__main__":
    main()
