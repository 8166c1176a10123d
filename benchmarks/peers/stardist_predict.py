"""Run StarDist on images; started by the interpreter of an environment that has it (needs nothing of Teasel).

    pip install tensorflow-cpu stardist          # in an environment of its own
    that-python stardist_predict.py jobs.json --model stardist_retrained --threads 2 --seconds seconds.json

`jobs.json` is a list of {"image": "a.npy", "labels": "a.tif"}: a (y, x) array with bright objects, and where
the labels go. With ``-`` for the file, one such object per line is read from standard input and each is
answered at once by a line {"seconds": s, "objects": n}, so that another program can take turns with this one.
Time is that of normalisation (percentiles 1 and 99.8) and `predict_instances`, after one warm-up; loading the
model, reading and writing are not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Load the model, then do the jobs."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("jobs", help="JSON file, or - for lines on standard input")
    options.add_argument("--model", type=Path, required=True, help="folder with config.json and weights_best.h5")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--seconds", type=Path, help="JSON file for the time of each image")
    arguments = options.parse_args()
    # Libraries write to standard output: keep it for the answers alone.
    answers, sys.stdout = sys.stdout, sys.stderr
    model = load(arguments.model, arguments.threads)
    if arguments.jobs == "-":
        serve(model, answers)
        return
    jobs = json.loads(Path(arguments.jobs).read_text("utf-8"))
    times = {}
    for k, job in enumerate(jobs):
        if k == 0:
            run(model, job)
        times[job["labels"]] = run(model, job)["seconds"]
    if arguments.seconds:
        temporary = arguments.seconds.with_name(f".{arguments.seconds.name}.partial")
        temporary.write_text(json.dumps(times, indent=1), "utf-8")
        temporary.replace(arguments.seconds)


def load(folder: Path, threads: int):
    """Open a StarDist model, and hold everything to a number of threads."""
    os.environ.update(
        CUDA_VISIBLE_DEVICES="-1",
        TF_CPP_MIN_LOG_LEVEL="3",
        OMP_NUM_THREADS=str(threads),
        TF_USE_LEGACY_KERAS="0",
    )
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    from stardist.models import StarDist2D

    folder = folder.resolve()
    return StarDist2D(None, name=folder.name, basedir=str(folder.parent))


def serve(model, answers) -> None:
    """Answer each job as it comes; the first is done twice, the first time to warm up."""
    print("ready", file=answers, flush=True)
    warm = False
    for line in sys.stdin:
        job = json.loads(line)
        if not warm:
            run(model, job)
            warm = True
        print(json.dumps(run(model, job)), file=answers, flush=True)


def run(model, job: dict[str, str]) -> dict[str, float]:
    """Read, predict, write; time the middle."""
    import numpy as np
    import tifffile
    from csbdeep.utils import normalize

    image = np.load(job["image"])
    start = time.perf_counter()
    labels, _ = model.predict_instances(normalize(image, 1, 99.8), show_tile_progress=False)
    seconds = time.perf_counter() - start
    path = Path(job["labels"])
    temporary = path.with_name(f".{path.name}")
    tifffile.imwrite(temporary, labels.astype(np.uint16 if labels.max() < 65536 else np.uint32), compression="zlib")
    temporary.replace(path)
    return {"seconds": seconds, "objects": int(labels.max())}


if __name__ == "__main__":
    main()
