"""Unstained cells as a microscope shows them: phase contrast, differential interference contrast, bright field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from teasel.training.simulation.anatomy import Anatomy
from teasel.training.simulation.camera import expose
from teasel.training.simulation.fields import Floats, blur, rough_field
from teasel.training.simulation.lamp import dust_rings, slope_along, uneven
from teasel.training.simulation.thickness import debris, optical_path

__all__ = ["BrightField", "InterferenceContrast", "PhaseContrast"]

Range = tuple[float, float]


@dataclass(frozen=True)
class PhaseContrast:
    """Zernike's phase contrast: the undiffracted light is dimmed and delayed by a quarter wave.

    The ring in the objective is wider than the undiffracted light, so it also meets light diffracted by less than a
    cell's width. Taking a blurred copy of the wave for what the ring changes gives halos around cells, shade-off
    inside large ones and bright, reversed contrast in thick round ones, as in the microscope.

    Parameters
    ----------
    halo : tuple of float
        Standard deviation of the blur, in diameters of a typical cell; halos are about as wide.
    transmission : tuple of float
        Amplitude of the undiffracted light that the ring lets through.
    strength : tuple of float
        Factor on the delay of the cells.
    negative : float
        How often the ring advances light instead: bright cells with dark halos.
    debris : float
        Most that lies about.
    relief : tuple of float
        Light from one side, of a ring out of place, over the delay's slope.
    slope : float
        Most by which the light rises across the field, over its mean.
    dust : float
        Mean number of specks far out of focus, each a set of faint rings.

    References
    ----------
    Zernike 1942, doi:10.1016/S0031-8914(42)80035-X; Yin, Kanade and Chen 2012, doi:10.1016/j.media.2011.12.006.
    """

    halo: Range = (0.06, 0.5)
    transmission: Range = (0.35, 0.8)
    strength: Range = (0.6, 1.5)
    negative: float = 0.06
    debris: float = 1.0
    relief: Range = (0.0, 0.5)
    slope: float = 0.5
    dust: float = 0.7

    channels: tuple[str, ...] = ("cell",)

    def render(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the image ``(1, y, x)``."""
        path = rng.uniform(*self.strength) * optical_path(anatomy, rng)
        path += rng.uniform(-0.3, 0.9) * debris(anatomy, rng, most=self.debris)
        path += rng.uniform(0, 0.03) * rough_field(path.shape, 1.0, 8.0, rng)
        path = blur(path, rng.uniform(0.4, 1.1))
        halo = anatomy.diameter_px * np.exp(rng.uniform(*np.log(self.halo)))
        real, imaginary = np.cos(path), np.sin(path)
        ring_real, ring_imaginary = blur(real, halo), blur(imaginary, halo)
        passed = rng.uniform(*self.transmission)
        turn = passed if rng.random() < self.negative else -passed
        # the ring's light is taken out and put back times i (a quarter wave): i (a + ib) = -b + ia
        seen_real = real - ring_real - turn * ring_imaginary
        seen_imaginary = imaginary - ring_imaginary + turn * ring_real
        intensity = seen_real**2 + seen_imaginary**2
        if rng.random() < 0.3:
            intensity *= np.clip(1 + rng.uniform(*self.relief) * slope_along(path, rng), 0.2, None)
        intensity *= uneven(path.shape, self.slope, rng) * dust_rings(path.shape, self.dust, anatomy.diameter_px, rng)
        return expose(intensity[None], rng, photons=(150.0, 8000.0), blur_px=(0.3, 1.0))


@dataclass(frozen=True)
class InterferenceContrast:
    """Differential interference contrast: the slope of the delay along one direction, as if lit from a side.

    Parameters
    ----------
    shear_px : tuple of float
        Distance between the two beams.
    bias : tuple of float
        Delay between the beams in an empty place, in radians.
    strength : tuple of float
        Factor on the delay of the cells.
    """

    shear_px: Range = (0.8, 2.2)
    bias: Range = (0.4, 1.4)
    strength: Range = (0.6, 2.0)

    channels: tuple[str, ...] = ("cell",)

    def render(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the image ``(1, y, x)``."""
        delays = rng.uniform(*self.strength) * (optical_path(anatomy, rng) + 0.4 * debris(anatomy, rng))
        path = blur(delays.astype(np.float32), rng.uniform(0.5, 1.2))
        delay = rng.uniform(*self.bias) + rng.uniform(*self.shear_px) * slope_along(path, rng)
        intensity = np.sin(np.clip(delay, -0.2, np.pi) / 2) ** 2 * uneven(path.shape, 0.5, rng)
        return expose(intensity[None].astype(np.float32), rng, photons=(150.0, 8000.0), blur_px=(0.2, 0.8))


@dataclass(frozen=True)
class BrightField:
    """Bright field a little out of focus: delays show as bright and dark fringes; cells absorb a little.

    Parameters
    ----------
    defocus : tuple of float
        Strength of the fringes (transport of intensity).
    beyond : float
        How often the focus lies beyond the cells, which swaps bright and dark fringes.
    absorption : tuple of float
        Light lost per radian of delay.
    slope, dust : float
        As in `PhaseContrast`.

    References
    ----------
    Teague 1983, doi:10.1364/JOSA.73.001434 (transport of intensity).
    """

    defocus: Range = (0.35, 1.8)
    beyond: float = 0.5
    absorption: Range = (0.0, 0.25)
    slope: float = 0.5
    dust: float = 0.7

    channels: tuple[str, ...] = ("cell",)

    def render(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the image ``(1, y, x)``."""
        path = optical_path(anatomy, rng) + rng.uniform(0, 0.8) * debris(anatomy, rng)
        wide = rng.uniform(0.8, 2.5)
        fringes = blur(path, 0.6) - blur(path, 0.6 + wide)  # a Laplacian of the width the defocus gives
        strength = rng.uniform(*self.defocus) * (-1 if rng.random() < self.beyond else 1)
        intensity = np.exp(-rng.uniform(*self.absorption) * path) * (1 + strength * fringes)
        intensity *= uneven(path.shape, self.slope, rng) * dust_rings(path.shape, self.dust, anatomy.diameter_px, rng)
        return expose(np.clip(intensity, 0, 3)[None].astype(np.float32), rng, photons=(150.0, 8000.0))
