"""`cells` on kinds of images that it does badly on: as it is, and after about a hundred corrected cells, as typed.

Images to correct are written into a folder as a user would have them, ``teasel adapt`` is run on it as a command, and
other images of the kind are scored, nothing set, by both models. These sets are among those that `cells` was trained
on: what is corrected was part of its training too, what is judged was not (other stacks, another stain, the right third
of the Cell Painting image). Stopped and typed again, it goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import record, scores
from benchmarks.adapt import count
from scripts.cell_sets import read_cell_sets
from teasel.images import save_image
from teasel.models import load_model
from teasel.training.adapt import AdaptConfig
from teasel.training.adapt.verdict import find_objects
from teasel.training.data import Item

RUNS = record.CHECKOUT / ".runs" / "adapt-cells"
CELLS = 100
SETS = ("nachtflug", "piximi", "imc")
COLUMNS = ("AP@0.5", "AP@0.75", "AP@0.9")


def main() -> None:
    """Adapt to each set, and score before and after."""
    options = record.parser(__doc__ or "")
    options.add_argument("--steps", type=int, help="steps of each fold; default: as the command has it")
    options.add_argument("--scenes", type=int, help="replayed scenes; default: as the command has it")
    arguments = options.parse_args()
    result: dict[str, Any] = {}
    rows = []
    for name in arguments.sets or SETS:
        sets = read_cell_sets(arguments.data, (name,))
        corrected, judged = choose(sets.training), sets.validation
        outcome = adapt(name, corrected, arguments)
        models = {"as shipped": "cells", "after adapting": outcome.get("model")}
        found = {way: measure(model, judged, arguments.threads) for way, model in models.items() if model}
        result[name] = {
            "corrected": {"images": len(corrected), "cells": sum(count(item.labels) for item in corrected)},
            "judged": {"images": len(judged), "cells": sum(count(item.labels) for item in judged)},
            "adaptation": outcome["report"],
            "methods": {way: scores.summary(one) for way, one in found.items()},
        }
        if len(found) == 2:
            result[name]["change"] = scores.difference(found["after adapting"], found["as shipped"])
        for way, summary in result[name]["methods"].items():
            rows.append([name, len(judged), way, *(summary[column] for column in COLUMNS)])
        content = {"steps": arguments.steps, "scenes": arguments.scenes, "sets": result}
        path = record.save(arguments.results, "adapt_cells", arguments, content)
    print(record.table(rows, ("set", "judged", "model", *COLUMNS)), f"\n{path}")


def choose(items: list[Item]) -> list[Item]:
    """Draw images, in a seeded order, until they hold about a hundred cells; each place once, in its fullest stain."""
    chosen: list[Item] = []
    for k in np.random.default_rng(0).permutation(len(items)):
        place = items[k].name.rsplit("_", 1)[0] if items[k].name.startswith("imc") else items[k].name
        taken = {one.name.rsplit("_", 1)[0] if one.name.startswith("imc") else one.name for one in chosen}
        if sum(count(one.labels) for one in chosen) < CELLS and place not in taken:
            chosen += [items[k]] if count(items[k].labels) else []
    return chosen


def adapt(name: str, corrected: list[Item], arguments: Any) -> dict[str, Any]:
    """Write a folder of corrections and run the command on it; or read what it left before."""
    run = RUNS / f"{name}-{AdaptConfig.folds}x{arguments.steps or AdaptConfig.steps}"
    folder, out = run / "corrections", run / "my-cells"
    report = out / "report.json"
    if not report.exists():
        for part in ("images", "labels"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for item in corrected:
            file = f"{item.name.replace('/', '-')}.tif"
            axes, pixels = ("cyx", item.image) if len(item.image) > 1 else ("yx", item.image[0])
            save_image(folder / "images" / file, pixels, axes=axes)
            save_image(folder / "labels" / file, item.labels.astype(np.uint16), axes="yx")
        channels = [f"--channel={c}" for c in range(len(corrected[0].image))] if len(corrected[0].image) > 1 else []
        steps = [f"--steps={arguments.steps}"] if arguments.steps else []
        steps += [f"--replay-scenes={arguments.scenes}"] if arguments.scenes else []
        command = [Path(sys.executable).with_name("teasel"), "adapt", folder, "-o", out, "--model", "cells", "--quiet"]
        subprocess.run([*map(str, command), *channels, *steps, f"--threads={arguments.threads}"], check=False)
    values: dict[str, Any] = json.loads(report.read_text())
    found = {"report": {key: values[key] for key in ("accepted", "reason", "seconds")}}
    found["report"]["table"] = values["scores"]["table"]
    return found | ({"model": str(out / values["folder"])} if values["folder"] else {})


def measure(model: str | Path, items: list[Item], threads: int) -> scores.Counts:
    """Count matches of each image, nothing set."""
    loaded = load_model(model, threads=threads)
    return scores.count((item.labels, find_objects(loaded, item)) for item in items)


if __name__ == "__main__":
    main()
