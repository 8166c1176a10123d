"""Which true object shares how many pixels with which predicted object: the base of most scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ShapeError
from teasel.labels.check import IGNORE, check_labels
from teasel.labels.runs import find_runs, rank_labels

__all__ = ["Overlap", "drop_ignored", "overlap"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """The sparse contingency table of two label images.

    Parameters
    ----------
    truth_ids, prediction_ids : ndarray of int64, shape (n,) and (m,)
        Labels present, ascending, without background.
    truth_area, prediction_area : ndarray of int64, shape (n,) and (m,)
        Pixels of each object.
    rows, columns : ndarray of int64, shape (k,)
        Index into `truth_ids` and `prediction_ids` of each pair of objects that share a pixel, ascending.
    pixels : ndarray of int64, shape (k,)
        Pixels that the pair shares.
    size : int
        Pixels judged, background included.
    """

    truth_ids: Ints
    prediction_ids: Ints
    truth_area: Ints
    prediction_area: Ints
    rows: Ints
    columns: Ints
    pixels: Ints
    size: int

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each pair, shape (k,)."""
        return self.pixels / (self.truth_area[self.rows] + self.prediction_area[self.columns] - self.pixels)

    @property
    def truth_on_background(self) -> Ints:
        """Pixels of each true object that no predicted object has, shape (n,)."""
        return self.truth_area - _sum_by(self.rows, self.pixels, len(self.truth_ids))

    @property
    def prediction_on_background(self) -> Ints:
        """Pixels of each predicted object that no true object has, shape (m,)."""
        return self.prediction_area - _sum_by(self.columns, self.pixels, len(self.prediction_ids))

    def joint(self, background: bool) -> tuple[Ints, Ints, Ints]:
        """Return row, column and pixels of every cell of the full table, background being one more label.

        Parameters
        ----------
        background : bool
            Whether pixels that are background in the truth count; those that are background in the prediction
            alone always do, as column m.
        """
        n, m = len(self.truth_ids), len(self.prediction_ids)
        rows, columns, pixels = [self.rows, np.arange(n)], [self.columns, np.full(n, m)], [self.pixels]
        pixels.append(self.truth_on_background)
        if background:
            rows += [np.full(m, n), np.array([n])]
            columns += [np.arange(m), np.array([m])]
            both = self.size - self.truth_area.sum() - self.prediction_on_background.sum()
            pixels += [self.prediction_on_background, np.array([both])]
        counts = np.concatenate(pixels)
        used = counts > 0
        return np.concatenate(rows)[used], np.concatenate(columns)[used], counts[used]


def overlap(truth: ArrayLike, prediction: ArrayLike) -> Overlap:
    """Count the pixels that each true and each predicted object share.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 pixels not judged.
    prediction : array_like of int, same shape
        0 background.

    Returns
    -------
    Overlap

    Raises
    ------
    ShapeError
        If the shapes differ.
    DataError
        If either is no label image (see `teasel.labels.check_labels`).

    Notes
    -----
    Pixels that the truth does not judge are taken out of both; a predicted object with more than half of its
    pixels there is taken out whole. Neighbouring pixels with the same pair of labels are counted as one run,
    so that only the runs are sorted: ids may be of any size and number.

    Examples
    --------
    >>> table = overlap([[1, 1, 0, 5]], [[7, 0, 0, 2]])
    >>> table.truth_ids, table.prediction_ids, table.iou
    (array([1, 5]), array([2, 7]), array([0.5, 1. ]))
    """
    true, predicted, size = drop_ignored(truth, prediction)
    starts, lengths = find_runs(true, predicted)
    truth_ids, i = rank_labels(true[starts])
    prediction_ids, j = rank_labels(predicted[starts])
    keys, pair = rank_labels(i * len(prediction_ids) + j)
    pixels = _sum_by(pair, lengths, len(keys))
    rows, columns = np.divmod(keys, max(len(prediction_ids), 1))
    areas = (_sum_by(i, lengths, len(truth_ids)), _sum_by(j, lengths, len(prediction_ids)))
    return _without_background((truth_ids, prediction_ids), areas, (rows, columns), pixels, size)


def drop_ignored(truth: ArrayLike, prediction: ArrayLike) -> tuple[NDArray, NDArray, int]:
    """Return both label images flat, background where the truth is -1, and the number of pixels judged.

    Predicted objects with more than half of their pixels on -1 become background everywhere.
    """
    true, predicted = _pair(truth, prediction)
    true, predicted = true.ravel(), predicted.ravel()
    if true.dtype.kind == "u" or not (ignored := true == IGNORE).any():
        return true, predicted, true.size
    ids, index = rank_labels(predicted)
    outside = np.bincount(index, ignored, minlength=len(ids))
    dropped = outside > 0.5 * np.bincount(index, minlength=len(ids))
    true = np.where(ignored, 0, true)
    predicted = np.where(ignored | dropped[index], 0, predicted)
    return true, predicted, int(true.size - ignored.sum())


def _pair(truth: ArrayLike, prediction: ArrayLike) -> tuple[NDArray, NDArray]:
    """Check two label images that are to be compared."""
    true = check_labels(truth, "truth")
    predicted = check_labels(prediction, "prediction", ignore=False)
    if true.shape != predicted.shape:
        raise ShapeError(f"truth has shape {true.shape}, prediction {predicted.shape}; expected the same")
    return true, predicted


def _sum_by(index: Ints, values: Ints, n: int) -> Ints:
    """Add up `values` by `index`; exact to 2**53 pixels."""
    return np.bincount(index, values, minlength=n).astype(np.int64)


def _without_background(
    ids: tuple[Ints, Ints], areas: tuple[Ints, Ints], pairs: tuple[Ints, Ints], pixels: Ints, size: int
) -> Overlap:
    """Leave label 0 out of a full contingency table, and renumber its rows and columns."""
    objects = [side != 0 for side in ids]
    rank = [np.cumsum(side) - 1 for side in objects]
    both = objects[0][pairs[0]] & objects[1][pairs[1]]
    return Overlap(
        truth_ids=ids[0][objects[0]].astype(np.int64),
        prediction_ids=ids[1][objects[1]].astype(np.int64),
        truth_area=areas[0][objects[0]],
        prediction_area=areas[1][objects[1]],
        rows=rank[0][pairs[0][both]],
        columns=rank[1][pairs[1][both]],
        pixels=pixels[both],
        size=size,
    )
