"""Augmentations: how images of the same truth differ.

Each takes a `Sample` (image crop and labels) and a random generator and gives a new sample of the same
shape; the input is never changed. Rotation by any angle, scaling and elastic warps belong to the sampler of
crops, which does them once while it reads. `standard` is the list models are trained with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.training.augment._base import Augmentation, Compose, Sample
from teasel.training.augment.blobs import Blobs
from teasel.training.augment.blur import Blur
from teasel.training.augment.blurred_sections import BlurredSections
from teasel.training.augment.channels import Channels
from teasel.training.augment.contrast_brightness import ContrastBrightness
from teasel.training.augment.copy_paste import CopyPaste
from teasel.training.augment.counterstain import Counterstain
from teasel.training.augment.dark_sections import DarkSections
from teasel.training.augment.elastic import Elastic
from teasel.training.augment.flips_rotations import FlipsRotations
from teasel.training.augment.fourier_swap import FourierSwap, low_amplitudes
from teasel.training.augment.gamma import Gamma
from teasel.training.augment.histogram_matching import HistogramMatching, quantiles
from teasel.training.augment.hot_pixels import HotPixels
from teasel.training.augment.illumination import Illumination
from teasel.training.augment.instance_jitter import InstanceJitter
from teasel.training.augment.inversion import Inversion
from teasel.training.augment.jpeg import Jpeg
from teasel.training.augment.missing_sections import MissingSections
from teasel.training.augment.mosaic import mosaic
from teasel.training.augment.noise import Noise
from teasel.training.augment.resample import Resample
from teasel.training.augment.section import section
from teasel.training.augment.shifted_sections import ShiftedSections

__all__ = [
    "Augmentation",
    "Blobs",
    "Blur",
    "BlurredSections",
    "Channels",
    "Compose",
    "ContrastBrightness",
    "CopyPaste",
    "Counterstain",
    "DarkSections",
    "Elastic",
    "FlipsRotations",
    "FourierSwap",
    "Gamma",
    "HistogramMatching",
    "HotPixels",
    "Illumination",
    "InstanceJitter",
    "Inversion",
    "Jpeg",
    "MissingSections",
    "Noise",
    "Resample",
    "Sample",
    "ShiftedSections",
    "low_amplitudes",
    "mosaic",
    "quantiles",
    "section",
    "serial_sections",
    "standard",
]


def standard(references: Sequence[NDArray[np.float32]] = (), *, roles: bool = False) -> Compose:
    """Return the augmentations that models are trained with, in the order in which light meets them.

    Pose and objects first, then stain and light, then optics, then camera, then the file.

    Parameters
    ----------
    references : sequence of ndarray of float32, shape (c, [z,] y, x)
        Other normalised images whose histogram and coarse light samples may take on; without them both are
        random.
    roles : bool
        Channels differ in kind and keep their places, and no image is a colour picture.

    Returns
    -------
    Compose
        Takes and gives a `Sample`.

    Examples
    --------
    >>> import numpy as np
    >>> sample = Sample(np.zeros((1, 64, 64), np.float32), np.zeros((64, 64), np.int32))
    >>> standard()(sample, np.random.default_rng(0)).image.shape
    (1, 64, 64)
    """
    colours: tuple[Augmentation, ...] = () if roles else (Counterstain(), Channels())
    return Compose(
        (
            FlipsRotations(),
            CopyPaste(),
            InstanceJitter(),
            Blobs(),
            Inversion(),
            *colours,
            HistogramMatching(references=tuple(quantiles(image) for image in references)),
            FourierSwap(references=tuple(low_amplitudes(image) for image in references)),
            Gamma(),
            ContrastBrightness(),
            Illumination(),
            Blur(),
            Resample(),
            Noise(),
            HotPixels(),
            Jpeg(),
        )
    )


def serial_sections(*, isotropic: bool = False) -> Compose:
    """Return the augmentations for volumes of electron microscopy: bent tissue, light and noise, faults of sections.

    Parameters
    ----------
    isotropic : bool
        The volume was milled, not cut (FIB-SEM): tissue bends along all axes, not within planes only.

    Returns
    -------
    Compose
        Takes and gives a `Sample`.
    """
    return Compose(
        (
            Elastic(within_planes=not isotropic),
            Gamma(probability=0.3),
            ContrastBrightness(probability=0.5),
            DarkSections(),
            BlurredSections(),
            MissingSections(),
            ShiftedSections(),
            Blur(probability=0.1),
            Noise(probability=0.3),
        )
    )
