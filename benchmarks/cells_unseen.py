"""Whole cells of a kind that was never seen: found as they are, and after about a hundred of them were corrected.

A network of the architecture of `cells` is trained for `--steps` steps on small crops, a fraction of what `cells` saw,
from the weights of `nuclei`, on everything that `cells` is trained on but phase contrast (Usiigaci) and Cell Painting
(Piximi): scenes simulated in every style, brain-like tissue and mass cytometry. It is run on both, nothing set. Then
``teasel adapt`` is run on each as a command, with images that hold about a hundred cells (again with more forgetting
allowed, if it hands nothing over), and images that were not corrected are scored by both models. `nuclei` was trained
on the nuclei of the Cell Painting image, not on its cells. Stopped and typed again, it goes on.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import record, scores
from benchmarks.adapt import count
from benchmarks.adapt_cells import choose, measure
from scripts.cell_sets import chances, read_cell_sets
from teasel.images import save_image
from teasel.training.data import Item, find_pairs, read_items

RUNS = record.CHECKOUT / ".runs" / "cells-unseen"
LEFT_OUT = ("usiigaci", "piximi")
GAIN, GOOD = 0.15, 0.80
CROP_PX, SCENES = 128, 40
SEEN = {"nachtflug": 0.1, "imc": 0.1, "simulated": 0.44}
"""Shares of the crops, of those that are trained on."""
WAYS = {"after adapting": (), "after adapting, forgetting allowed": ("--replay-tolerance=0.1",)}
"""What is typed beside the rest; the second only if the first hands nothing over."""
COLUMNS = ("AP@0.5", "AP@0.75", "AP@0.9")


class Outcome(NamedTuple):
    """What each way of adapting reported, and the models that were handed over."""

    reports: dict[str, Any]
    models: dict[str, Path]


def main() -> None:
    """Train without two kinds of cells, find them, adapt to each, and find them again."""
    options = record.parser(__doc__ or "")
    options.add_argument("--steps", type=int, default=1500, help="training steps without both kinds (default 1500)")
    options.add_argument(
        "--adapt-steps", type=int, default=100, help="steps of each fold of an adaptation (default 100); 0 for none"
    )
    options.add_argument("--scenes", type=int, default=40, help="replayed scenes per adaptation (default 40)")
    options.set_defaults(sets=list(LEFT_OUT))
    arguments = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    model = train_without(arguments)
    result: dict[str, Any] = {}
    rows = []
    for name in arguments.sets:
        corrected, judged = split(name, arguments.data)
        outcome = adapt(model, name, corrected, arguments) if arguments.adapt_steps else Outcome({}, {})
        models = {"never seen": model} | outcome.models
        for way, shown in ways(judged).items():
            found = {when: measure(one, shown, arguments.threads) for when, one in models.items()}
            values = {when: scores.summary(one) for when, one in found.items()}
            result[f"{name}, {way}"] = {
                "corrected": {"images": len(corrected), "cells": sum(count(item.labels) for item in corrected)},
                "judged": {"images": len(judged), "cells": sum(count(item.labels) for item in judged)},
                "adaptation": outcome.reports,
                "methods": values,
            }
            for when in outcome.models:
                result[f"{name}, {way}"] |= gain(found[when], found["never seen"])
            rows += [[name, way, len(judged), when, *(one[c] for c in COLUMNS)] for when, one in values.items()]
        content = {"steps": arguments.steps, "adapt steps": arguments.adapt_steps, "sets": result}
        path = record.save(arguments.results, "cells_unseen", arguments, content)
    print(record.table(rows, ("set", "channels", "judged", "model", *COLUMNS)), f"\n{path}")


def train_without(arguments: Any) -> Path:
    """Train on every source but those left out; return the model folder."""
    from scripts.build_models import CELL_SIZES, MODELS
    from teasel.training.folders import package
    from teasel.training.loop import fit

    run = RUNS / f"without-{'-'.join(LEFT_OUT)}-{arguments.steps}"
    folder = run / "cells-unseen"
    if (folder / "rdf.yaml").exists():
        return folder
    first = {"start_from": "nuclei", "learning_rate": 1e-3, "warmup_steps": 100, "seed": 1, "validate_every": 0}
    config = replace(MODELS["cells"][0], steps=arguments.steps, crop_px=CROP_PX, **first)
    sets = read_cell_sets(arguments.data, tuple(SEEN), scenes=SCENES)
    trained = fit(sets.training, [], run, config, chances=chances(sets.training, SEEN))
    return package(trained, sets.training, sets.validation[::4], folder, tags=("cells",), sizes=CELL_SIZES)


def split(name: str, data: Path) -> tuple[list[Item], list[Item]]:
    """Return images to correct, about a hundred cells, and the images that judge: other fields, or another place."""
    sets = read_cell_sets(data, (name,))
    if name == "piximi":  # one image: its left two thirds are corrected, its right third judges
        return choose(sets.training), sets.validation
    whole = {item.name: item for item in read_items(find_pairs(data / "usiigaci_phase"), "usiigaci")}
    corrected = [whole[item.name] for item in choose(sets.training)]
    taken = {item.name for item in corrected}
    return corrected, [item for item in whole.values() if item.name not in taken]


def ways(items: list[Item]) -> dict[str, list[Item]]:
    """Return the images with the channel of the cell alone and, where there is a nuclear one, with both."""
    alone = [replace(item, image=item.image[:1]) for item in items]
    return {"cell": alone} | ({"cell and nucleus": items} if len(items[0].image) > 1 else {})


def gain(after: scores.Counts, before: scores.Counts) -> dict[str, Any]:
    """Return what adapting changed, and whether it is what was aimed at."""
    change = scores.difference(after, before)
    reached = change["AP@0.5"][0] >= GAIN or scores.summary(after)["AP@0.5"][0] >= GOOD
    return {"change": change, "aim": f"+{GAIN} or >= {GOOD}", "reached": bool(reached)}


def adapt(model: Path, name: str, corrected: list[Item], arguments: Any) -> Outcome:
    """Write a folder of corrections and run the command on it, again if it refuses; or read what it left before."""
    folder, out = model.parent / name / "corrections", model.parent / name / f"my-{arguments.adapt_steps}"
    if not folder.exists():
        for part in ("images", "labels"):
            (folder / part).mkdir(parents=True)
        for item in corrected:
            file = f"{item.name.replace('/', '-')}.tif"
            axes, pixels = ("cyx", item.image) if len(item.image) > 1 else ("yx", item.image[0])
            save_image(folder / "images" / file, pixels, axes=axes)
            save_image(folder / "labels" / file, item.labels.astype(np.uint16), axes="yx")
    outcome = Outcome({}, {})
    for number, (way, more) in enumerate(WAYS.items()):
        done = out / f"report-{number}.json"
        if not done.exists():
            typed = command(model, folder, out, len(corrected[0].image), arguments)
            subprocess.run([*typed, *more], check=False)
            shutil.copy(out / "report.json", done)
        report = json.loads(done.read_text())
        kept = {key: report[key] for key in ("accepted", "reason", "seconds")}
        outcome.reports[way] = kept | {"table": report["scores"]["table"]}
        if report["folder"]:
            outcome.models[way] = out / report["folder"]
            break
    return outcome


def command(model: Path, folder: Path, out: Path, channels: int, arguments: Any) -> Iterator[str]:
    """Yield the words of the command."""
    yield from (str(Path(sys.executable).with_name("teasel")), "adapt", str(folder), "-o", str(out), "--quiet")
    yield from ("--model", str(model), "--objects", "cells", f"--threads={arguments.threads}")
    yield from (f"--steps={arguments.adapt_steps}", f"--replay-scenes={arguments.scenes}")
    if channels > 1:
        yield from (f"--channel={channel}" for channel in range(channels))


if __name__ == "__main__":
    main()
