"""Does a model find the same objects when the image is changed in ways that change no object?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.inference.predict import predict
from teasel.inference.resample import resize
from teasel.labels.metrics.matching import match
from teasel.models import Model
from teasel.representations import Fields

__all__ = ["VIEWS", "Seen", "consistency", "look"]

Floats = NDArray[np.float32]
IOU = 0.5


@dataclass(frozen=True)
class Seen:
    """What a model finds in a piece of an image, on the network's grid.

    Parameters
    ----------
    labels : ndarray of uint32, shape (y, x)
        Objects 1 .. n.
    scores : ndarray of float32, shape (n,)
        One per object.
    fields : dict of str to ndarray
        What the network predicts.
    """

    labels: NDArray[np.uint32]
    scores: NDArray[np.float32]
    fields: Fields


@dataclass(frozen=True)
class View:
    """A change of the image, and the way back for labels."""

    change: Callable[[Floats], Floats]
    undo: Callable[[NDArray[np.uint32], tuple[int, int]], NDArray[np.uint32]]


def look(model: Model, piece: Floats) -> Seen:
    """Find the objects of a piece of an image.

    Parameters
    ----------
    model : Model
        A loaded model.
    piece : ndarray of float32, shape (c, y, x)
        Normalised and at the model's object size.
    """
    fields = predict(model, piece)
    decoded = model.spec.representation.decode(fields)
    return Seen(decoded.labels, decoded.scores, fields)


def consistency(
    model: Model, piece: Floats, labels: NDArray[np.uint32], views: Sequence[str] | None = None
) -> dict[str, float]:
    """Measure how far objects stay the same under each of `VIEWS`.

    Parameters
    ----------
    model : Model
        A loaded model.
    piece : ndarray of float32, shape (c, y, x)
        Normalised and at the model's object size.
    labels : ndarray of uint32, shape (y, x)
        What the model finds in it unchanged, as `look` says.
    views : sequence of str, optional
        Which changes; all if not given.

    Returns
    -------
    dict of str to float
        For each view the average precision at IoU 0.5 between the objects found with and without the change, in
        [0, 1]; 1 where neither finds any.

    References
    ----------
    Model ranking without labels by prediction consistency: arXiv:2503.00450.
    """
    shape = (labels.shape[0], labels.shape[1])
    found = {}
    for name in VIEWS if views is None else views:
        view = VIEWS[name]
        other = view.undo(look(model, view.change(piece)).labels, shape)
        found[name] = float(match(labels, other, IOU).accuracy)
    return found


def _scaled(factor: float) -> View:
    """Resize by a factor."""

    def change(piece: Floats) -> Floats:
        height, width = (max(16, round(n * factor)) for n in piece.shape[1:])
        return resize(piece, (height, width))

    def undo(labels: NDArray[np.uint32], shape: tuple[int, int]) -> NDArray[np.uint32]:
        grids = ((np.arange(n) + 0.5) * m / n for n, m in zip(shape, labels.shape, strict=True))
        return labels[
            np.ix_(*(np.minimum(grid.astype(int), m - 1) for grid, m in zip(grids, labels.shape, strict=True)))
        ]

    return View(change, undo)


def _noisy(piece: Floats) -> Floats:
    """Add noise of a twentieth of the intensity range; the same each time."""
    noise = np.random.default_rng(0).standard_normal(piece.shape, np.float32)
    return (piece + np.float32(0.05) * noise).astype(np.float32)


def _same(labels: NDArray[np.uint32], shape: tuple[int, int]) -> NDArray[np.uint32]:
    return labels


VIEWS = {
    "turned": View(
        lambda piece: np.ascontiguousarray(piece[:, ::-1].swapaxes(1, 2)),
        lambda labels, shape: np.ascontiguousarray(labels.swapaxes(0, 1)[::-1]),
    ),
    "smaller": _scaled(0.8),
    "larger": _scaled(1.25),
    "brighter": View(lambda piece: (np.clip(piece, 0, None) ** np.float32(0.7)).astype(np.float32), _same),
    "noisy": View(_noisy, _same),
}
"""Changes that leave every object where it is: pose, size, curve of the camera, noise."""
