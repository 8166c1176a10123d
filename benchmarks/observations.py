"""What is observed without labels, beside the true score: images as they are, corrupted, and of kinds left out."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record
from benchmarks.corruptions import CORRUPTIONS
from teasel.appraisal.observation import FEATURES, observe
from teasel.appraisal.predictor import Predictor, fit_predictor
from teasel.inference import Plane, segment_plane
from teasel.inference.scale import network_scale
from teasel.labels.metrics.matching import match
from teasel.models import Model, load_model
from teasel.training.data import Item, find_pairs, read_items

SETS = ("dsb2018_stage1_train", "bbbc039", "bitdepth_nucseg")
SHIPPED = ("nuclei", "nuclei-fast", "cells")
RUNS = record.CHECKOUT / ".runs" / "trust"


@dataclass(frozen=True)
class Row:
    """One image as one model sees it."""

    model: str
    group: str
    set: str
    corruption: str
    features: NDArray[np.float64]
    style: NDArray[np.float64]
    ap: float
    objects: int


def observe_items(model: Model, items: list[Item], corruptions: int, *, left_out: bool = False) -> list[Row]:
    """Observe images whole and under some corruptions each; what was observed before is read back."""
    folder = RUNS / model.name / model.digest[:12]
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for item in items:
        for corruption in ("none", *_chosen(item.name, corruptions)):
            path = folder / f"{item.name.replace('/', '-')}.{corruption}.json"
            if not path.exists():
                path.write_text(json.dumps(_observe(model, item, corruption)))
            values: dict[str, Any] = json.loads(path.read_text())
            which = item.name.split("/")[0]
            rows.append(
                Row(
                    model.name,
                    item.name,
                    f"{which} (left out)" if left_out else which,
                    corruption,
                    np.array(values["features"]),
                    np.array(values["style"]),
                    values["ap"],
                    values["objects"],
                )
            )
        logging.info("%s: %s", model.name, item.name)
    return rows


def _chosen(name: str, count: int) -> Iterator[str]:
    """Draw some corruptions by the image's name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    yield from (list(CORRUPTIONS)[k] for k in rng.permutation(len(CORRUPTIONS))[:count])


def _observe(model: Model, item: Item, corruption: str) -> dict[str, Any]:
    image = item.image
    if corruption != "none":
        rng = np.random.default_rng(zlib.crc32(f"{item.name} {corruption}".encode()))
        image = CORRUPTIONS[corruption](image, rng)
    plane = Plane.of_array(image, model.spec.normalisation, apart=bool(model.spec.roles))
    seen = observe(model, plane)
    diameter = seen.diameter_px or model.spec.object_diameter_px
    found = segment_plane(model, plane, network_scale(diameter, model)).labels
    matching = match(item.labels, found)
    return {
        "features": seen.features.tolist(),
        "style": seen.style.tolist(),
        "ap": float(matching.accuracy),
        "objects": matching.tp + matching.fn,
    }


def fit(rows: list[Row]) -> Predictor:
    """Fit a predictor on observations; versions of one image stay together."""
    groups = np.array([zlib.crc32(row.group.encode()) for row in rows])
    return fit_predictor(FEATURES, np.array([r.features for r in rows]), np.array([r.ap for r in rows]), groups)


def like(rows: list[Row], model: str) -> list[Row]:
    """Return the observations that the parameters of a model are fitted on: those of models of the same objects.

    The general parameters (an empty name) are fitted on all of nuclei, also by the network that has not seen the kind.
    With those of whole cells, they order nuclei of an unknown kind worse (Spearman 0.35 in place of 0.45).
    """
    alike = [row for row in rows if (row.model == "cells") == (model == "cells")]
    return [row for row in alike if not model or row.model in SHIPPED]


def read_validation(data: Path, names: tuple[str, ...]) -> list[Item]:
    """Read validation images of some folders, named after their kind."""
    from scripts.build_models import by_modality

    pairs = {name: [pair for pair in find_pairs(data / name) if pair.split == "val"] for name in names}
    return by_modality([item for name, mine in pairs.items() for item in read_items(mine, name)], data)


def collect(data: Path) -> list[Row]:
    """Observe everything: the shipped models on validation images, and one model on a kind it has never seen."""
    from benchmarks.bases import without
    from scripts.cell_sets import read_cell_sets

    items = read_validation(data, SETS)
    rows = observe_items(load_model("nuclei-fast", threads=1), items, 2)
    rows += observe_items(load_model("nuclei", threads=1), items[::2], 2)
    rows += observe_items(load_model("cells", threads=1), read_cell_sets(data, training=False).validation, 1)
    base = load_model(without("bitdepth", data), threads=1)
    return rows + observe_items(base, read_all(data, "bitdepth_nucseg"), 1, left_out=True)


def read_all(data: Path, name: str) -> list[Item]:
    """Read every image of a folder, whatever part of the split it is in."""
    return list(read_items(find_pairs(data / name), name))
