"""Adapting a model that has never seen BitDepth to a hundred of its nuclei: how much of the gap is closed?

The network of `benchmarks.bases` starts; `nuclei-fast`, trained on BitDepth too, is where the gap ends. For each seed
16 training images are drawn; from them crops of at most 256 px and 40 nuclei are taken until they hold a hundred: at
random, and as `suggest` proposes. Scores are AP@0.5 on BitDepth's validation images. Forgetting is measured on
simulated scenes that no run has seen and on validation images of DSB 2018 and BBBC039. Stopped and typed again, it
goes on.
"""

from __future__ import annotations

import json
import logging
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record
from benchmarks.bases import STEPS, without
from benchmarks.datasets import load_sets
from teasel.images import open_image
from teasel.labels import read_labels
from teasel.models import load_model
from teasel.training.adapt import AdaptConfig, Correction, adapt
from teasel.training.adapt.replay import replay_scenes
from teasel.training.adapt.verdict import score
from teasel.training.data import Item, median_diameter, normalise

RUNS = record.CHECKOUT / ".runs" / "adapt"
CELLS = 100
CROP_PX = 256
MOST_CELLS = 40
IMAGES = 16
FRESH_SEED = 77
FULL = "nuclei-fast"


def main() -> None:
    """Adapt for each seed and each way of choosing, and score."""
    options = record.parser(__doc__ or "")
    options.add_argument("--seeds", type=int, default=10, help="random choices (default 10)")
    options.add_argument("--steps", type=int, default=AdaptConfig.steps, help="steps per adaptation")
    arguments = options.parse_args()
    logging.basicConfig(level=logging.WARNING)
    base = without("bitdepth", arguments.data)
    tests = test_sets(arguments.data)
    ends = {str(end): measure(end, tests, arguments.threads) for end in (base.name, FULL)}
    runs = []
    for seed in range(arguments.seeds):
        for way in ("random", "suggest"):
            runs.append(one_run(base, seed, way, arguments, tests))
            print(f"seed {seed} {way}: {runs[-1]}", flush=True)
            save(arguments, base, ends, runs)


def save(arguments: Any, base: Path, ends: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    """Summarise and write what there is."""
    low, high = ends[base.name]["bitdepth"], ends[FULL]["bitdepth"]
    for run in runs:
        run["gap_closed"] = (run["scores"]["bitdepth"] - low) / (high - low)
        run["forgotten"] = {name: run["scores"][name] - ends[base.name][name] for name in ("replay", "dsb_bbbc")}
    ways = {way: [run for run in runs if run["way"] == way] for way in ("random", "suggest")}
    summary: dict[str, Any] = {
        way: {
            "runs": len(mine),
            "accepted": sum(run["accepted"] for run in mine),
            "gap_closed": float(np.mean([run["gap_closed"] for run in mine])),
            "least_change_on_replay": min(run["forgotten"]["replay"] for run in mine),
            "least_change_on_dsb_bbbc": min(run["forgotten"]["dsb_bbbc"] for run in mine),
            "most_wall_s": max(run["wall_s"] for run in mine),
            "most_cpu_s": max(run["cpu_s"] for run in mine),
            "most_memory_gb": max(run["memory_gb"] for run in mine),
        }
        for way, mine in ways.items()
        if mine
    }
    pairs = [
        (a["gap_closed"], b["gap_closed"]) for a in ways["suggest"] for b in ways["random"] if a["seed"] == b["seed"]
    ]
    if len(pairs) >= 5:
        from scipy.stats import wilcoxon

        differences = np.array([a - b for a, b in pairs])
        summary["suggest_minus_random"] = float(differences.mean())
        summary["p_value"] = float(wilcoxon(differences, alternative="greater").pvalue)
    result = {"base_steps": STEPS["bitdepth"], "steps": arguments.steps, "ends": ends, "summary": summary, "runs": runs}
    path = record.save(arguments.results, "adapt", arguments, result)
    rows = [
        [way, one["runs"], one["accepted"], one["gap_closed"], one["least_change_on_replay"], one["most_cpu_s"]]
        for way, one in summary.items()
        if isinstance(one, dict)
    ]
    header = ("chosen", "runs", "accepted", "gap closed", "least on replay", "CPU s")
    print(record.table(rows, header), f"\n{path}")


def one_run(base: Path, seed: int, way: str, arguments: Any, tests: dict[str, list[Item]]) -> dict[str, Any]:
    """Choose crops, adapt, score; or read what was done before."""
    folder = RUNS / f"{way}-{seed}-{arguments.steps}"
    done = folder / "run.json"
    if done.exists():
        values: dict[str, Any] = json.loads(done.read_text())
        return values
    names = images_of(arguments.data, seed)
    began, cpu = time.monotonic(), cpu_seconds()
    chosen = random_crops(arguments.data, names, seed) if way == "random" else suggested(arguments, base, names)
    chosen_s = time.monotonic() - began
    began, cpu = time.monotonic(), cpu_seconds()
    config = AdaptConfig(objects="nuclei", steps=arguments.steps, threads=arguments.threads, seed=seed)
    adapted = adapt(chosen, folder, model=base, name="adapted", config=config)
    spent, cpu = time.monotonic() - began, cpu_seconds() - cpu
    values = {
        "seed": seed,
        "way": way,
        "crops": len(chosen),
        "cells": sum(len(np.unique(one.labels)) - 1 for one in chosen),
        "accepted": adapted.accepted,
        "reason": adapted.reason,
        "choosing_s": chosen_s,
        "wall_s": spent,
        "cpu_s": cpu,
        "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "scores": measure(adapted.folder if adapted.folder is not None else base, tests, arguments.threads),
    }
    done.write_text(json.dumps(values))
    return values


def cpu_seconds() -> float:
    """Return the processor time of this process and its finished children."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usages)


def images_of(data: Path, seed: int) -> list[str]:
    """Draw the training images that a seed may choose from."""
    split = dict(line.split(",") for line in (data / "bitdepth_nucseg/split.csv").read_text().split()[1:])
    names = sorted(name for name, part in split.items() if part == "train")
    return sorted(np.random.default_rng(seed).choice(names, IMAGES, replace=False))


def random_crops(data: Path, names: list[str], seed: int) -> list[Correction]:
    """Cut crops at random places of the images until they hold a hundred nuclei."""
    rng = np.random.default_rng([seed, 1])
    chosen: list[Correction] = []
    while sum(count(one.labels) for one in chosen) < CELLS:
        name = names[rng.integers(len(names))]
        y, x = (int(v) for v in rng.integers(0, 512 - CROP_PX + 1, 2))
        chosen.append(cut(data, name, slice(y, y + CROP_PX), slice(x, x + CROP_PX)))
    return chosen


def suggested(arguments: Any, base: Path, names: list[str]) -> list[Correction]:
    """Take the crops that are proposed, in their order, until they hold a hundred nuclei."""
    from teasel.appraisal import suggest

    model = load_model(base, threads=arguments.threads)
    paths = [arguments.data / "bitdepth_nucseg/images" / f"{name}.tif" for name in names]
    chosen: list[Correction] = []
    for one in suggest(paths, model, 60, crop_px=CROP_PX):
        if sum(count(c.labels) for c in chosen) >= CELLS:
            break
        chosen.append(cut(arguments.data, Path(one.source).stem, *one.window))
    return chosen


def cut(data: Path, name: str, y: slice, x: slice) -> Correction:
    """Cut a crop with its true labels."""
    image = open_image(data / f"bitdepth_nucseg/images/{name}.tif").read()
    labels = np.asarray(read_labels(data / f"bitdepth_nucseg/labels/{name}.tif")).astype(np.int32)
    while count(labels[y, x]) > MOST_CELLS:  # nobody outlines a hundred nuclei in one place
        y, x = (slice(s.start + (s.stop - s.start) // 8, s.stop - (s.stop - s.start) // 8) for s in (y, x))
    return Correction(f"{name}_y{y.start}_x{x.start}", image[None, y, x], labels[y, x])


def count(labels: NDArray[np.integer] | None) -> int:
    """Count objects."""
    return 0 if labels is None else len(np.unique(labels[labels > 0]))


def test_sets(data: Path) -> dict[str, list[Item]]:
    """Read what is scored: BitDepth, scenes that nobody has seen, and images of other kinds."""
    sets = {
        "bitdepth": list(_items(data, ["bitdepth"], 1)),
        "dsb_bbbc": list(_items(data, ["dsb_fluorescence", "dsb_stained", "bbbc039"], 4)),
    }
    return sets | {"replay": replay_scenes("nuclei", 40, seed=FRESH_SEED)}


def _items(data: Path, names: list[str], step: int) -> Iterator[Item]:
    for cases in load_sets(data, names).values():
        for case in cases[::step]:
            pixels, axes = case.read()
            pixels = np.moveaxis(pixels, -1, 0) if axes == "yxc" else pixels[None]
            truth = case.truth()
            yield Item(case.name, normalise(pixels.astype(np.float32)), truth, median_diameter(truth))


def measure(model: str | Path, tests: dict[str, list[Item]], threads: int) -> dict[str, float]:
    """Return AP@0.5 on each set, nothing set."""
    loaded = load_model(model, threads=threads)
    return {name: score(loaded, items).ap50 for name, items in tests.items()}


if __name__ == "__main__":
    main()
