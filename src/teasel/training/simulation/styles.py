"""Styles: pairs of a layout and a light under a name, each like a kind of image people have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from teasel.training.simulation.anatomy import Anatomy
from teasel.training.simulation.fields import Floats
from teasel.training.simulation.layouts import Layout
from teasel.training.simulation.shapes import Shape
from teasel.training.simulation.stained import Fluorescence
from teasel.training.simulation.unstained import BrightField, InterferenceContrast, PhaseContrast

__all__ = ["STYLES", "Style"]


class Light(Protocol):
    """What turns an anatomy into an image."""

    @property
    def channels(self) -> tuple[str, ...]:
        """What each channel shows: ``cell``, ``nucleus``."""

    def render(self, anatomy: Anatomy, rng: np.random.Generator) -> Floats:
        """Return the image ``(c, y, x)``."""


@dataclass(frozen=True)
class Style:
    """A kind of image.

    Parameters
    ----------
    description : str
        What it looks like, in a few words.
    layout : Layout
        How cells lie.
    light : Light
        How they are seen.
    """

    description: str
    layout: Layout
    light: Light


_STELLATE = Shape(elongation=(1.1, 3.0), tips=(2, 5), tip_length=(0.3, 1.5), tip_width=(0.15, 0.5), waviness=0.08)
_SPINDLE = Shape(elongation=(2.0, 5.0), tips=(2, 2), tip_length=(0.2, 0.8), tip_width=(0.1, 0.25))
_ROUND = Shape(elongation=(1.0, 1.25), waviness=0.04)
_POLYGON = Shape(elongation=(1.0, 1.5), waviness=0.08)
_ROD = Shape(elongation=(2.5, 6.0), waviness=0.02)
_BRANCHED = Shape(elongation=(1.0, 1.6), tips=(2, 6), tip_length=(0.8, 2.2), tip_width=(0.1, 0.22), waviness=0.1)

_SPREAD = Layout(shape=_STELLATE, spread=(0.25, 0.5), raggedness=(0.0, 0.12), warp=(0.04, 0.16))
_SPINDLES = Layout(shape=_SPINDLE, cover=(0.2, 1.0), alignment=(0.3, 0.9), warp=(0.04, 0.15), spread=(0.15, 0.4))
_SUSPENSION = Layout(shape=_ROUND, spread=(0.05, 0.25), cover=(0.1, 0.8), clumping=(0.1, 0.8), warp=(0.0, 0.04))
_SHEET = Layout(shape=_POLYGON, cover=(1.1, 1.7), spread=(0.1, 0.3), round_share=(0.0, 0.06), warp=(0.02, 0.1))
_RODS = Layout(
    shape=_ROD,
    diameter_px=(14.0, 30.0),
    spread=(0.05, 0.25),
    cover=(0.1, 0.9),
    clumping=(0.3, 0.9),
    alignment=(0.2, 0.9),
    round_share=(0.0, 0.0),
    raggedness=(0.0, 0.02),
    warp=(0.0, 0.08),
    without_nucleus=(1.0, 1.0),
)
_BRANCHING = Layout(shape=_BRANCHED, cover=(0.05, 0.4), clumping=(0.0, 0.3), warp=(0.06, 0.2), spread=(0.2, 0.5))
_TISSUE = Layout(
    shape=_POLYGON,
    diameter_px=(17.0, 38.0),
    spread=(0.1, 0.4),
    cover=(0.9, 1.7),
    round_share=(0.0, 0.0),
    gaps=(0.0, 0.5),
    warp=(0.02, 0.12),
    nucleus_share=(0.2, 0.6),
    without_nucleus=(0.0, 0.25),
)
_LAYERS = Layout(
    shape=Shape(elongation=(1.3, 4.0), waviness=0.06),
    diameter_px=(17.0, 38.0),
    spread=(0.15, 0.4),
    cover=(1.0, 1.7),
    alignment=(0.7, 0.97),
    round_share=(0.0, 0.0),
    gaps=(0.0, 0.4),
    nucleus_share=(0.15, 0.5),
    without_nucleus=(0.0, 0.3),
)
_IMMUNE = Layout(
    shape=_ROUND,
    diameter_px=(13.0, 26.0),
    spread=(0.05, 0.3),
    cover=(0.6, 1.5),
    clumping=(0.2, 0.9),
    round_share=(0.0, 0.0),
    gaps=(0.0, 0.5),
    warp=(0.01, 0.08),
    nucleus_share=(0.35, 0.75),
    without_nucleus=(0.0, 0.25),
)
_MEMBRANE = Fluorescence(membrane=(0.6, 0.97), granularity=(0.05, 0.5), nuclear_stain=(0.3, 1.0))
_MULTIPLEX = Fluorescence(
    membrane=(0.4, 0.95),
    membrane_px=(0.5, 1.6),
    variation=(0.2, 0.9),
    negative_share=(0.0, 0.3),
    granularity=(0.1, 0.6),
    haze=(0.0, 0.6),
    background=(0.0, 0.4),
    photons=(6.0, 800.0),
    blur_px=(0.4, 1.4),
)

STYLES: dict[str, Style] = {
    "phase-spread": Style("spread, drawn-out cells in phase contrast", _SPREAD, PhaseContrast()),
    "phase-spindles": Style("spindles side by side in phase contrast", _SPINDLES, PhaseContrast()),
    "phase-round": Style("round cells, single and in clumps, in phase contrast", _SUSPENSION, PhaseContrast()),
    "phase-sheet": Style("a closed sheet of cells in phase contrast", _SHEET, PhaseContrast()),
    "phase-rods": Style(
        "rods in colonies in phase contrast", _RODS, PhaseContrast(halo=(0.15, 0.6), strength=(0.8, 2.0))
    ),
    "dic-spread": Style("spread cells in interference contrast", _SPREAD, InterferenceContrast()),
    "dic-round": Style("round cells in interference contrast", _SUSPENSION, InterferenceContrast()),
    "brightfield-spread": Style("spread cells in bright field", _SPREAD, BrightField()),
    "brightfield-round": Style("round cells in bright field", _SUSPENSION, BrightField()),
    "cytoplasm-spread": Style("stained cytoplasm of spread cells", _SPREAD, Fluorescence()),
    "cytoplasm-sheet": Style("stained cytoplasm of a closed sheet", _SHEET, Fluorescence()),
    "cytoplasm-round": Style("stained cytoplasm of round cells", _SUSPENSION, Fluorescence()),
    "cytoplasm-branched": Style(
        "stained branched cells in thick tissue", _BRANCHING, Fluorescence(haze=(0.1, 0.8), ghosts=0.7)
    ),
    "membrane-sheet": Style("stained membranes of a closed sheet", _SHEET, _MEMBRANE),
    "tissue": Style("multiplexed tissue section: membranes that not every cell shows, nuclei", _TISSUE, _MULTIPLEX),
    "tissue-immune": Style("multiplexed section packed with small round cells, as of lymph nodes", _IMMUNE, _MULTIPLEX),
    "tissue-layers": Style("multiplexed section of layered, flattened cells, as of skin", _LAYERS, _MULTIPLEX),
}
"""Every style by name."""
