"""The contract of the room: what a network must predict so that objects can be read back.

Predictions and targets are *fields*: a dict from head name to a float32 array ``(channel, [z,] y, x)``. They are named
rather than stacked, because heads may live on coarser grids than the labels: a head of stride ``s`` has
``ceil(n / s)`` cells along an axis of ``n`` pixels, and cell ``i`` stands for the pixels ``s*i .. s*i + s - 1``, so its
centre lies at pixel coordinate ``s*i + (s - 1) / 2``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Decoded", "DecodedPoints", "Fields", "Head", "PointRepresentation", "Representation"]

Fields = dict[str, NDArray[np.float32]]
Spacing = Sequence[float]


@dataclass(frozen=True)
class Head:
    """One thing a network predicts for each cell of a grid.

    Parameters
    ----------
    name : str
        Key of the field.
    channels : int
        Number of values per cell.
    activation : str
        ``"sigmoid"`` for probabilities in [0, 1], ``"linear"`` for anything else. Networks in training give the value
        before the activation (logits); fields given to `decode` have it applied.
    loss : str
        Name of a loss in ``teasel.training.losses``.
    weight : float
        Weight of that loss in the sum.
    stride : int
        Pixels per grid cell along each axis.
    """

    name: str
    channels: int = 1
    activation: str = "linear"
    loss: str = "l1"
    weight: float = 1.0
    stride: int = 1


@dataclass(frozen=True)
class Decoded:
    """Objects read back from a prediction.

    Parameters
    ----------
    labels : ndarray of uint32, shape ([z,] y, x)
        0 is background; objects are 1 .. n without gaps, each connected and without holes.
    scores : ndarray of float32, shape (n,)
        ``scores[i]`` belongs to label ``i + 1``, in [0, 1].
    """

    labels: NDArray[np.uint32]
    scores: NDArray[np.float32]


class Representation(ABC):
    """A pair of functions: what each pixel should predict, and how objects are read back.

    Subclasses are frozen dataclasses; their fields are the method's only parameters. One subclass per file in this
    folder; the room finds it by itself (`teasel.representations.find`).
    """

    name: ClassVar[str]

    @abstractmethod
    def heads(self, ndim: int) -> tuple[Head, ...]:
        """List what a network must predict for images of `ndim` (2 or 3) spatial dimensions."""

    @abstractmethod
    def reach(self, ndim: int) -> int:
        """Return how many pixels of context around itself one object needs to be decoded."""

    @abstractmethod
    def encode(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """Turn labels into training targets.

        Parameters
        ----------
        labels : ndarray of int, shape ([z,] y, x)
            0 background, above 0 objects, -1 unknown (targets there are NaN: the losses ignore them).
        spacing : sequence of float, optional
            Relative voxel edge lengths, one per axis; isotropic if not given.

        Returns
        -------
        dict of str to ndarray of float32
            One ``(channel, [z,] y, x)`` array per head.
        """

    def encode_crop(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """Encode labels that were cut out of a larger image; what the cut hides may be unknown (NaN)."""
        return self.encode(labels, spacing)

    @abstractmethod
    def decode(self, prediction: Mapping[str, NDArray[np.float32]], spacing: Spacing | None = None) -> Decoded:
        """Read objects back from fields.

        Parameters
        ----------
        prediction : mapping of str to ndarray
            One ``(channel, [z,] y, x)`` array per head, activations applied.
        spacing : sequence of float, optional
            Relative voxel edge lengths, one per axis; isotropic if not given.

        Returns
        -------
        Decoded
            Labels on the grid of stride 1, and a score for each.
        """


@dataclass(frozen=True)
class DecodedPoints:
    """Points read back from a prediction.

    Parameters
    ----------
    positions_px : ndarray of float64, shape (n, ndim)
        Coordinates (z,) y, x in pixels; pixel centres are whole numbers.
    scores : ndarray of float64, shape (n,)
        Probability that the point is one, in [0, 1].
    """

    positions_px: NDArray[np.float64]
    scores: NDArray[np.float64]


class PointRepresentation(ABC):
    """The same pair with points in place of labels: what each pixel should predict, and how points are read back.

    Subclasses are frozen dataclasses, one per file in this folder, found like a `Representation`.
    """

    name: ClassVar[str]

    @abstractmethod
    def heads(self, ndim: int) -> tuple[Head, ...]:
        """List what a network must predict for images of `ndim` (2 or 3) spatial dimensions."""

    @abstractmethod
    def reach(self, ndim: int) -> int:
        """Return how many pixels of context around itself one point needs to be decoded."""

    @abstractmethod
    def encode(
        self, points: NDArray[np.floating], shape: Sequence[int], weights: NDArray[np.floating] | None = None
    ) -> Fields:
        """Turn points into training targets.

        Parameters
        ----------
        points : ndarray of float, shape (n, ndim)
            Coordinates (z,) y, x in pixels.
        shape : sequence of int
            ([z,] y, x) of the image.
        weights : ndarray of float, shape (n,), optional
            Probability that each point is one; NaN for "unknown" (targets there are NaN: the losses ignore them).

        Returns
        -------
        dict of str to ndarray of float32
            One ``(channel, [z,] y, x)`` array per head.
        """

    @abstractmethod
    def decode(self, prediction: Mapping[str, NDArray[np.float32]]) -> DecodedPoints:
        """Read points back from fields, one ``(channel, [z,] y, x)`` array per head, activations applied."""
