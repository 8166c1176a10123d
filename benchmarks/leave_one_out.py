"""AP@0.5 on a kind of image that was left out of training altogether.

For each set a network of the architecture of `nuclei-fast` is trained for `--steps` steps on everything else, and
run on the set's validation images with nothing set. Stopped and typed again, it goes on where it stopped.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import record, scores
from benchmarks.accuracy import score
from benchmarks.datasets import load_sets
from benchmarks.methods import Method

LEFT_OUT = {
    "dsb_stained": ("dsb2018_stained",),
    "bitdepth": ("bitdepth_nucseg",),
    "dsb_brightfield": ("dsb2018_brightfield",),
    "bbbc039": ("bbbc039",),
}
"""Set of the benchmarks -> the training sets that hold its kind."""


def main() -> None:
    """Train once per set, without it, and score the model on it."""
    options = record.parser(__doc__ or "")
    options.add_argument("--steps", type=int, default=2000, help="training steps per model (default 2000)")
    options.set_defaults(sets=["dsb_stained", "bitdepth"], methods=["nuclei-fast"])
    arguments = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    result: dict[str, Any] = {}
    rows = []
    for name, cases in load_sets(arguments.data, arguments.sets).items():
        folder = train_without(name, arguments.data, arguments.steps)
        values = {"left out": scores.summary(score(Method.load(str(folder), arguments.threads), cases))}
        for method in arguments.methods:
            values[method] = scores.summary(score(Method.load(method, arguments.threads), cases))
        result[name] = {"images": len(cases), "methods": values}
        rows += [[name, len(cases), method, one["AP@0.5"], one["AP@0.75"]] for method, one in values.items()]
    path = record.save(arguments.results, "leave_one_out", arguments, {"steps": arguments.steps, "sets": result})
    print(record.table(rows, ("set", "n", "trained", "AP@0.5", "AP@0.75")), f"\n{path}")


def train_without(name: str, data: Path, steps: int) -> Path:
    """Train on everything but one set; return the model folder."""
    from scripts.build_models import MODELS, SETS, by_modality, read_piximi
    from teasel.training.folders import package, read_sets
    from teasel.training.loop import fit

    run = record.CHECKOUT / ".runs" / "leave-one-out" / f"{name}-{steps}"
    folder = run / f"without-{name.replace('_', '-')}"
    if (folder / "rdf.yaml").exists():
        return folder
    config = replace(MODELS["nuclei-fast"][0], steps=steps, start_from=None)
    training, validation = (by_modality(items, data) for items in read_sets([data / one for one in SETS]))
    training.append(read_piximi(data))
    kept = [[i for i in items if i.name.split("/")[0] not in LEFT_OUT[name]] for items in (training, validation)]
    trained = fit(*kept, run, config)
    return package(trained, *kept, folder)


if __name__ == "__main__":
    main()
