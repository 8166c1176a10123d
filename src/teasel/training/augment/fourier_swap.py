"""Fourier swap: the coarse light and shade of another image, with the own objects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.training.augment._base import Augmentation, Range, Sample, log_uniform, uniform

__all__ = ["FourierSwap", "low_amplitudes"]

#: Amplitudes of references are kept for this many cycles per image in each direction.
_CYCLES = 16


@dataclass(frozen=True)
class FourierSwap(Augmentation):
    """Replace the amplitudes of the lowest frequencies by those of another image, keeping the phases.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    beta : tuple of float
        Range of the highest frequency that is changed, as a share of the shorter side of the plane.
    strength : tuple of float
        Range of the share of the way that is gone.
    references : tuple of ndarray
        Amplitudes of other images, each as `low_amplitudes` gives it; without them, own amplitudes are
        halved to doubled at random.

    References
    ----------
    Yang and Soatto, FDA: Fourier domain adaptation for semantic segmentation, CVPR (2020),
    doi 10.1109/CVPR42600.2020.00414.
    """

    probability: float = 0.15
    beta: Range = (0.01, 0.05)
    strength: Range = (0.2, 0.7)
    references: tuple[NDArray[np.float32], ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        side = 2 * _CYCLES + 1
        for reference in self.references:
            if reference.shape != (side, side):
                raise ParameterError(
                    f"a reference has shape {reference.shape}, not {(side, side)}; give low_amplitudes(image)"
                )

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with the low frequencies of each channel changed."""
        y, x = sample.image.shape[-2:]
        reach = int(np.clip(round(uniform(rng, self.beta) * min(y, x)), 1, min(_CYCLES, (min(y, x) - 1) // 2)))
        rows, columns = _waves(y, reach), _waves(x, reach)
        own = rows @ sample.image @ columns.T / np.float32(y * x)  # (c, [z,] 2 reach + 1, 2 reach + 1)
        amplitude = np.abs(own)
        target = self._target(amplitude, reach, rng)
        strength = uniform(rng, self.strength)
        # The mean stays: brightness has augmentations of its own.
        target[..., reach, reach] = amplitude[..., reach, reach]
        change = own / np.maximum(amplitude, 1e-6) * ((target - amplitude) * strength)
        added = (rows.conj().T @ change.astype(np.complex64) @ columns.conj()).real
        return replace(sample, image=sample.image + added)

    def _target(self, amplitude: NDArray[np.float32], reach: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the wanted amplitudes, equal for a frequency and its opposite so that the result is real."""
        if self.references:
            reference = self.references[rng.integers(len(self.references))]
            middle = slice(_CYCLES - reach, _CYCLES + reach + 1)
            # Images are as bright as they are: take the shape of the spectrum, no stronger than
            # the own.
            wanted = reference[middle, middle].copy()
            own_energy = np.sqrt((amplitude**2).mean(axis=0).sum() - (amplitude[..., reach, reach] ** 2).mean())
            wanted[reach, reach] = 0
            energy = max(float(np.sqrt((wanted**2).sum())), 1e-6)
            wanted *= min(1.0, float(own_energy) / energy)
            return np.broadcast_to(wanted, amplitude.shape).copy()
        factor = np.array([log_uniform(rng, (0.5, 2.0)) for _ in range((2 * reach + 1) ** 2)], np.float32)
        factor = factor.reshape(2 * reach + 1, -1)
        return amplitude * np.sqrt(factor * factor[::-1, ::-1])


def low_amplitudes(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the amplitudes of the lowest frequencies that serve as a reference, averaged over channels.

    Parameters
    ----------
    image : ndarray of float32, shape (c, [z,] y, x)
        Normalised intensities, at least 34 pixels along y and x.

    Returns
    -------
    ndarray of float32, shape (33, 33)
        Amplitude per pixel for -16 .. 16 cycles along y and x.

    Examples
    --------
    >>> import numpy as np
    >>> low_amplitudes(np.ones((1, 64, 64), np.float32)).shape
    (33, 33)
    """
    y, x = image.shape[-2:]
    transform = _waves(y, _CYCLES) @ image @ _waves(x, _CYCLES).T / np.float32(y * x)
    return np.abs(transform).reshape(-1, *transform.shape[-2:]).mean(axis=0).astype(np.float32)


def _waves(n: int, reach: int) -> NDArray[np.complex64]:
    """Return the rows -reach .. reach of the Fourier matrix of length n."""
    cycles = np.arange(-reach, reach + 1)[:, None] * np.arange(n)[None, :]
    return np.exp(-2j * np.pi * cycles / n).astype(np.complex64)
