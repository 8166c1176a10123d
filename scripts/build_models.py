"""Train (or go on training) and package the models that ship with Teasel.

Run from the root of the checkout, with the folder that holds the image sets:

    python -m scripts.build_models nuclei --data DATA

Checkpoints lie under .runs/, so that the command can be stopped and typed again; the model folder is written to
src/teasel/models/weights/ when training is done. `nuclei` and `cells` go on from the weights that are there: their
cards tell of every run before. With --rescore nothing is trained: the scores in the card of the model that is there are
measured anew, which is due whenever the way from image to objects changes. The sets are described in
docs/shipped-models.md.
"""

from __future__ import annotations

import argparse
import csv
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scripts.cell_sets import chances, read_cell_sets
from teasel.images import open_image
from teasel.labels import read_labels
from teasel.models import load_model, read_package, revise
from teasel.networks.unet import UNet
from teasel.training.card import write_card
from teasel.training.config import TrainingConfig
from teasel.training.crops import CropSampler
from teasel.training.data import Item, median_diameter, normalise
from teasel.training.folders import package, read_sets
from teasel.training.loop import Trained, fit
from teasel.training.quantise import quantise
from teasel.training.scores import pipeline_scores
from teasel.training.start import starting_network

SETS = ("dsb2018_stage1_train", "bbbc039", "bitdepth_nucseg")
WEIGHTS = Path("src/teasel/models/weights")
RUNS = Path(".runs")
CALIBRATION_CROPS = 64

CELLS_KEPT = 0.4
"""Share of the weights of `cells` before a further run in those that are kept: with the run's alone, brain-like tissue
got worse."""
CELL_SIZES = {"trusted_octaves": 0.2, "size_quantile": 0.6}
"""On validation images the predicted size of cells leans to the trained one by a third of the way, so look again; and
debris counts as small cells, so the typical size lies above the median."""

MODELS = {
    "nuclei": (
        TrainingConfig(
            widths=(32, 64, 96, 128),
            steps=7500,
            learning_rate=1.2e-3,
            precision="bf16",
            threads=1,
            validate_every=0,
            seed=1,
            start_from="nuclei",
        ),
        "Nuclei in fluorescence, stained tissue and bright field, of any size.",
    ),
    "nuclei-fast": (
        TrainingConfig(widths=(16, 32, 64, 128), steps=5000, precision="bf16", threads=1, validate_every=0),
        "Nuclei in fluorescence, stained tissue and bright field, three times as fast as `nuclei`, less exact.",
    ),
    "cells": (
        TrainingConfig(
            widths=(32, 64, 96, 128),
            roles=("cell", "nucleus", "cell"),
            object_diameter_px=32.0,
            steps=6000,
            batch_size=4,
            crop_px=192,
            learning_rate=8e-4,
            warmup_steps=50,
            threads=1,
            validate_every=0,
            checkpoint_every=50,
            seed=4,
            start_from="cells",
        ),
        "Whole cells in phase contrast, bright field and fluorescence, with or without a nuclear channel.",
    ),
}

LICENCES = """Images: DSB 2018 stage 1 with fixed annotations (BBBC038; CC0; doi:10.1038/s41592-019-0612-7),
BBBC039 (CC0; doi:10.1002/cyto.a.23863), NucSeg BitDepth tissue sections (Apache-2.0; doi:10.3390/diagnostics11060967),
and one Cell Painting image of Piximi (BSD-3-Clause). Only their training parts were trained on; the 43 fields that
DSB 2018 and BBBC039 share are all in the training part. The weights are under the MIT licence, like Teasel."""


CELL_LICENCES = """Images: Usiigaci phase contrast (MIT; doi:10.1016/j.softx.2019.02.007), nachtflug brain cells (MIT),
one Cell Painting image of Piximi (BSD-3-Clause; its left two thirds), imaging mass cytometry test data of the
Bodenmiller group (CC BY 4.0; masks made by a program), and scenes simulated by Teasel. Only their training parts were
trained on. It began from the weights of `nuclei`. The weights are the mean of those after the last run (0.6) and of
those after 5800 steps (0.4). They are under the MIT licence, like Teasel."""


def read_piximi(data: Path) -> Item:
    """Read the one Cell Painting image: its nuclear stain is the channel that is brightest in nuclei."""
    (path,) = (data / "piximi_cell_painting/images").iterdir()
    (truth,) = (data / "piximi_cell_painting/labels_nucleus").iterdir()
    pixels = open_image(path).read().astype(np.float32)
    labels = np.asarray(read_labels(truth)).astype(np.int32)
    brightest = int(np.argmax([c[labels > 0].mean() / c[labels == 0].mean() for c in pixels]))
    return Item("piximi/cell-painting", normalise(pixels[[brightest]]), labels, median_diameter(labels))


def by_modality(items: list[Item], data: Path) -> list[Item]:
    """Name the images of DSB 2018 after what they show, so that each kind is scored on its own."""
    with (data / "dsb2018_stage1_train/index.csv").open(newline="") as file:
        kinds = {row["id"]: row["modality"] for row in csv.DictReader(file)}
    short = {"histology_or_stained_rgb": "stained", "brightfield_grey": "brightfield"}
    renamed = []
    for item in items:
        stem = item.name.split("/")[1]
        kind = kinds.get(stem)
        renamed.append(replace(item, name=f"dsb2018_{short.get(kind, kind)}/{stem}") if kind else item)
    return renamed


def calibration_crops(items: list[Item], config: TrainingConfig, drawn: np.ndarray | None = None) -> list[np.ndarray]:
    """Cut crops as the network will see them, without augmentation, from every kind of image."""
    from teasel.representations import build
    from teasel.training.augment import Compose

    sampler = CropSampler(
        items,
        build(config.representation, {}),
        crop_px=config.crop_px,
        diameter_px=config.object_diameter_px,
        channels=config.in_channels,
        augmentation=Compose(()),
        seed=config.seed,
        roles=config.roles,
        chances=drawn,
    )
    return [sampler(number)[0] for number in range(CALIBRATION_CROPS)]


def keep_part(trained: Trained, share: float) -> UNet:
    """Return the network with a share of the weights that it began with (doi:10.1109/CVPR52688.2022.00780)."""
    network = starting_network(trained.config, trained.representation, 2)
    start, end = network.state_dict(), trained.network.state_dict()
    mean = {name: torch.lerp(end[name], start[name], share) for name in end if end[name].is_floating_point()}
    network.load_state_dict(end | mean)
    return network.eval()


def rescore(folder: Path, validation: list[Item], licences: str) -> None:
    """Measure the model that is there on the validation images, and write the scores into its description and card."""
    spec = replace(read_package(folder).spec, scores=pipeline_scores(load_model(folder, threads=1), validation))
    revise(folder, spec, card=write_card(spec, licences))
    logging.info("scored %s: %s", folder, spec.scores)


def main() -> None:
    """Read the command line, then train, package and quantise the model it names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    parser.add_argument("--output", type=Path, default=WEIGHTS, help="where the model folder goes")
    parser.add_argument("--rescore", action="store_true", help="train nothing; measure the scores in the card anew")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config, description = MODELS[options.model]
    folder = options.output / options.model
    texts: dict[str, Any] = {"description": description}
    drawn = None
    if options.model == "cells":
        sets = read_cell_sets(options.data, training=not options.rescore)
        training, validation, drawn = sets.training, sets.validation, chances(sets.training)
        texts |= {"tags": ("cells", "phase-contrast", "brightfield", "fluorescence"), "licences": CELL_LICENCES}
        texts |= {"compact": True, "sizes": CELL_SIZES}
    else:
        training, validation = read_sets([options.data / name for name in SETS])
        training.append(read_piximi(options.data))
        training, validation = by_modality(training, options.data), by_modality(validation, options.data)
        texts |= {"tags": ("nuclei", "fluorescence", "histology", "brightfield"), "licences": LICENCES}
    if options.rescore:
        rescore(folder, validation, texts["licences"])
        return
    trained = fit(training, validation, RUNS / options.model, config, chances=drawn)
    if options.model == "cells":
        trained = replace(trained, network=keep_part(trained, CELLS_KEPT))
    package(trained, training, validation, folder, **texts)
    quantise(folder, calibration_crops(training, config, drawn))
    logging.info("wrote %s", folder)


if __name__ == "__main__":
    main()
