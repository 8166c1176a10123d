"""Simulated images of fluorescent spots, with their truth: what detectors are trained, thresholded and judged on.

A `Scene` says in numbers what is to be drawn: optics (Gaussian or Airy-like, elliptical, defocused), spots (density,
clusters, brightness), what lies behind them (cells, smooth structure, autofluorescent bodies, filaments, uneven
illumination, or a real image) and the camera (photon and read-out noise, projections, hot pixels, patterns).
`random_scene` draws one from the range of real experiments; `simulate` gives image and spots, the same for the same
seed, in two and three dimensions.
"""

from __future__ import annotations

from teasel.spatial.simulation.background import draw_background, real_background
from teasel.spatial.simulation.crops import SimulatedCrops
from teasel.spatial.simulation.scene import Scene, random_scene
from teasel.spatial.simulation.simulate import Simulated, simulate

__all__ = ["Scene", "Simulated", "SimulatedCrops", "draw_background", "random_scene", "real_background", "simulate"]
