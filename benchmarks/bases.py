"""Networks that have never seen one kind of image: what adapting and trusting are measured on."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from benchmarks import record
from benchmarks.kinds import sort_kinds
from teasel.training.data import Item

LEFT_OUT = {
    "bitdepth": ("bitdepth_nucseg",),
    "small-and-purple": ("small fluorescent", "purple tissue"),
    "large-and-pink": ("large fluorescent", "pink and purple tissue", "grey tissue"),
}
"""What is left out -> the training sets, or the kinds of DSB 2018, that hold it."""

STEPS = {"bitdepth": 4000, "small-and-purple": 700, "large-and-pink": 700}


def without(name: str, data: Path) -> Path:
    """Train a network of the architecture of `nuclei-fast` on everything but some sources; return the model folder.

    Takes ten minutes on one core per thousand steps; stopped and called again, it goes on where it stopped.
    """
    from scripts.build_models import MODELS, SETS, by_modality, read_piximi
    from teasel.training.folders import package, read_sets
    from teasel.training.loop import fit

    run = record.CHECKOUT / ".runs" / "bases" / name
    folder = run / f"without-{name}"
    if (folder / "rdf.yaml").exists():
        return folder
    config = replace(MODELS["nuclei-fast"][0], steps=STEPS[name], precision="f32", start_from=None)
    training, validation = (by_modality(items, data) for items in read_sets([data / one for one in SETS]))
    training.append(read_piximi(data))
    kinds = sort_kinds(data)
    stems = {pair.image.stem for kind in LEFT_OUT[name] for pair in kinds.get(kind, ())}

    def known(item: Item) -> bool:
        source, stem = item.name.split("/")
        return source not in LEFT_OUT[name] and stem not in stems

    kept = [[item for item in items if known(item)] for items in (training, validation)]
    return package(fit(*kept, run, config), kept[0], kept[1][::6], folder)


def main() -> None:
    """Train the networks that are named."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="+", choices=sorted(LEFT_OUT))
    options.add_argument("--data", type=Path, default=record.CHECKOUT.parent / "shared" / "data")
    arguments = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for name in arguments.names:
        logging.info("%s", without(name, arguments.data))


if __name__ == "__main__":
    main()
