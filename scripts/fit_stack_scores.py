"""Fit the logistic model behind the scores of objects in stacks, on simulated stacks of nuclei.

    python -m scripts.fit_stack_scores                 # 24 stacks, about ten minutes on one core

Prints the weights for `teasel.inference.belief`, and how a model fitted on one half of the stacks does on the other. Of
four stacks, three are looked at by `nuclei-fast` and one by `nuclei`.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.simulated_stacks import simulate_stack
from teasel.images import open_image
from teasel.inference.belief import FEATURES
from teasel.inference.part import find_diameter, open_part
from teasel.inference.resample import labels_to
from teasel.inference.scale import network_scale
from teasel.inference.solid import find_candidates
from teasel.inference.stack import Stack
from teasel.models import Model, load_model
from teasel.training.scores import fit_logistic

MODELS = ("nuclei-fast", "nuclei-fast", "nuclei-fast", "nuclei")
SHRINKAGE = 2.0
"""Weight of the squared sizes of the weights, on features of unit variance."""

Rows = list[tuple[NDArray[np.float64], NDArray[np.bool_]]]


def main() -> None:
    """Measure, fit, print."""
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("--stacks", type=int, default=24)
    options.add_argument("--threads", type=int, default=1)
    arguments = options.parse_args()
    models = {name: load_model(name, threads=arguments.threads) for name in set(MODELS)}
    rows = [observe(seed, models[MODELS[seed % len(MODELS)]]) for seed in range(arguments.stacks)]
    for mine, other in ((rows[::2], rows[1::2]), (rows[1::2], rows[::2])):
        print("held out:", judge(fit(mine), other))
    intercept, weights = fit(rows)
    print("INTERCEPT =", float(f"{intercept:.4g}"))
    print("WEIGHTS =", tuple(float(f"{weight:.4g}") for weight in weights), FEATURES)


def observe(seed: int, model: Model) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the features of each candidate of a stack, and whether it is a true object by an IoU of at least 0.5."""
    made = simulate_stack(seed)
    part = open_part(open_image(made.image, axes="zyx"), {}, (), model, made.anisotropy)
    assert isinstance(part, Stack)
    scale = network_scale(find_diameter(model, part) or model.spec.object_diameter_px, model)
    volume = part.read(slice(None), slice(None), slice(None))
    found = find_candidates(model, volume, (scale * made.anisotropy, scale, scale))
    labels = labels_to(found.labels, found.foreground, made.labels.shape)
    shared = np.zeros((len(found.features) + 1, made.labels.max() + 1))
    np.add.at(shared, (labels.ravel(), made.labels.ravel()), 1)
    either = shared.sum(1, keepdims=True) + shared.sum(0, keepdims=True) - shared
    iou = shared[1:, 1:] / np.maximum(either[1:, 1:], 1)
    print(f"stack {seed}: {len(iou)} candidates by {model.name}", flush=True)
    return found.features, iou.max(1, initial=0) >= 0.5


def fit(rows: Rows) -> tuple[float, NDArray[np.float64]]:
    """Return intercept and weights."""
    features, good = (np.concatenate(part) for part in zip(*rows, strict=True))
    intercept, *weights = fit_logistic(features, good, ridge=2 * SHRINKAGE)
    return intercept, np.array(weights)


def judge(model: tuple[float, NDArray[np.float64]], rows: Rows) -> str:
    """Say how well scores tell good candidates from bad, and how near they are to probabilities (8 equal shares)."""
    features, good = (np.concatenate(part) for part in zip(*rows, strict=True))
    scores = 1 / (1 + np.exp(-(features @ model[1] + model[0])))
    n = good.sum()
    area = (rankdata(scores)[good].sum() - n * (n + 1) / 2) / (n * (~good).sum())
    shares = np.array_split(np.argsort(scores), 8)
    error = sum(abs(scores[share].mean() - good[share].mean()) * len(share) for share in shares) / len(scores)
    return f"{len(good)} candidates, {good.mean():.3f} good; area under the curve {area:.3f}, calibration {error:.3f}"


if __name__ == "__main__":
    main()
