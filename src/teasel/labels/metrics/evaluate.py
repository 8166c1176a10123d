"""All scores of predicted labels against the truth: arrays, files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError, ShapeError
from teasel.labels.check import check_labels
from teasel.labels.files import read_labels
from teasel.labels.metrics.bootstrap import Interval, resample_sums
from teasel.labels.metrics.evaluation import Evaluation, ImageScores
from teasel.labels.metrics.matching import THRESHOLDS
from teasel.labels.metrics.measures import Measure, Tallies, list_measures, tally_image
from teasel.labels.metrics.pairing import label_stem, pair_files

__all__ = ["evaluate"]

PathLike = str | os.PathLike[str]
Labels = PathLike | NDArray | Sequence[PathLike] | Sequence[ArrayLike]
Progress = Callable[[int, int], None]


def evaluate(
    truth: Labels,
    prediction: Labels,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    bootstrap: int = 0,
    seed: int = 0,
    boundary_px: float = 2,
    progress: Progress | None = None,
) -> Evaluation:
    """Score predicted labels against the truth.

    Parameters
    ----------
    truth, prediction : path-like, ndarray of int, or a list of either
        Both of one kind. Two files are a pair whatever their names; the label files of two folders are paired
        by name, ``a.tif`` with ``a.labels.tif``, ``a_mask.png`` and the like; lists are paired by position.
        Label images have 0 for background, and in the truth -1 for pixels that nobody has judged.
    thresholds : sequence of float
        IoU thresholds in (0, 1], each once.
    bootstrap : int
        Draws of images for 95 % intervals; 0 for none, 2000 is plenty.
    seed : int
        Seed of the draws.
    boundary_px : float
        Tolerance of the boundary scores in pixels, 0 or more.
    progress : callable, optional
        Called as ``progress(done, total)`` after each image.

    Returns
    -------
    Evaluation
        Scores of each image, pooled over all, and averaged over images. ``docs/metrics.md`` defines each.

    Raises
    ------
    InputNotFound
        If a path does not exist.
    ParameterError
        If files have no partner (the message lists them), or a threshold is out of range or double.
    ShapeError
        If the two images of a pair differ in shape (the message names both), or there are none.
    DataError, FormatError
        If one is no label image.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1, 1, 1, 0, 2, 2, 2]])
    >>> prediction = np.array([[5, 5, 5, 0, 0, 6, 6]])
    >>> result = evaluate(truth, prediction, thresholds=[0.5, 0.75])
    >>> result.pooled["ap@0.5"], result.pooled["f1@0.75"]
    (1.0, 0.5)
    """
    levels = _check_thresholds(thresholds)
    rows: list[tuple[str, Tallies]] = []
    pairs = _list_pairs(truth, prediction)
    for name, true, predicted in pairs:
        rows.append((name, _tally_pair(true, predicted, levels, boundary_px)))
        if progress is not None:
            progress(len(rows), len(pairs))
    return _summarise(rows, levels, bootstrap=bootstrap, seed=seed, boundary_px=boundary_px)


def _check_thresholds(thresholds: Sequence[float]) -> tuple[float, ...]:
    levels = tuple(sorted(float(t) for t in thresholds))
    if not levels or len(set(levels)) != len(levels) or not 0 < levels[0] <= levels[-1] <= 1:
        raise ParameterError(f"IoU thresholds {list(thresholds)}; expected numbers above 0 and at most 1, each once")
    return levels


def _list_pairs(truth: Labels, prediction: Labels) -> list[tuple[str, Any, Any]]:
    """Return name, truth and prediction of each pair, as paths or arrays."""
    if isinstance(truth, str | os.PathLike) and isinstance(prediction, str | os.PathLike):
        return list(pair_files(Path(truth), Path(prediction)))
    single = [isinstance(side, str | os.PathLike | np.ndarray) for side in (truth, prediction)]
    if all(single):
        return [("image", truth, prediction)]
    if any(single):
        raise ParameterError("truth and prediction: one is a list and the other is not; expected two of a kind")
    if len(truth) != len(prediction) or not len(truth):  # type: ignore[arg-type]
        raise ShapeError(f"{len(truth)} true and {len(prediction)} predicted images; expected as many, at least 1")  # type: ignore[arg-type]
    names = [_name_of(side, index) for index, side in enumerate(truth)]  # type: ignore[arg-type]
    return list(zip(names, truth, prediction, strict=True))  # type: ignore[arg-type]


def _name_of(side: Any, index: int) -> str:
    return label_stem(Path(side)) if isinstance(side, str | os.PathLike) else str(index)


def _tally_pair(truth: Any, prediction: Any, levels: tuple[float, ...], boundary_px: float) -> Tallies:
    """Read the two images of a pair, check them, and compute what they add."""
    true, predicted = _load(truth, "truth"), _load(prediction, "prediction")
    if true.shape != predicted.shape:
        names = [
            str(side) if isinstance(side, str | os.PathLike) else kind
            for side, kind in ((truth, "truth"), (prediction, "prediction"))
        ]
        raise ShapeError(
            f"{names[0]} has shape {true.shape}, {names[1]} has shape {predicted.shape}; expected the same pixels"
        )
    return tally_image(true, predicted, levels, boundary_px)


def _load(side: Any, kind: str) -> NDArray[np.integer]:
    return read_labels(side) if isinstance(side, str | os.PathLike) else check_labels(side, kind)


def _summarise(
    rows: list[tuple[str, Tallies]], levels: tuple[float, ...], *, bootstrap: int, seed: int, boundary_px: float
) -> Evaluation:
    """Read all scores off the tallies of all images."""
    measures = list_measures(levels)
    images = tuple(ImageScores(name, _read(measures, tallies)) for name, tallies in rows)
    totals = {key: type(tally).pool(tallies[key] for _, tallies in rows) for key, tally in rows[0][1].items()}
    pooled = _read(measures, totals)
    table = np.array([[image.scores[m.name] for m in measures] for image in images])  # (n_images, n_measures)
    mean = {m.name: _mean(table[:, k]) for k, m in enumerate(measures)}
    intervals: tuple[dict[str, Interval], dict[str, Interval]] = ({}, {})
    if bootstrap:
        drawn = _resample_tallies([tallies for _, tallies in rows], bootstrap, seed)
        pooled_draws = {m.name: np.asarray(m.read(drawn), float) for m in measures}
        mean_draws = dict(zip(pooled, _resample_means(table, bootstrap, seed).T, strict=True))
        intervals = (_intervals(pooled, pooled_draws), _intervals(mean, mean_draws))
    return Evaluation(images, pooled, mean, levels, *intervals, bootstrap, seed, boundary_px)


def _read(measures: list[Measure], tallies: Mapping[str, Any]) -> dict[str, float]:
    return {measure.name: float(measure.read(tallies)) for measure in measures}


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _resample_tallies(rows: list[Tallies], n: int, seed: int) -> dict[str, Any]:
    """Return the tallies of drawn images, summed: fields are arrays of one value per draw."""
    matrix = np.array([[value for tally in row.values() for value in tally.sums()] for row in rows], float)
    columns = iter(resample_sums(matrix, n, seed).T)
    return {key: type(tally)(*(next(columns) for _ in tally.sums())) for key, tally in rows[0].items()}


def _resample_means(table: NDArray[np.float64], n: int, seed: int) -> NDArray[np.float64]:
    """Return the mean of each score over drawn images, undefined ones left out, shape (n, n_measures)."""
    known = ~np.isnan(table)
    sums = resample_sums(np.concatenate([np.where(known, table, 0), known], axis=1), n, seed)
    totals, counts = np.split(sums, 2, axis=1)
    return np.divide(totals, counts, out=np.full_like(totals, np.nan), where=counts > 0)


def _intervals(values: dict[str, float], draws: dict[str, NDArray[np.float64]]) -> dict[str, Interval]:
    return {name: Interval.of(value, draws[name]) for name, value in values.items()}
