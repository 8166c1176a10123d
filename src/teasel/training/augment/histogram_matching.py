"""Histogram matching: the same scene under another camera's curve."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.training.augment._base import Augmentation, Range, Sample, uniform
from teasel.training.augment._fields import apply_curve

__all__ = ["HistogramMatching", "quantiles"]

#: Levels at which histograms are compared: denser at the bright end, where the objects of dark images are.
_LEVELS = np.array([0.01, 0.15, 0.4, 0.65, 0.85, 0.95, 0.998], np.float32)


@dataclass(frozen=True)
class HistogramMatching(Augmentation):
    """Bend intensities along a monotone curve: towards the histogram of another image, or a random one.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    strength : tuple of float
        Range of the share of the way that is gone.
    slope : tuple of float
        Least and largest slope of the curve, so that contrast is neither lost nor noise blown up.
    references : tuple of ndarray
        Histograms of other images, each as `quantiles` gives it; without them, curves are random.
    """

    probability: float = 0.15
    strength: Range = (0.3, 1.0)
    slope: Range = (0.3, 3.0)
    references: tuple[NDArray[np.float32], ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        for reference in self.references:
            if reference.shape != _LEVELS.shape or np.any(np.diff(reference) < 0):
                raise ParameterError(
                    f"reference of shape {reference.shape} is no sorted (7,); give what quantiles() returns"
                )

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample bent along one curve for all channels, so that colours keep their balance."""
        x, y = self._towards_reference(sample, rng) if self.references else _random_curve(rng)
        slopes = np.clip(np.diff(y) / np.diff(x), *self.slope)
        strength = uniform(rng, self.strength)
        slopes = strength * slopes + (1 - strength)
        start = strength * y[0] + (1 - strength) * x[0]
        bent = np.concatenate([[0], np.cumsum(slopes * np.diff(x))]) + start
        return replace(sample, image=apply_curve(sample.image, x, bent.astype(np.float32)))

    def _towards_reference(
        self, sample: Sample, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return own quantiles, made strictly increasing, and those of a reference drawn by chance."""
        own = quantiles(sample.image) + np.linspace(0, 0.01, len(_LEVELS), dtype=np.float32)
        reference = self.references[rng.integers(len(self.references))]
        middle = len(_LEVELS) // 2
        if (own[middle] > 0.5) != (reference[middle] > 0.5):
            # Dark objects on a bright ground never have the histogram of bright objects on a dark one:
            # mirror it.
            reference = 1 - reference[::-1]
        return own, reference


def quantiles(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the quantiles of an image that serve as a reference, from every fourth pixel along y and x.

    Parameters
    ----------
    image : ndarray of float32, shape (c, [z,] y, x)
        Normalised intensities.

    Returns
    -------
    ndarray of float32, shape (7,)
        Sorted.

    Examples
    --------
    >>> import numpy as np
    >>> quantiles(np.linspace(0, 1, 4096, dtype=np.float32).reshape(1, 64, 64)).shape
    (7,)
    """
    return np.quantile(image[..., ::4, ::4], _LEVELS).astype(np.float32)


def _random_curve(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return knots of a random monotone curve from (0, 0) to (1, 1)."""
    steps = rng.gamma(2.0, size=len(_LEVELS) - 1)
    y = np.concatenate([[0], np.cumsum(steps / steps.sum())])
    return np.linspace(0, 1, len(_LEVELS), dtype=np.float32), y.astype(np.float32)
