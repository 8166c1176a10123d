"""Networks that have never seen one kind of image: what adapting and trusting are measured on."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from benchmarks import record

LEFT_OUT = {
    "bitdepth": ("bitdepth_nucseg",),
    "dsb2018": ("dsb2018_fluorescence", "dsb2018_stained", "dsb2018_brightfield"),
}
"""What is left out -> the training sets that hold it."""

STEPS = {"bitdepth": 1250, "dsb2018": 1000}


def without(name: str, data: Path) -> Path:
    """Train a network of the architecture of `nuclei-fast` on everything but one source; return the model folder.

    Takes about twelve minutes on one core; stopped and called again, it goes on where it stopped.
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
    kept = [[i for i in items if i.name.split("/")[0] not in LEFT_OUT[name]] for items in (training, validation)]
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
