"""Adapting a model that has never seen BitDepth to a hundred of its nuclei: how much of the gap is closed?

The network of `benchmarks.bases` starts; `nuclei-fast`, trained on BitDepth too, is where the gap ends. A user has
images of one tissue (muscle, which no model was trained on): for each seed half of these images give crops, of at most
256 px and 15 nuclei, until they hold a hundred, at random and as `suggest` proposes; the other half is scored. A crop
is a verified region of its image.
Forgetting is measured on simulated scenes that no run has seen and on validation images of DSB 2018 and BBBC039.
Shares of the gap are those of the means over seeds. Stopped and typed again, it goes on.
"""

from __future__ import annotations

import json
import logging
import resource
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record, scores
from benchmarks.bases import STEPS, without
from benchmarks.datasets import load_sets
from teasel.images import open_image
from teasel.labels import read_labels
from teasel.models import load_model
from teasel.training.adapt import AdaptConfig, Correction, adapt
from teasel.training.adapt.replay import replay_scenes
from teasel.training.adapt.verdict import find_objects
from teasel.training.data import Item, median_diameter, normalise

RUNS = record.CHECKOUT / ".runs" / "adapt"
CELLS = 100
CROP_PX = 256
MOST_CELLS = 15
FRESH_SEED, FRESH = 77, 20
FULL = "nuclei-fast"
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
WAYS = ("random", "suggest")

Counts = dict[str, dict[str, list[list[float]]]]
"""Set -> image -> TP, FP, FN at each threshold."""


def main() -> None:
    """Adapt for each seed and each way of choosing, and score."""
    options = record.parser(__doc__ or "")
    options.add_argument("--seeds", type=int, default=10, help="random choices (default 10)")
    options.add_argument("--steps", type=int, default=AdaptConfig.steps, help="steps of each fold")
    arguments = options.parse_args()
    logging.basicConfig(level=logging.WARNING)
    base = without("bitdepth", arguments.data)
    tests = test_sets(arguments.data)
    ends = {name: measure_end(name, model, tests, arguments) for name, model in (("base", base), ("full", FULL))}
    runs: list[dict[str, Any]] = []
    for seed in range(arguments.seeds):
        for way in WAYS:
            runs.append(one_run(base, seed, way, arguments, tests))
            summarise(runs, ends, arguments)


def summarise(runs: list[dict[str, Any]], ends: dict[str, Counts], arguments: Any) -> None:
    """Print and write what there is so far."""
    for run in runs:
        for what, pick in (("ap50", _at_half), ("mean_ap", _mean)):
            values = {name: pick(ends[name]["bitdepth"], run["tested"]) for name in ends}
            run[what] = values | {"adapted": pick(run["counts"]["bitdepth"], run["tested"])}
        run["forgotten"] = {
            name: _at_half(run["counts"][name]) - _at_half(ends["base"][name]) for name in ("replay", "dsb_bbbc")
        }
    summary: dict[str, Any] = {}
    for way in WAYS:
        mine = [run for run in runs if run["way"] == way]
        if not mine:
            continue
        row: dict[str, Any] = {"runs": len(mine), "accepted": sum(run["accepted"] for run in mine)}
        for what in ("ap50", "mean_ap"):
            low, end, high = (float(np.mean([run[what][key] for run in mine])) for key in ("base", "adapted", "full"))
            row[what] = {"base": low, "adapted": end, "full": high, "gap_closed": (end - low) / (high - low)}
        row["replay_change"] = [float(f([run["forgotten"]["replay"] for run in mine])) for f in (np.min, np.mean)]
        row["dsb_bbbc_change"] = [float(f([run["forgotten"]["dsb_bbbc"] for run in mine])) for f in (np.min, np.mean)]
        for what in ("wall_s", "cpu_s", "memory_gb"):
            row[f"most_{what}"] = max((run[what] for run in mine if not run["resumed"]), default=None)
        summary[way] = row
    both = [seed for seed in {run["seed"] for run in runs} if sum(run["seed"] == seed for run in runs) == 2]
    if len(both) >= 5:
        from scipy.stats import wilcoxon

        value = {(run["seed"], run["way"]): run["mean_ap"]["adapted"] for run in runs}
        differences = [value[seed, "suggest"] - value[seed, "random"] for seed in both]
        summary["suggest_minus_random"] = float(np.mean(differences))
        summary["p_value"] = float(wilcoxon(differences, alternative="greater").pvalue)
    kept = [{key: value for key, value in run.items() if key != "counts"} for run in runs]
    result = {
        "base_steps": STEPS["bitdepth"],
        "steps": arguments.steps,
        "folds": AdaptConfig.folds,
        "summary": summary,
        "runs": kept,
    }
    path = record.save(arguments.results, "adapt", arguments, result)
    rows = [
        [
            w,
            r["runs"],
            r["accepted"],
            *(r[k]["gap_closed"] for k in ("ap50", "mean_ap")),
            r["replay_change"][0],
            r["most_cpu_s"],
        ]
        for w, r in summary.items()
        if isinstance(r, dict)
    ]
    header = ("chosen", "runs", "accepted", "gap AP@0.5", "gap mean AP", "least on replay", "CPU s")
    print(record.table(rows, header), f"\n{path}", flush=True)


def one_run(base: Path, seed: int, way: str, arguments: Any, tests: dict[str, list[Item]]) -> dict[str, Any]:
    """Choose crops, adapt, score; or read what was done before."""
    folder = RUNS / f"{way}-{seed}-{AdaptConfig.folds}x{arguments.steps}"
    done = folder / "run.json"
    if done.exists():
        values: dict[str, Any] = json.loads(done.read_text())
        return values
    names = sorted(item.name for item in tests["bitdepth"])
    chosen_from = sorted(np.random.default_rng(seed).choice(names, len(names) // 2, replace=False))
    tested = [name for name in names if name not in chosen_from]
    began = time.monotonic()
    pick = random_crops if way == "random" else suggested
    chosen = pick(arguments, base, chosen_from, seed)
    chosen_s = time.monotonic() - began
    began, cpu = time.monotonic(), cpu_seconds()
    resumed = any(folder.glob("adapting-*.pt"))  # then its time is not that of the whole
    config = AdaptConfig(objects="nuclei", steps=arguments.steps, threads=arguments.threads, seed=seed)
    adapted = adapt(chosen, folder, model=base, name="adapted", config=config)
    spent, cpu = time.monotonic() - began, cpu_seconds() - cpu
    values = {
        "seed": seed,
        "way": way,
        "crops": len(chosen),
        "cells": sum(count(one.known()) for one in chosen),
        "accepted": adapted.accepted,
        "reason": adapted.reason,
        "share": adapted.scores["share"],
        "tested": tested,
        "resumed": resumed,
        "choosing_s": chosen_s,
        "wall_s": spent,
        "cpu_s": cpu,
        "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "counts": measure(adapted.folder or base, tests, arguments.threads, tested),
    }
    done.write_text(json.dumps(values))
    return values


def cpu_seconds() -> float:
    """Return the processor time of this process and its finished children."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usages)


def random_crops(arguments: Any, base: Path, names: list[str], seed: int) -> list[Correction]:
    """Cut crops at random places of the images until they hold a hundred nuclei; empty ones count for nothing."""
    rng = np.random.default_rng([seed, 1])
    chosen: list[Correction] = []
    while sum(count(one.known()) for one in chosen) < CELLS:
        name = names[rng.integers(len(names))]
        y, x = (int(v) for v in rng.integers(0, 512 - CROP_PX + 1, 2))
        one = cut(arguments.data, name, slice(y, y + CROP_PX), slice(x, x + CROP_PX))
        chosen += [one] if count(one.known()) else []
    return chosen


def suggested(arguments: Any, base: Path, names: list[str], seed: int) -> list[Correction]:
    """Take the crops that are proposed, in their order, until they hold a hundred nuclei."""
    from teasel.appraisal import suggest

    model = load_model(base, threads=arguments.threads)
    paths = [arguments.data / "bitdepth_nucseg/images" / f"{name}.tif" for name in names]
    chosen: list[Correction] = []
    for one in suggest(paths, model, 60, crop_px=CROP_PX):
        if sum(count(c.known()) for c in chosen) >= CELLS:
            break
        chosen.append(cut(arguments.data, Path(one.source).stem, *one.window))
    return chosen


def cut(data: Path, name: str, y: slice, x: slice) -> Correction:
    """Say what is true within a crop, as a verified region of its image."""
    image, labels = read(data, name)
    while count(labels[y, x]) > MOST_CELLS:  # nobody outlines a hundred nuclei in one place
        y, x = (slice(s.start + (s.stop - s.start) // 8, s.stop - (s.stop - s.start) // 8) for s in (y, x))
    verified = np.zeros(labels.shape, bool)
    verified[y, x] = True
    return Correction(f"{name}_y{y.start}_x{x.start}", image, labels, verified=verified, source=name)


@cache
def read(data: Path, name: str) -> tuple[NDArray[np.generic], NDArray[np.int32]]:
    """Read an image, once, and its labels."""
    image = open_image(data / f"bitdepth_nucseg/images/{name}.tif").read()
    return image[None], np.asarray(read_labels(data / f"bitdepth_nucseg/labels/{name}.tif")).astype(np.int32)


def count(labels: NDArray[np.integer] | None) -> int:
    """Count objects."""
    return 0 if labels is None else len(np.unique(labels[labels > 0]))


def test_sets(data: Path) -> dict[str, list[Item]]:
    """Read what is scored: BitDepth, scenes that nobody has seen, and images of other kinds."""
    sets = {
        "bitdepth": list(_items(data, ["bitdepth"], 1)),
        "dsb_bbbc": list(_items(data, ["dsb_fluorescence", "dsb_stained", "bbbc039"], 6)),
    }
    return sets | {"replay": replay_scenes("nuclei", FRESH, seed=FRESH_SEED)}


def _items(data: Path, names: list[str], step: int) -> Iterator[Item]:
    for cases in load_sets(data, names).values():
        for case in cases[::step]:
            pixels, axes = case.read()
            pixels = np.moveaxis(pixels, -1, 0) if axes == "yxc" else pixels[None]
            truth = case.truth()
            yield Item(case.name, normalise(pixels.astype(np.float32)), truth, median_diameter(truth))


def measure_end(name: str, model: str | Path, tests: dict[str, list[Item]], arguments: Any) -> Counts:
    """Measure one end of the gap, or read what was measured before."""
    path = RUNS / f"{name}.json"
    RUNS.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(json.dumps(measure(model, tests, arguments.threads)))
    counts: Counts = json.loads(path.read_text())
    return counts


def measure(model: str | Path, tests: dict[str, list[Item]], threads: int, bitdepth: list[str] | None = None) -> Counts:
    """Count matches of each image, nothing set; of BitDepth only the images named."""
    loaded = load_model(model, threads=threads)
    result: Counts = {}
    for name, items in tests.items():
        chosen = [i for i in items if name != "bitdepth" or bitdepth is None or i.name in bitdepth]
        counts = scores.count(((item.labels, find_objects(loaded, item)) for item in chosen), THRESHOLDS)
        result[name] = {item.name: values.tolist() for item, values in zip(chosen, counts, strict=True)}
    return result


def _pooled(counts: dict[str, list[list[float]]], names: list[str] | None) -> NDArray[np.float64]:
    return np.array([values for name, values in counts.items() if names is None or name in names]).sum(0)


def _at_half(counts: dict[str, list[list[float]]], names: list[str] | None = None) -> float:
    return float(scores.average_precision(_pooled(counts, names))[0])


def _mean(counts: dict[str, list[list[float]]], names: list[str] | None = None) -> float:
    return float(scores.average_precision(_pooled(counts, names)).mean())


if __name__ == "__main__":
    main()
