"""Score a model of neurites: its affinities, agglomerated by every method at every threshold, against proofread bodies.

Used by `scripts.build_neurites`. A threshold is always chosen on one volume and reported on another.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from teasel.agglomeration import Agglomeration, MutexWatershed, RegionGraph
from teasel.images import open_image
from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume, read_region_graph
from teasel.inference.volume.predicting import PredictJob, measure_range, predict_tile, prepare_prediction
from teasel.labels import label_pieces, read_labels
from teasel.labels.metrics import adapted_rand, edits_to_truth, variation_of_information
from teasel.models import load_model
from teasel.representations.affinity import Affinity

FIB25 = "fib25_medulla_fibsem/{}/lower.tif"
GALA = "gala_fibsem_medulla_small/{}/train.tif"
CHOSEN_ON = "gala_fibsem_medulla_small/{}/raveler_example.tif"
"""Gala's second volume: never trained on, every threshold is chosen there."""
HELD_OUT = 93
"""First plane of FIB-25's lower half that is not trained on; four planes before it are in neither part."""
CONTEXT = 16
"""Planes before the first that are predicted and not scored: a network needs to see them."""

METHODS = {
    "mean": Agglomeration(),
    "median": Agglomeration(score="quantile", quantile=0.5),
    "quantile 0.75": Agglomeration(score="quantile", quantile=0.75),
    "mutex": MutexWatershed(),
}
THRESHOLDS = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95]

Scores = dict[str, dict[str, Any]]


def read(data: Path, pattern: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Read an image (z, y, x) and its labels; `pattern` is a path with a place for ``images`` or ``labels``."""
    pixels = open_image(data / pattern.format("images"), axes="zyx").read().astype(np.float32)
    return pixels, np.asarray(read_labels(data / pattern.format("labels"))).astype(np.int32)


def score_held_out(data: Path, model: Path, folder: Path) -> tuple[float, dict[str, Any]]:
    """Choose the threshold elsewhere, and score FIB-25's planes that were held out."""
    chosen, elsewhere = choose_threshold(data, model, folder)
    pixels, truth = read(data, FIB25)
    truth = truth[HELD_OUT:]
    place, graph = agglomerate(predict(folder / "fib25", model, pixels[HELD_OUT - CONTEXT :], CONTEXT))
    found = cuts(place, graph, truth)
    logging.info("held out: %s", {k: v["voi"] for k, v in found.items()})
    watershed = np.asarray(read_labels(data / "fib25_medulla_fibsem/labels/lower_oversegmentation.tif"))[HELD_OUT:]
    pieces = label_pieces(truth)[0].astype(np.int32)
    at = Agglomeration().build(graph).cut(chosen)[place]
    best = min(found, key=lambda k: found[k]["voi"])
    held_out = {
        "shape": list(truth.shape),
        **as_chosen(found, elsewhere),
        "mean, against connected pieces of the truth": score(pieces, at),
        f"best in hindsight ({best})": found[best],
        "best possible merging of these supervoxels": score(truth, best_merging(truth, place)),
        "watershed that came with the data": score(truth, watershed),
    }
    return chosen, {"threshold": chosen, "chosen_on": elsewhere, "held_out": held_out}


def score_gala(data: Path, model: Path, folder: Path) -> dict[str, Any]:
    """Score gala's training volume with a model that was not trained on it; the threshold is chosen elsewhere."""
    _, elsewhere = choose_threshold(data, model, folder)
    pixels, truth = read(data, GALA)
    place, graph = agglomerate(predict(folder / "gala", model, pixels, 0))
    found = cuts(place, graph, truth)
    best = min(found, key=lambda k: found[k]["voi"])
    logging.info("gala left out: %s", {k: v["voi"] for k, v in found.items()})
    row = {"shape": list(truth.shape), **as_chosen(found, elsewhere)}
    return row | {f"best in hindsight ({best})": found[best]}


def choose_threshold(data: Path, model: Path, folder: Path) -> tuple[float, Scores]:
    """Score gala's second volume; return the best threshold of mean affinity, and the best score of each method."""
    pixels, truth = read(data, CHOSEN_ON)
    found = cuts(*agglomerate(predict(folder / "elsewhere", model, pixels, 0)), truth)
    logging.info("elsewhere: %s", {k: v["voi"] for k, v in found.items()})
    best = {name: min((k for k in found if k.startswith(name)), key=lambda k: found[k]["voi"]) for name in METHODS}
    return float(best["mean"].rsplit(" ", 1)[1]), {key: found[key] for key in best.values()}


def as_chosen(found: Scores, elsewhere: Scores) -> Scores:
    """Keep each method at the threshold that was chosen elsewhere."""
    return {key: found[key] for key in elsewhere}


def predict(folder: Path, model: Path, pixels: NDArray[np.float32], first: int) -> Path:
    """Predict the affinities of planes `first` and after, as `teasel segment` does, and write them as a file."""
    folder.mkdir(parents=True)
    np.save(folder / "volume.npy", pixels)
    job = PredictJob(str(model), str(folder / "volume.npy"), "zyx", None, None, 0.0, 1.0, str(folder / "work"))
    loaded = load_model(model, threads=1)
    low, high = measure_range(job, loaded.spec.normalisation)
    job = replace(job, low=low, high=high)
    prepare_prediction(job, loaded)
    for number in range(len(job.grid)):
        predict_tile(job, str(number))
    affinities = np.asarray(zarr.open_array(job.path, mode="r")[:, first:])
    target = zarr.create_array(folder / "affinities.zarr", shape=affinities.shape, dtype="u1", chunks=(12, 32, 64, 64))
    target[...] = affinities
    return folder / "affinities.zarr"


def agglomerate(path: Path) -> tuple[NDArray[np.intp], RegionGraph]:
    """Agglomerate a file of affinities; return each voxel's place in the region graph, and the graph."""
    out = path.with_name("out.ome.zarr")
    source = AffinitySource(str(path), offsets=Affinity().offsets_volume)
    agglomerate_volume(Recipe(source, method=METHODS["median"]), out)
    graph = read_region_graph(out)
    labels = np.asarray(zarr.open_group(out, mode="r")["agglomeration/supervoxels"][...])
    return np.searchsorted(graph.ids, labels), graph


def best_merging(truth: NDArray[np.int32], pieces: NDArray[np.intp]) -> NDArray[np.int64]:
    """Give every piece the body that it shares most voxels with: no agglomeration of these pieces can do better."""
    bodies = int(truth.max()) + 1
    pairs, counts = np.unique(pieces.ravel().astype(np.int64) * bodies + truth.ravel(), return_counts=True)
    order = np.lexsort((counts, pairs // bodies))
    owner = np.zeros(int(pieces.max()) + 1, np.int64)
    owner[pairs[order] // bodies] = pairs[order] % bodies
    return owner[pieces] + 1


def score(truth: NDArray[np.int32], found: NDArray[np.integer]) -> dict[str, Any]:
    """VOI and adapted Rand error over true bodies; edits over pairs of 50 voxels or more."""
    found = np.asarray(found, np.int64)
    voi = variation_of_information(truth, found)
    edits = edits_to_truth(truth, found, least_voxels=50)
    values = {"voi_split": voi.split, "voi_merge": voi.merge, "voi": voi.total}
    values["rand_error"] = adapted_rand(truth, found).error
    return {k: round(float(v), 4) for k, v in values.items()} | {"splits": edits.splits, "merges": edits.merges}


def cuts(place: NDArray[np.intp], graph: RegionGraph, truth: NDArray[np.int32]) -> Scores:
    """Score every method at every threshold."""
    found: Scores = {}
    for name, method in METHODS.items():
        if isinstance(method, MutexWatershed):
            found[name] = score(truth, method.segments(graph)[place])
            continue
        tree = method.build(graph)
        for threshold in THRESHOLDS:
            found[f"{name} at {threshold:.2f}"] = score(truth, method.segments(graph, tree, threshold)[place])
    return found
