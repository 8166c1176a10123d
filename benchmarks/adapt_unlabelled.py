"""Adapting without labels, kind by kind: the five kinds of images of DSB 2018, and muscle sections of BitDepth.

Twelve images of a kind are given, without their labels; other images of the kind are scored before and after, nothing
set. A network of `benchmarks.bases` starts that has seen no image of the kind: one was trained without small nuclei in
fluorescence and purple tissue, one without the other three kinds of DSB 2018, one without BitDepth. With ``--model`` a
shipped model starts, which has been trained on some of these images: then only validation images are scored.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import record, scores
from benchmarks.bases import LEFT_OUT, without
from benchmarks.kinds import KINDS, sort_kinds
from teasel.errors import DataError
from teasel.models import load_model
from teasel.training.adapt import AdaptConfig, adapt_unlabelled
from teasel.training.adapt.verdict import find_objects
from teasel.training.data import Item, Pair, find_pairs, read_items

RUNS = record.CHECKOUT / ".runs" / "adapt-unlabelled"
MUSCLE = "bitdepth_nucseg"
GIVEN, JUDGED = 12, 16
WAYS = ("before", "after")


def main() -> None:
    """Adapt to each kind, and score before and after."""
    options = record.parser(__doc__ or "")
    options.add_argument("--steps", type=int, default=AdaptConfig.steps, help="a third of the steps of an adaptation")
    options.add_argument("--model", help="shipped model to start from on DSB 2018, in place of one without it")
    arguments = options.parse_args()
    muscle = [one for one in find_pairs(arguments.data / "bitdepth_nucseg") if one.image.stem.startswith("muscle")]
    kinds = sort_kinds(arguments.data) | {MUSCLE: muscle}
    result: dict[str, Any] = {}
    rows = []
    for kind in arguments.sets or (*KINDS, MUSCLE):
        result[kind] = values = one_kind(kind, kinds[kind], arguments)
        rows.append([kind, values["judged"], values["accepted"], *(values[way]["AP@0.5"][0] for way in WAYS)])
        change = {name: one.get("change", {}).get("AP@0.5", [0.0])[0] for name, one in result.items()}
        dsb = [value for name, value in change.items() if name != MUSCLE]
        summary = {"kinds of DSB 2018": len(dsb), "up": sum(v > 0 for v in dsb), "least": min(dsb, default=None)}
        start = arguments.model or "networks that have seen no image of the kind"
        content = {"start": start, "steps": arguments.steps, "summary": summary, "kinds": result}
        path = record.save(arguments.results, "adapt_unlabelled", arguments, content)
    print(record.table(rows, ("kind", "judged", "handed over", "AP@0.5 before", "after")), f"\n{path}")


def one_kind(kind: str, pairs: list[Pair], arguments: Any) -> dict[str, Any]:
    """Adapt to twelve images of a kind and score others; or read what was done before."""
    model = arguments.model if kind != MUSCLE else None
    folder = RUNS / f"{model or 'without'}-{kind.replace(' ', '-')}-{AdaptConfig.folds}x{arguments.steps}"
    done = folder / "run.json"
    if done.exists():
        values: dict[str, Any] = json.loads(done.read_text())
        return values
    base = model or without(next(name for name, kinds in LEFT_OUT.items() if kind in kinds), arguments.data)
    drawn = [pairs[k] for k in np.random.default_rng(0).permutation(len(pairs))]
    given = [one for one in drawn if not model or one.split == "train"][: min(GIVEN, len(drawn) // 2)]
    others = [one for one in drawn if one not in given and (not model or one.split == "val")]
    judged = list(read_items(others[:JUDGED], kind))
    began = time.monotonic()
    config = AdaptConfig(objects="nuclei", steps=arguments.steps, threads=arguments.threads)
    before = measure(base, judged, arguments.threads)
    values = {"given": len(given), "judged": len(judged), "before": scores.summary(before)}
    try:
        adapted = adapt_unlabelled([pair.image for pair in given], folder, model=base, name="adapted", config=config)
    except DataError as error:
        values |= {"accepted": False, "reason": str(error), "after": values["before"]}
    else:
        after = measure(adapted.folder, judged, arguments.threads) if adapted.folder else before
        values |= {
            "accepted": adapted.accepted,
            "reason": adapted.reason,
            "table": adapted.scores["table"],
            "after": scores.summary(after),
            "change": scores.difference(after, before),
        }
    values["wall_s"] = time.monotonic() - began
    folder.mkdir(parents=True, exist_ok=True)
    done.write_text(json.dumps(values))
    return values


def measure(model: str | Path, items: list[Item], threads: int) -> scores.Counts:
    """Count matches of each image, nothing set."""
    loaded = load_model(model, threads=threads)
    return scores.count((item.labels, find_objects(loaded, item)) for item in items)


if __name__ == "__main__":
    main()
