"""The contract of the room: one sample in, one changed sample out, with a stated probability."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError

__all__ = ["Augmentation", "Compose", "Range", "Sample", "log_uniform", "uniform"]

Range = tuple[float, float]


@dataclass(frozen=True)
class Sample:
    """An image crop and its truth.

    Parameters
    ----------
    image : ndarray of float32, shape (c, [z,] y, x)
        Intensities normalised to about [0, 1] (percentiles 1 and 99.8); single values may lie outside.
    labels : ndarray of int32, shape ([z,] y, x)
        0 background, above 0 objects, -1 unknown. Tables as long as the largest id are built: keep ids small.
    colour : bool
        True if the three channels are the red, green and blue of one colour picture (stained tissue), rather
        than separate stains or a grey image copied three times.
    """

    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    colour: bool = False

    def __post_init__(self) -> None:
        if self.labels.ndim not in (2, 3) or self.image.shape[1:] != self.labels.shape:
            raise ShapeError(
                f"image of shape {self.image.shape} and labels of shape {self.labels.shape} do not belong "
                "together; expected (c, [z,] y, x) and ([z,] y, x)"
            )
        if self.image.dtype != np.float32 or self.labels.dtype != np.int32:
            raise ShapeError(
                f"image is {self.image.dtype}, labels are {self.labels.dtype}; convert to float32 and int32"
            )
        if self.colour and self.image.shape[0] != 3:
            raise ShapeError(f"a colour image has 3 channels, not {self.image.shape[0]}; set colour=False")


@dataclass(frozen=True)
class Augmentation(ABC):
    """One way in which images of the same truth differ; subclasses are frozen dataclasses, one per file.

    Parameters
    ----------
    probability : float
        How often a sample is changed, in [0, 1].
    """

    probability: float = 1.0

    #: Whether `apply` may change labels; every other augmentation hands the same labels on.
    changes_labels: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ParameterError(f"{type(self).__name__}: probability is {self.probability}; expected 0 .. 1")

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Change the sample with the stated probability; the input arrays are never written to."""
        return self.apply(sample, rng) if rng.random() < self.probability else sample

    @abstractmethod
    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return a changed sample of the same shape."""


@dataclass(frozen=True)
class Compose:
    """Several augmentations, one after the other.

    Parameters
    ----------
    augmentations : sequence of Augmentation
        In the order in which they are applied.
    """

    augmentations: Sequence[Augmentation]

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Pass the sample through all augmentations."""
        for augmentation in self.augmentations:
            sample = augmentation(sample, rng)
        return sample


def uniform(rng: np.random.Generator, bounds: Range) -> float:
    """Draw evenly from a range."""
    return float(rng.uniform(*bounds))


def log_uniform(rng: np.random.Generator, bounds: Range) -> float:
    """Draw from a range of positive numbers so that halving is as likely as doubling."""
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))
