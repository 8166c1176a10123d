"""Stained cells in fluorescence: cytoplasm or membrane in one channel, nuclei in the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from teasel.training.simulation.anatomy import Anatomy
from teasel.training.simulation.camera import expose
from teasel.training.simulation.fields import Floats, blur, rough_field, smooth_noise
from teasel.training.simulation.thickness import debris, specks

__all__ = ["Fluorescence"]

Range = tuple[float, float]
_ON_A_LINE = 0.4
"""Height of a line one pixel wide, times the width of the Gaussian it was blurred with."""


@dataclass(frozen=True)
class Fluorescence:
    """Two channels: a stain of the cell, and a stain of the nucleus.

    Parameters
    ----------
    membrane : tuple of float
        Share of the cell's stain that sits in the membrane; the rest fills the cytoplasm.
    membrane_px : tuple of float
        Half width of the membrane before blurring.
    variation : tuple of float
        Deviation of the logarithm of brightness from cell to cell.
    negative_share : tuple of float
        Share of cells with almost no stain, as in multiplexed tissue.
    nuclear_stain : tuple of float
        Brightness of the cell's stain in the nucleus, over that of the cytoplasm.
    bright_nuclei : float
        How often the stain gathers in the nucleus instead of sparing it.
    perinuclear : tuple of float
        Light gathered beside the nucleus (Golgi, endoplasmic reticulum), over that of the cytoplasm.
    thinning : tuple of float
        Share of the light lost towards borders where cells meet: cells are thinner there.
    granularity : tuple of float
        Deviation of the texture of the cytoplasm.
    haze : tuple of float
        Light from out of focus, over the light in focus.
    background : tuple of float
        Even light, over that of cells.
    bleed : tuple of float
        Light of the other channel in each.
    photons : tuple of float
        Photons at the strong end of the range.
    blur_px : tuple of float
        Point spread.
    ghosts : float
        How often cells far out of focus, which are no objects, shine through.
    """

    membrane: Range = (0.0, 0.2)
    membrane_px: Range = (0.5, 1.2)
    variation: Range = (0.1, 0.6)
    negative_share: Range = (0.0, 0.0)
    nuclear_stain: Range = (0.15, 0.9)
    bright_nuclei: float = 0.25
    perinuclear: Range = (0.0, 1.2)
    thinning: Range = (0.2, 0.9)
    granularity: Range = (0.05, 0.4)
    haze: Range = (0.0, 0.4)
    background: Range = (0.0, 0.3)
    bleed: Range = (0.0, 0.1)
    photons: Range = (15.0, 2000.0)
    blur_px: Range = (0.4, 1.6)
    ghosts: float = 0.2

    channels: tuple[str, ...] = ("cell", "nucleus")

    def render(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the image ``(2, y, x)``: cell, nucleus."""
        cell, nucleus = self._cell(anatomy, rng), self._nucleus(anatomy, rng)
        bleed = rng.uniform(*self.bleed, 2)
        light = np.stack([cell + bleed[0] * nucleus, nucleus + bleed[1] * cell])
        for k in range(2):
            light[k] += rng.uniform(*self.haze) * blur(light[k], anatomy.diameter_px * rng.uniform(0.3, 0.8))
        if rng.random() < self.ghosts:
            light[0] += rng.uniform(0.1, 0.7) * self._ghosts(anatomy, rng)
        glow = 1 + 0.3 * smooth_noise(anatomy.labels.shape, 3 * anatomy.diameter_px, rng)
        light += rng.uniform(*self.background, (2, 1, 1)) * np.maximum(glow, 0)
        light[0] += rng.uniform(0, 1.5) * debris(anatomy, rng, most=0.6)
        return expose(light.astype(np.float32), rng, photons=self.photons, blur_px=self.blur_px)

    def _cell(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the light of the cell's stain, about 1 in a typical cell."""
        n, shape, scale = anatomy.count, anatomy.labels.shape, anatomy.diameter_px / 32
        brightness = np.exp(rng.normal(0, rng.uniform(*self.variation), n))
        brightness *= np.where(anatomy.is_round, rng.uniform(1.2, 3.5), 1.0)
        brightness *= np.where(rng.random(n) < rng.uniform(*self.negative_share), rng.uniform(0.02, 0.2), 1.0)
        texture = 1 + rng.uniform(*self.granularity) * rough_field(shape, rng.uniform(0.5, 1.5), 4 * scale, rng)
        texture += rng.uniform(0, 0.3) * smooth_noise(shape, 7 * scale, rng)
        level = rng.uniform(0.1, 0.9)  # how much of the light does not depend on depth
        body = level * np.clip(anatomy.depth / 0.12, 0, 1) + (1 - level) * anatomy.depth ** rng.uniform(0.5, 1.5)
        inside = np.clip(anatomy.nuclear_depth * 4, 0, 1)
        in_nucleus = rng.uniform(1.2, 2.2) if rng.random() < self.bright_nuclei else rng.uniform(*self.nuclear_stain)
        body = np.clip(texture, 0.05, None) * body * (1 + (in_nucleus - 1) * inside)
        if rng.random() < 0.5:
            body *= 1 + rng.uniform(*self.perinuclear) * _beside(inside, anatomy.diameter_px, rng)
        if rng.random() < 0.3:
            body += rng.uniform(0.5, 2) * specks(anatomy.depth > 0.2, 0.015, rng.uniform(0.6, 1.4), rng)
        share = rng.uniform(*self.membrane)
        light = (1 - share) * body * (1 - self._thinned(anatomy, rng))
        if share > 0:
            width = rng.uniform(*self.membrane_px) * scale**0.5
            line = blur(anatomy.rim, width) * np.float32(2.5 * width)
            patchy = 1 + rng.uniform(0.1, 0.6) * smooth_noise(shape, 5 * scale, rng)
            line = line * np.clip(patchy, 0.05, None)
            # the membrane's light reaches beyond the label it belongs to: spread brightness a little
            shine = _spread(anatomy.per_cell(brightness), 1.0 + width)
            return light * anatomy.per_cell(brightness) + share * 1.5 * line * shine
        return light * anatomy.per_cell(brightness)

    def _thinned(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the share of light lost where cells meet: a narrow crevice, and a wider slope towards it."""
        lost = np.zeros(anatomy.labels.shape, np.float32)
        for width in (rng.uniform(0.5, 1.0), anatomy.diameter_px * rng.uniform(0.03, 0.09)):
            slope = blur(anatomy.seams, width)
            lost += np.float32(rng.uniform(*self.thinning)) * slope / np.float32(max(2 * _ON_A_LINE / width, 1e-6))
        return np.clip(lost, 0, 0.95)

    def _nucleus(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the light of the nuclear stain."""
        shape, scale = anatomy.labels.shape, anatomy.diameter_px / 32
        brightness = np.exp(rng.normal(0, rng.uniform(0.1, 0.5), anatomy.count))
        chromatin = 1 + rng.uniform(0.05, 0.35) * rough_field(shape, 0.7, 3 * scale, rng)
        body = np.clip(anatomy.nuclear_depth * rng.uniform(2, 8), 0, 1)
        return np.maximum(body * chromatin, 0) * anatomy.per_cell(brightness)

    def _ghosts(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the light of cells in another plane: this field's own, turned and far out of focus."""
        other = np.rot90(anatomy.depth, int(rng.integers(1, 4)))[:, :: int(rng.choice((-1, 1)))]
        few = smooth_noise(other.shape, 3 * anatomy.diameter_px, rng) > rng.uniform(-0.5, 1)
        return blur(np.ascontiguousarray(other * few, np.float32), anatomy.diameter_px * rng.uniform(0.15, 0.4))


def _beside(nuclei: Floats, diameter_px: float, rng: np.random.Generator) -> Floats:
    """Return a soft spot beside every nucleus, on the same side of all, about 1 at its middle."""
    turn, away = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.2) * diameter_px
    shift = (round(away * np.sin(turn)), round(away * np.cos(turn)))
    spot = blur(np.roll(nuclei, shift, (0, 1)), diameter_px * rng.uniform(0.06, 0.15))
    return spot * (1 - nuclei)


def _spread(values: Floats, sigma_px: float) -> Floats:
    """Carry values over the border of where they are above 0, by a blur of the known ones."""
    known = (values > 0).astype(np.float32)
    return (blur(values, sigma_px) / np.maximum(blur(known, sigma_px), 0.05)).astype(np.float32)
